"""Keys that people write by habit, from torch or Python, and what to write instead."""

from __future__ import annotations

from collections.abc import Collection

_INFERRED = "it is inferred from the input, and left out"

ARGUMENTS = {
    **dict.fromkeys(
        (
            "in_features",
            "in1_features",
            "in2_features",
            "in_channels",
            "input_channels",
            "num_features",
            "num_channels",
            "normalized_shape",
            "input_size",
            "input_shape",
            "embed_dim",
            "kdim",
            "vdim",
        ),
        _INFERRED,
    ),
    "batch_first": "sequences are always [B, T, D], and it is left out",
    **dict.fromkeys(
        ("input", "inputs", "from", "source"), "a layer's inputs are its `in`"
    ),
    **dict.fromkeys(("name", "id"), "a layer is named by its key"),
    **dict.fromkeys(("inplace", "device", "dtype"), "a spec leaves it to the code"),
    **dict.fromkeys(("n", "times", "count", "copies"), "copies are made by `repeat`"),
    **dict.fromkeys(("args", "kwargs", "config"), "arguments stand beside `op`"),
    **dict.fromkeys(("if", "condition", "enabled"), "a condition is `when`"),
}
"""Arguments that no op has, and what to do about each."""

LAYER_KEYS = ("type", "kind", "module", "layer", "class", "block", "name")
"""Keys under which other tools name what a layer is."""

_KEYS = {
    "learning_rate": "lr",
    "dataset": "data",
    "num_epochs": "epochs",
    "grad_clip": "clip",
    "gradient_clip": "clip",
    "scheduler": "schedule",
    "criterion": "loss",
    "type": "kind",
    "name": "kind",
}
"""Keys under which other tools have what a task has."""


def key(name: str, known: Collection[str]) -> str:
    """A question that suggests a known key; "" if none is similar.

    >>> key("learning_rate", ["lr", "betas"])
    'did you mean `lr`?'
    """
    meant = _KEYS.get(name)
    return f"did you mean `{meant}`?" if meant and meant in known else ""


_TRUE = "a bool is `true` or `false`"

NAMES = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON"), _TRUE),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF"), _TRUE),
    **dict.fromkeys(("none", "nil", "undefined", "NULL"), "nothing is `null`"),
    **dict.fromkeys(("inf", "Infinity", "infinity"), "infinity is `.inf`"),
    **dict.fromkeys(("nan", "NaN"), "not a number is `.nan`"),
    "i": "`i` counts the copies of a layer with `repeat`, and this one has none",
}
"""Names in expressions that mean something elsewhere."""
