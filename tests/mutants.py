"""Specs with random damage, as typing, merging and pasting do it; the same for one seed."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

_TOKEN = re.compile(r"[A-Za-z_$][\w$]*|-?\d+\.?\d*|\s+|//|[^\w\s]")

VALUES = (
    *("0", "-1", "1", "2.5", "1e-3", ".inf", ".nan", "9223372036854775807", "1000000"),
    *("true", "false", "null", "~", "None", "yes", "''", '"x y"', "[]", "{}", "[1, 2]"),
    *("[[1]]", "{a: 1}", "x", "i", "$x", "T", "B", "float", "float[B]", "int[...]?"),
    *("2 * T", "1 // 0", "T % 3", "len(T)", "min()", "a if b else c", "not", "x.y"),
    *("linear", "add", "concat", "split", "lstm", "relu", "Block", "conv2d", "self"),
    *("zeros[B, 3]", "[null]", "[a, [b]]", "-", ":", "?", "#", "&a", "*a", "!!int 3"),
)
KEYS = (
    *("op", "layers", "in", "repeat", "scan", "carry", "reverse", "when", "share"),
    *("tie", "init", "outputs", "params", "inputs", "blocks", "dims", "networks"),
    *("expect", "name", "variants", "import", "description", "x", "bias", "type"),
)


def mutant(text: str, other: str, seed: int) -> str:
    """The text of a spec with one to four mutations; `other` gives lines to paste."""
    draw = random.Random(seed)
    for _ in range(draw.choice((1, 1, 1, 2, 2, 4))):
        if text:  # an earlier one may have left nothing
            text = draw.choice(_MUTATIONS)(text, other, draw)
    return text


Mutation = Callable[[str, str, random.Random], str]


def _token(text: str, _: str, draw: random.Random) -> str:
    """A token is deleted, doubled, replaced, or changes places with another."""
    tokens = _TOKEN.findall(text)
    at, to = draw.randrange(len(tokens)), draw.randrange(len(tokens))
    how = draw.randrange(4)
    if how == 0:
        tokens[at] = ""
    elif how == 1:
        tokens[at] *= 2
    elif how == 2:
        tokens[at] = tokens[to]
    else:
        tokens[at], tokens[to] = tokens[to], tokens[at]
    return "".join(tokens)


def _value(text: str, _: str, draw: random.Random) -> str:
    """A value in a line or in braces becomes another."""
    places = list(re.finditer(r"(?<=: )[^,{}\[\]\n]+|(?<=[\[,] )[^,{}\[\]\n]+", text))
    return _replaced(text, places, draw.choice(VALUES), draw)


def _key(text: str, _: str, draw: random.Random) -> str:
    places = list(re.finditer(r"[\w.]+(?=:)", text))
    return _replaced(text, places, draw.choice(KEYS), draw)


def _entry(text: str, _: str, draw: random.Random) -> str:
    """A layer gets one more entry."""
    places = list(re.finditer(r"(?<=\{)(?=\w)", text))
    entry = f"{draw.choice(KEYS)}: {draw.choice(VALUES)}, "
    return _replaced(text, places, entry, draw)


def _replaced(
    text: str, places: list[re.Match[str]], by: str, draw: random.Random
) -> str:
    if not places:
        return text
    match = draw.choice(places)
    return text[: match.start()] + by + text[match.end() :]


def _line(text: str, other: str, draw: random.Random) -> str:
    """A line is deleted, doubled, moved, indented otherwise, or pasted from elsewhere."""
    lines = text.split("\n")
    at, to = draw.randrange(len(lines)), draw.randrange(len(lines))
    how = draw.randrange(5)
    if how == 0:
        del lines[at]
    elif how == 1:
        lines.insert(to, lines[at])
    elif how == 2:
        lines.insert(to, lines.pop(at))
    elif how == 3:
        lines[at] = " " * draw.randrange(9) + lines[at].lstrip()
    else:
        lines.insert(to, draw.choice(other.split("\n")))
    return "\n".join(lines)


def _tail(text: str, other: str, draw: random.Random) -> str:
    """The text ends too soon, or goes on as another."""
    at = draw.randrange(len(text))
    return text[:at] + draw.choice(("", other[draw.randrange(len(other)) :]))


_MUTATIONS: tuple[Mutation, ...] = (
    *(_token, _token, _value, _value, _value, _key, _entry, _entry, _line, _line),
    _tail,
)


def tree_mutant(spec: dict[str, Any], other: dict[str, Any], seed: int) -> str:
    """A spec with one to four mutations of its tree, as JSON, which is YAML, too."""
    draw = random.Random(seed)
    tree = copy.deepcopy(spec)
    for _ in range(draw.choice((1, 1, 1, 2, 2, 4))):
        _change(tree, other, draw)
    return json.dumps(tree, indent=1)


def _change(tree: dict[str, Any], other: dict[str, Any], draw: random.Random) -> None:
    places = list(_places(tree))
    if not places:
        return
    holder, key = draw.choice(places)
    how = draw.randrange(16)
    if how >= 6:
        _tweak(holder, key, tree, draw)
    elif how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, dict):
        holder[draw.choice(KEYS)] = holder.pop(key)
    elif how == 2:
        source, at = draw.choice(list(_places(other)) or places)
        holder[key] = copy.deepcopy(source[at])
    elif how == 3:
        source, at = draw.choice(places)
        holder[key] = copy.deepcopy(source[at])
    elif how == 4 and isinstance(holder[key], dict):
        holder[key][draw.choice(KEYS)] = draw.choice(TREES)
    else:
        holder[key] = draw.choice(TREES)


def _tweak(holder: Any, key: Any, tree: dict[str, Any], draw: random.Random) -> None:
    """A value becomes another of its type, so that the mistake is found late."""
    value = holder[key]
    if isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, int):
        holder[key] = draw.choice((0, 1, 2, 3, value + 1, value - 1, 2 * value, 7))
    elif isinstance(value, str):
        texts = [h[k] for h, k in _places(tree) if isinstance(h[k], str)]
        holder[key] = draw.choice((*texts, *TEXTS))
    elif isinstance(value, list):
        draw.shuffle(value)
    elif isinstance(value, dict) and "op" in value:
        name = draw.choice(tuple(LAYER))
        value[name] = draw.choice(LAYER[name])
    elif isinstance(value, dict):
        entries = list(value.items())
        draw.shuffle(entries)
        value.clear()
        value.update(entries)


TEXTS = (
    *("relu", "add", "concat", "softmax", "layer_norm", "linear", "flatten", "glu"),
    *("float[B, T, D]", "float[B, D]", "float[B, 3, H, W]", "int[B, T]", "bool[B, T]"),
    *("float[..., D]", "float[B, D]?", "float[B, 2 * D]", "float[B, C, H, W]"),
)
LAYER: dict[str, tuple[Any, ...]] = {
    "repeat": (0, 1, 2, 5, {"count": 2, "share": True}, "2", "depth"),
    "when": (True, False, "1 > 2", "depth > 1", "i == 0"),
    "scan": ("T", "B", "S"),
    "carry": ({"h": "zeros[B, hidden]"}, {"x": "x"}, {"h": "ones[B, 8]"}),
    "reverse": (True, False),
    "in": ("x", ["x", "x"], {"x": "x"}, "x.y", ["x"]),
    "tie": ({"weight": "wte.weight"}, {"weight": "fc.weight"}),
    "init": ({"weight": "zeros"}, {"bias": "ones"}, {"weight": {"normal": {"std": 1}}}),
    "dim": (0, 1, -1, 2, 5),
    "op": TEXTS[:8],
}


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in entries:
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


TREES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 3, 1000, 2**62, 0.5, -1.5, float("inf")),
    *("", "x", "i", "T", "B", "D", "$x", "a.b", "1", "2 * D", "T // 2", "1 / 2"),
    *("D // 0", "i + 1", "T > 1", "true", "len(x)", "min(T, 2)", "float[B, D]"),
    *("float[...]", "int[B]?", "bool[B, 2 * D]", "zeros[B, D]", "linear", "add"),
    *("relu", "lstm", "softmax", "flatten", "conv2d", "batch_norm2d", "Block"),
    *([], {}, [1], [1, 2], ["x"], ["x", "x"], [None], [[1]], {"x": "x"}, {"x": [1]}),
    *({"op": "relu"}, {"op": "relu", "in": "x"}, {"layers": {"a": "relu"}}),
    *({"layers": ["relu", "flatten"]}, {"share": "fc"}, {"normal": {"std": 0.1}}),
    *({"type": "int", "default": 3}, {"op": "linear", "out_features": "D"}),
    *({"count": 2, "share": True}, {"op": "Block", "repeat": 3}),
)
