"""Moves of specs from seed 60,000,000 on: lists of what copies give."""

from __future__ import annotations

from typing import Any

from tests.fuzz.choices import _alternative
from tests.fuzz.layers import KEEPS, Move
from tests.fuzz.scope import Config, Scope, Value, argument


def collected(s: Scope, x: Value) -> Value:
    """Copies that keep the shape, all of which or some are joined."""
    repeat, known = _copies(s)
    name = s.new("items")
    repeat["collect"] = s.pick([name, {name: "output"}])
    config = _alternative(s, x)
    if s.chance(0.2):
        repeat["share"] = True
    elif s.chance(0.2):
        config = {"op": "dropout", "p": "0.1 * i"}
    if s.chance(0.15):
        config = {"choose": [{"when": s.flag(), **config}, _alternative(s, x)]}
    layer = s.write("copies", {**config, "repeat": repeat}, x)
    y = s.give(layer, x.shape)
    for _ in range(s.pick([1, 1, 2])):
        y = _joined(s, f"{layer}.{name}", known, s.pick([x, y]))
    if s.chance(0.15):
        other = s.write("again", {"share": layer}, y)
        y = _joined(s, f"{other}.{name}", known, y)
    return y


def of_two_outputs(s: Scope, x: Value) -> Value:
    """Copies of a block with two outputs, and a list of each."""
    block = s.new("Both")
    s.blocks[block] = {
        "inputs": {"x": "float[..., D]"},
        "layers": {
            "a": {"op": "linear", "out_features": "D"},
            "b": {"op": s.pick(KEEPS)},
            "c": {"op": "add", "in": ["x", "b"]},
        },
        "outputs": s.pick([{"x": "c", "y": "b"}, {"y": "a", "x": "c"}]),
    }
    repeat, known = _copies(s)
    names = {s.new("items"): port for port in ("x", "y")}
    repeat["collect"] = names
    layer = s.write("both", {"op": block, "repeat": repeat}, x)
    y = s.give(f"{layer}.x", x.shape)
    for name in names:
        y = _joined(s, f"{layer}.{name}", known, y)
    return y


def of_growing_copies(s: Scope, x: Value) -> Value:
    """Copies whose widths differ, which are concatenated."""
    width = s.pick(["4 * (i + 1)", "2 + i", "widths[i]", "20 - i"])
    if width == "widths[i]" and s.depth:
        width = "2 + i"
    repeat: Config = {"count": s.pick([2, 3, *([] if s.depth else ["n + 1"])])}
    repeat["count"] = "len(widths)" if width == "widths[i]" else repeat["count"]
    name = s.new("items")
    repeat["collect"] = name
    if s.chance(0.4):
        repeat["at"] = [0] if repeat["count"] == "len(widths)" else [0, 1]
        repeat["at"] = [0] if repeat["count"] == "n + 1" else repeat["at"]
    config: Config = {"op": "linear", "out_features": width, "repeat": repeat}
    layer = s.write("grown", config, x)
    return _back(s, [Value(f"{layer}.{name}", ()), *([x] if s.chance(0.5) else [])], x)


def in_block(s: Scope, x: Value) -> Value:
    """A block whose params say how many copies there are, or which are taken, used once or twice."""
    block, some = s.new("Deep"), s.chance(0.4)
    repeat: Config = {"count": "depth", "collect": {"items0": "output"}}
    params: Config = {"depth": "int"}
    if some:
        repeat["at"], params["taps"] = "taps", "int[]"
    how = s.pick(["concat", "stack", "add"])
    joined: Config = {"op": how, "in": ["x", "body.items0"]}
    layers: Config = {
        "body": {"op": "linear", "out_features": "D", "repeat": repeat},
        "joined": joined if how == "add" else {**joined, "dim": -1},
    }
    if how == "stack":
        layers["mean"] = {"op": "mean", "dim": -1}
    layers["back"] = {"op": "linear", "out_features": "D"}
    s.blocks[block] = {
        "params": params,
        "inputs": {"x": "float[..., D]"},
        "layers": layers,
    }
    y = x
    for _ in range(s.pick([1, 2, 2])):
        count = s.pick([*(f"{one} + 1" for one in s.counts), "1", "2", "3"])
        given: Config = {"op": block, "depth": argument(count)}
        if some:
            taps = [0, 2] if count == "3" else [0]
            given["taps"] = s.pick([taps, [0]])
        y = s.give(s.write("deep", given, y), x.shape)
    return y


def side_by_side(s: Scope, x: Value) -> Value:
    """Copies on the same input."""
    repeat, known = _copies(s)
    name = s.new("items")
    repeat |= {"chain": False, "collect": name}
    config = _alternative(s, x)
    if s.chance(0.2):
        repeat["share"] = True
    elif not s.plain and s.chance(0.3):
        config = {"op": "linear", "out_features": s.pick(["4 * (i + 1)", "2 + i"])}
        layer = s.write("beside", {**config, "repeat": repeat}, x)
        return _back(s, [Value(f"{layer}.{name}", ()), x], x)
    elif s.chance(0.2):
        repeat["stack"] = {"every": "output"}
    layer = s.write("beside", {**config, "repeat": repeat}, x)
    y = _joined(s, f"{layer}.{name}", known, x)
    if "stack" in repeat:
        mean: Config = {"op": "mean", "dim": 0}
        every = s.write("mean", mean, Value(f"{layer}.every", ()))
        y = s.give(s.write("sum", {"op": "add"}, [y, Value(every, ())]), x.shape)
    return y


def item_by_item(s: Scope, x: Value) -> Value:
    """Copies each of which takes its own item of a list."""
    repeat, known = _copies(s)
    name, other = s.new("items"), s.new("items")
    repeat["collect"] = name
    first = s.write("copies", {**_alternative(s, x), "repeat": repeat}, x)
    count: Config = {"count": known if "at" in repeat else repeat["count"]}
    again: Config = {**count, "collect": other}
    if s.chance(0.3):
        again["share"] = True
    if s.chance(0.3):
        again["reverse"] = True
    items = Value(f"{first}.{name}", x.shape)
    config = _alternative(s, x)
    taken: Any = items
    if s.chance(0.4):
        config = {"op": s.pick(["sub", "minimum", "add"])}
        taken = {"input": x, "other": items}
        if config["op"] == "add":
            config, taken = (
                {"op": _merging(s, x)},
                {"x": s.pick([x, items]), "y": items},
            )
    second = s.write("each", {**config, "repeat": again}, taken)
    y = _joined(s, f"{second}.{other}", known, x)
    chained = isinstance(taken, dict) and any(one != items for one in taken.values())
    if chained and s.chance(0.6):
        y = s.give(s.write("sum", {"op": "add"}, [y, Value(second, ())]), x.shape)
    return y


def growing_item_by_item(s: Scope, x: Value) -> Value:
    """Items of different widths, each of which is made as wide as the input."""
    width = s.pick(["4 * (i + 1)", "2 + i", "4 * 2 ** i", "20 - i", "2"])
    count = s.pick([2, 3, *([] if s.depth else ["n + 1", "n + 1"])])
    name, other = s.new("items"), s.new("items")
    repeat: Config = {"count": count, "collect": name}
    grow: Config = {"op": "linear", "out_features": width, "repeat": repeat}
    grown = s.write("grown", grow, x)
    back: Config = {"op": "linear", "out_features": argument(x.width)}
    back["repeat"] = {"count": count, "collect": other, "reverse": s.chance(0.4)}
    each = s.write("each", back, Value(f"{grown}.{name}", ()))
    return _joined(s, f"{each}.{other}", 1, x)


def _merging(s: Scope, x: Value) -> str:
    """A block of two inputs, which gives the first anew."""
    name = s.new("Merge")
    s.blocks[name] = {
        "inputs": {"x": "float[..., D]", "y": "float[..., D]"},
        "layers": {
            "a": {"op": "linear", "out_features": "D", "in": "y"},
            "b": {"op": "add", "in": ["x", "a"]},
        },
        "outputs": {s.pick(["x", "output"]): "b"},
    }
    return name


def _copies(s: Scope) -> tuple[Config, int]:
    """A number of copies, perhaps with those that are taken; and so many items there are at least."""
    count = s.pick([s.count(), *(f"{one} + 1" for one in s.counts), "2", "3", "4"])
    least = int(count) if count.isdecimal() else 1
    repeat: Config = {"count": argument(count)}
    if s.chance(0.3):
        numbers = [k for k in range(least) if s.chance(0.5)] or [0]
        repeat["at"], least = numbers, len(numbers)
    return repeat, least


def _joined(s: Scope, items: str, known: int, x: Value) -> Value:
    """What is made of a list whose items have the shape of a value."""
    whole = Value(items, x.shape)
    how = s.pick(["add", "add", "mul", "stack", "concat", "concat", "item", "item"])
    if how == "concat":
        return _back(s, s.pick([[whole], [whole, x], [x, whole, x]]), x)
    if how == "stack":
        config: Config = {"op": "stack", "dim": 0}
        stacked = s.write("stacked", config, s.pick([[whole], [x, whole]]))
        mean: Config = {"op": "mean", "dim": 0}
        return s.give(s.write("mean", mean, Value(stacked, ())), x.shape)
    if how == "item":
        item = Value(f"{items}.{s.pick(range(known))}", x.shape)
        config = {"op": s.pick(["add", "mul", "sub"])}
        return s.give(s.write("item", config, s.pick([[x, item], [item, x]])), x.shape)
    inputs = s.pick([[whole, x], [x, whole], [whole, whole], [whole]])
    return s.give(s.write("joined", {"op": how}, inputs), x.shape)


def _back(s: Scope, inputs: list[Value], x: Value) -> Value:
    """Values concatenated, and made as wide as another one."""
    config: Config = {"op": "concat", "dim": -1}
    name = s.write("joined", config, inputs)
    back: Config = {"op": "linear", "out_features": argument(x.width)}
    found: Any = s.write("back", back, Value(name, ()))
    return s.give(found, x.shape)


COLLECTED: tuple[Move, ...] = (
    *(collected, collected, collected, collected),
    *(of_two_outputs, of_growing_copies, in_block, in_block),
    *(side_by_side, side_by_side, item_by_item, item_by_item, growing_item_by_item),
)
