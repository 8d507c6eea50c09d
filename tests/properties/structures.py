"""Blocks, groups, repeats, conditions and scans in a random graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.properties.moves import ACTS, ANY_RANK, KEEPS, MOVES, Move
from tests.properties.sketch import Config, Sketch, Value, number

PATTERNS = {"seq": "float[N, L, D]", "vec": "float[N, D]", "image": "float[N, D, Y, X]"}
CLOSING: dict[str, Config] = {
    "seq": {"op": "linear", "out_features": "D"},
    "vec": {"op": "linear", "out_features": "D"},
    "image": {"op": "conv2d", "out_channels": "D", "kernel_size": 1},
}


def go_on(s: Sketch, moves: int, allowed: tuple[Move, ...] | None = None) -> None:
    """Add some layers."""
    for _ in range(moves):
        x = s.some("seq", "image", "vec", "tokens")
        choice = allowed or MOVES[x.family]
        if allowed is None and s.depth < 2 and x.family != "tokens":
            choice = (*choice, *STRUCTURES[x.family])
        s.pick(*choice)(s, x)


def condition(s: Sketch) -> Any:
    """Something that is true or false once the params are known."""
    return s.pick(*s.flags, *(f"{name} > 1" for name in s.counts), True)


def count(s: Sketch) -> Any:
    """How often to repeat."""
    return number(s.pick("1", "2", "3", *s.counts))


def maybe(s: Sketch, x: Value) -> Value:
    """A layer under a condition: one that keeps the shape, so that it may be off."""
    name = s.write("maybe", {"op": s.pick(*ACTS), "when": condition(s)}, [x])
    return s.give(x, name=name)


def growing(s: Sketch, x: Value) -> Value:
    """Copies of a layer whose widths differ."""
    copies = count(s)
    config: Config = {"op": "linear", "out_features": "4 * (i + 1)", "repeat": copies}
    name = s.write("growing", config, [x])
    return s.give(x, name=name, width=f"4 times {copies}")


def stacked(s: Sketch, x: Value) -> Value:
    """The mean of what all copies of a layer give, and now and then the last of these."""
    op = s.pick(*ACTS) if x.family == "image" else s.pick("layer_norm", *ACTS)
    repeat = {"count": count(s), "stack": {"states": "output"}}
    name = s.write("copies", {"op": op, "repeat": repeat}, [x])
    if s.flip():
        s.give(x, name=name)
    whole = replace(x, name=f"{name}.states")
    return s.give(x, name=s.write("mean", {"op": "mean", "dim": 0}, [whole]))


def block(s: Sketch, x: Value) -> Value:
    """A new block, used once or in a chain; its width is its input's, or a param."""
    name, residual = s.new("Block"), s.flip()
    closing = _write_block(s, name, x, residual)
    config: Config = {"op": name, "width": s.width()}
    if s.flip() if closing else s.seldom():
        config["repeat"] = count(s)
    if closing and s.seldom():
        config["when"] = condition(s)
    layer = s.write("block", config, [x])
    if closing:
        return s.give(x, name=layer)
    return s.give(x, name=layer, width=f"of {layer}", length=f"of {layer}")


def used_again(s: Sketch, x: Value) -> Value:
    """A block of before, at this place, with another width."""
    fits = [
        name
        for name, config in s.blocks.items()
        if config.get("params", {}).keys() == {"width", "flag"}
        and config["inputs"]["x"] in (PATTERNS[x.family], "float[..., D]")
        and config["layers"]
    ]
    if not fits:
        return block(s, x)
    config = {"op": s.pick(*fits), "width": s.width()}
    layer = s.write("block", config, [x])
    return s.give(x, name=layer, width=f"of {layer}", length=f"of {layer}")


def _write_block(s: Sketch, name: str, x: Value, closing: bool) -> bool:
    """Write a block's definition; whether it gives what it takes is up to `closing`."""
    pattern, allowed = PATTERNS[x.family], None
    if x.family != "image" and s.flip():
        pattern, allowed = "float[..., D]", ANY_RANK
    params: Config = {"width": s.pick("int", "2 * D", 8), "flag": True}
    start = Value("x", x.family, "D", "L")
    inner = s.inner([start], ["D", "D", "width", "8"], flags=["flag"])
    definition: Config = {"params": params, "inputs": {"x": pattern}, "layers": {}}
    s.blocks[name] = definition
    shapes = KEEPS[x.family] if closing and x.family == "image" else allowed
    go_on(inner, s.pick(1, 2, 3), shapes)
    if closing:
        closing = _close(inner, start)
    definition["layers"] = inner.layers
    return closing


def _close(inner: Sketch, start: Value) -> bool:
    """A layer back to the width of the input, and the sum with it."""
    last = inner.values[-1]
    if last.family != start.family or last.length != start.length:
        return False
    closing = Value(inner.write("close", {**CLOSING[start.family]}, [last]), "")
    inner.write("sum", {"op": "add"}, [start, closing])
    return True


def shortcut(s: Sketch, x: Value) -> Value:
    """A block with a way around it that has weights where the width changes."""
    name = s.new("Block")
    op = "conv2d" if x.family == "image" else "linear"
    sizes: Config = {"out_features": "width"}
    if op == "conv2d":
        sizes = {"out_channels": "width", "kernel_size": 1}
    s.blocks[name] = {
        "params": {"width": "int", "act": "op"},
        "inputs": {"x": PATTERNS[x.family]},
        "layers": {
            "main": {"op": op, **sizes, "in": "x"},
            "act": "$act",
            "shortcut": {"op": op, **sizes, "in": "x", "when": "width != D"},
            "sum": {"op": "add", "in": ["act", "shortcut"]},
        },
    }
    width = s.width()
    config: Config = {"op": name, "width": width, "act": s.pick(*ACTS)}
    if s.flip():
        config["repeat"] = s.pick(1, 2, 3)
    layer = s.write("shortcut", config, [x])
    return s.give(x, name=layer, width=str(width))


def group(s: Sketch, x: Value) -> Value:
    """Layers written on the spot, which see those around them."""
    start = x if "." not in x.name else replace(x, name=s.new("value"))
    around = [value for value in s.of(x.family) if "." not in value.name]
    inner = s.inner([*around, start], s.widths, flags=s.flags, counts=s.counts)
    repeated = s.flip()
    s.pick(*KEEPS[x.family])(inner, start)
    go_on(inner, s.pick(0, 1, 2), KEEPS[x.family] if repeated else None)
    config: Config = {"layers": inner.layers}
    last = inner.values[-1]
    if repeated and (last.width, last.length) != (x.width, x.length):
        repeated = False
    if repeated:
        config["repeat"] = count(s)
        if s.seldom():
            config["repeat"] = {"count": config["repeat"], "share": True}
    inputs = [x] if start is x else {start.name: x}
    name = s.write("group", config, inputs)
    return s.give(last, name=name)


def scan(s: Sketch, x: Value) -> Value:
    """A cell that runs along T."""
    if s.depth or not x.length.isidentifier():
        return maybe(s, x)
    name = s.new("Cell")
    update = s.pick("gru_cell", "rnn_cell")
    s.blocks[name] = {
        "params": {"hidden": "int"},
        "inputs": {"x": "float[N, D]", "h": "float[N, hidden]"},
        "layers": {
            "cell": {"op": update, "hidden_size": "hidden", "in": ["x", "h"]},
            "read": {"op": "linear", "out_features": "D"},
        },
        "outputs": {"h": "cell", "y": "read"},
    }
    width = s.width()
    config: Config = {
        "op": name,
        "hidden": width,
        "scan": x.length,
        "carry": {"h": f"zeros[B, {width}]"},
    }
    if s.flip():
        config["reverse"] = True
    layer = s.write("scan", config, [x])
    s.give(x, name=f"{layer}.h", family="vec", width=str(width), length="")
    return s.give(x, name=f"{layer}.y")


def optional(s: Sketch, x: Value) -> Value:
    """A block with an input that may be absent."""
    name = s.new("Attend")
    s.blocks[name] = {
        "inputs": {"x": "float[N, L, D]", "mask": "bool[N, L]?"},
        "layers": {
            "attention": {
                "op": "attention",
                "num_heads": 1,
                "in": {"query": "x", "key": "x", "value": "x", "mask": "mask"},
            },
            "sum": {"op": "add", "in": ["x", "attention"]},
        },
    }
    masks = [o for o in s.of("mask") if o.length == x.length]
    both = [s.pick(*masks)] if masks and s.flip() else []
    layer = s.write("attend", {"op": name}, [x, *both])
    return s.give(x, name=layer)


_COMMON: tuple[Move, ...] = (
    maybe,
    stacked,
    block,
    block,
    used_again,
    shortcut,
    group,
)
STRUCTURES: dict[str, tuple[Move, ...]] = {
    "seq": (*_COMMON, growing, scan, optional),
    "vec": (*_COMMON, growing),
    "image": _COMMON,
}
