"""Keys that people write by habit, from torch or Python, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from compiler.diagnostics.replacement import Replacement, did_you_mean

_INFERRED = "it is inferred from the input, and left out"

_OF_REPEAT = ("collect", "at", "chain", "stack", "reverse")

ARGUMENTS = {
    **{
        name: f"`{name}` is a key of `repeat`: repeat: {{count: 4, {name}: ...}}"
        for name in _OF_REPEAT
    },
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
            "d_model",
            "kdim",
            "vdim",
        ),
        _INFERRED,
    ),
    "decay": "the weight of the newest batch is `momentum`, 1 - decay",
    "batch_first": "sequences are always [B, T, D], and it is left out",
    **dict.fromkeys(
        ("input", "inputs", "from", "source"), "a layer's inputs are its `in`"
    ),
    **dict.fromkeys(("name", "id"), "a layer is named by its key"),
    **dict.fromkeys(("inplace", "device", "dtype"), "a spec leaves it to the code"),
    **dict.fromkeys(
        (
            "n",
            "times",
            "count",
            "copies",
            "repeats",
            "num_layers",
            "depth",
            "num_blocks",
        ),
        "copies are made by `repeat`",
    ),
    **dict.fromkeys(
        ("shared", "share_weights", "shared_with", "reuse"),
        "a layer that runs again with the same weights is {share: NAME}, without `op`",
    ),
    **dict.fromkeys(
        ("tie_weights", "tied", "tied_to", "weight_tying"),
        "a tensor is that of another layer by `tie: {weight: NAME.weight}`",
    ),
    **dict.fromkeys(("args", "kwargs", "config"), "arguments stand beside `op`"),
    **dict.fromkeys(("if", "condition", "enabled"), "a condition is `when`"),
    **dict.fromkeys(
        ("activation", "act", "act_layer", "activation_fn", "nonlinearity"),
        "an activation is a layer of its own: write one below, such as `act: relu`",
    ),
    **dict.fromkeys(
        ("norm", "norm_layer", "normalization", "batch_norm", "bn"),
        "a normalization is a layer of its own: write one below",
    ),
    **dict.fromkeys(
        (
            "kernel_initializer",
            "bias_initializer",
            "weight_init",
            "initializer",
            "kernel_init",
        ),
        "initial values are set by `init`",
    ),
    **dict.fromkeys(
        ("kernel_regularizer", "bias_regularizer", "weight_decay", "l2"),
        "weight decay is set by the optimizer of the task",
    ),
    **dict.fromkeys(
        ("data_format", "channels_last", "channels_first"),
        "channels come before the sizes of an image, as in float[B, C, H, W], and it is left out",
    ),
    **dict.fromkeys(
        ("return_sequences", "return_state"),
        "the layer has all positions and the last state as outputs, and it is left out",
    ),
    **dict.fromkeys(
        ("trainable", "requires_grad", "frozen"),
        "what is trained is said by the task, not by a layer",
    ),
}
"""Arguments that no op has, and what to do about each."""

LAYER_KEYS = (
    "_target_",
    "class_name",
    "type",
    "kind",
    "module",
    "layer",
    "class",
    "block",
    "name",
)
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
    **dict.fromkeys(("include", "includes", "imports", "use", "from"), "import"),
    **dict.fromkeys(
        (
            "args",
            "config",
            "constants",
            "hparams",
            "hyperparameters",
            "parameters",
            "settings",
            "variables",
            "vars",
        ),
        "params",
    ),
    **dict.fromkeys(("n", "num", "number", "times", "copies"), "count"),
    **dict.fromkeys(("inherits", "inherit", "base", "parent", "based_on"), "extends"),
    **dict.fromkeys(("modules", "nodes"), "layers"),
    **dict.fromkeys(("input", "input_features", "placeholders"), "inputs"),
    **dict.fromkeys(("output", "output_features", "return"), "outputs"),
    **dict.fromkeys(("trainer", "training", "train"), "task"),
    **dict.fromkeys(("subnets", "submodules", "functions", "definitions"), "blocks"),
    **dict.fromkeys(("initializer", "initialization"), "init"),
    "weights": "checkpoint",
    "symbols": "dims",
    "title": "name",
}
"""Keys under which other tools have what a task has."""


_COMPOSED = {
    "defaults": "blocks of other files come by `import`, values by `params` and `variants`",
    **dict.fromkeys(
        ("model", "architecture", "backbone"),
        "`inputs`, `layers` and `outputs` stand at the top of the file",
    ),
    "_target_": "what a layer is, is its `op`",
}
"""Keys by which other tools compose files, and what is written here."""

_OF_TASK = frozenset(
    (
        "batch_size",
        "callbacks",
        "criterion",
        "data",
        "dataset",
        "epochs",
        "learning_rate",
        "loss",
        "lr",
        "metrics",
        "optimizer",
        "schedule",
        "scheduler",
    )
)
"""Keys of training, which other tools have at the top of a file."""


def key(name: str, known: Collection[str]) -> str:
    """What to write for a key of another tool; "" for one that is not known.

    >>> key("learning_rate", ["lr", "betas"])
    'did you mean `lr`?'
    """
    meant = _KEYS.get(name)
    if meant and meant in known:
        return did_you_mean(name, meant)
    if name in _OF_TASK and "task" in known:
        return f"how a network is trained stands under `task`: task: {{{name}: ...}}"
    return _COMPOSED.get(name, "")


_EXACT = (
    "padding that keeps the size is `same`, for a stride of 1; else write the numbers"
)
_TRUE = "a bool is `true` or `false`"


def _written(names: tuple[str, ...], text: str, right: str) -> dict[str, str]:
    """Names in place of which another is written."""
    return {name: Replacement(text, name, right) for name in names}


NAMES: dict[str, str] = {
    **_written(("yes", "Yes", "YES", "on", "On", "ON"), _TRUE, "true"),
    **_written(("no", "No", "NO", "off", "Off", "OFF"), _TRUE, "false"),
    **_written(("none", "nil", "undefined", "NULL"), "nothing is `null`", "null"),
    **_written(("inf", "Infinity", "infinity"), "infinity is `.inf`", ".inf"),
    **_written(("nan", "NaN"), "not a number is `.nan`", ".nan"),
    **dict.fromkeys(("SAME", "Same"), _EXACT),
    **dict.fromkeys(("VALID", "Valid"), "no padding is 0"),
    "i": "`i` counts the copies of a layer in its arguments; a list counts itself: [2 * i for i in 3]",
}
"""Names in expressions that mean something elsewhere."""


_TYPES = {
    **dict.fromkeys(("int", "integer", "Int", "Integer", "long", "int64"), "int"),
    **dict.fromkeys(("float", "number", "Float", "double", "real", "float32"), "float"),
    **dict.fromkeys(("bool", "boolean", "Bool", "Boolean"), "bool"),
    **dict.fromkeys(("str", "string", "String", "text", "Text"), "str"),
}
"""The types of params by the names that other tools have for them."""

_TYPE_OF_LIST = re.compile(
    r"(?:list|List|tuple|Tuple|Sequence|array)(?:\[ *(\w+) *(?:, *\.\.\. *)?\])?"
)
_TYPE_OR_NONE = re.compile(
    r"(?:[Oo]ptional\[ *(\w+) *\]|(\w+)\?|(\w+) *(?:\||or) *(?:[Nn]one|null))"
)


def param_type(written: str) -> str:
    """What to write for the type of a param that is written as elsewhere; "" where it is none.

    >>> param_type("list[int]"), param_type("boolean")
    ('did you mean `int[]`?', 'did you mean `bool`?')
    """
    if written in _TYPES:
        return did_you_mean(written, _TYPES[written])
    if found := _TYPE_OF_LIST.fullmatch(written):
        item = _TYPES.get(found[1] or "")
        if item is not None:
            return did_you_mean(written, f"{item}[]")
        return "" if found[1] else "a list is `int[]`, `float[]`, `bool[]` or `str[]`"
    if found := _TYPE_OR_NONE.fullmatch(written):
        item = _TYPES.get(next(filter(None, found.groups())))
        if item is not None:
            return f"a param has a value: it is an `{item}` that must be given, or it has a default"
    if written in ("tensor", "Tensor"):
        return "tensors are `inputs`; params are numbers, bools, texts, ops, and lists"
    return ""


_ITEM = re.compile(r"(\w+)\[(\d+)\]")


def of_input(name: str, known: Collection[str]) -> str:
    """What to write for an input that is written as Python would; "" where it is none.

    >>> of_input("lstm[0]", ["x", "lstm"]), of_input("a, x", ["a", "x"])
    ('an output has its name or number behind a dot: lstm.0', 'several inputs are a list: [a, x]')
    """
    parts = [part.strip() for part in name.split(",")]
    if len(parts) > 1 and all(part in known for part in parts):
        return f"several inputs are a list: [{', '.join(parts)}]"
    item = _ITEM.fullmatch(name)
    if item and item[1] in known:
        layer, number = item.groups()
        return f"an output has its name or number behind a dot: {layer}.{number}"
    return ""


def of_list(layer: str, port: str, lists: Iterable[str]) -> str:
    """What to write for an item of a list that is asked for as Python would: `blocks.features[0]`."""
    for name in lists:
        rest = port.removeprefix(name)
        if rest != port and rest[:1] in ("[", "."):
            named = f"an item of a list has its number behind it, counted from 0: {layer}.{name}.0"
            return f"{named}; `at` of its `repeat` chooses several"
    return ""
