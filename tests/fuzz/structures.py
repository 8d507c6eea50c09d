"""Blocks, groups, scans and recursion in a random spec."""

from __future__ import annotations

from typing import Any

from tests.fuzz.layers import CHANGING, COMMON, KEEPS, Move
from tests.fuzz.scope import BlockKind, Config, Scope, Shape, Value, argument, renamed

DIMS: dict[int, Shape] = {2: ("N", "D"), 3: ("N", "L", "D")}


def go_on(s: Scope, moves: int) -> None:
    """Add some layers."""
    for _ in range(moves):
        s.pick(_moves(s))(s, s.some())


def _moves(s: Scope) -> tuple[Move, ...]:
    found = COMMON if s.plain else (*COMMON, *CHANGING)
    if s.depth < 2:
        found = (*found, block, block, block, used_again, used_again, group, group)
    if s.depth == 0:
        found = (*found, scan, optional_block, recursion, op_block)
        found = (*found, counted_group, two_dots)
    return (*found, *s.more)


def _body(s: Scope, x: Value, **more: Any) -> Scope:
    return Scope(
        s.rng,
        s.blocks,
        s.kinds,
        s.serial,
        values=[x],
        more=s.more,
        depth=s.depth + 1,
        **more,
    )


def _use(s: Scope, kind: BlockKind, x: Value, keeps: bool) -> Value:
    """A layer that runs a block: once, in copies or under a condition."""
    names = dict(zip(kind.dims, x.shape[len(x.shape) - len(kind.dims) :], strict=True))
    config: Config = {"op": kind.name, **_given(s, kind, names)}
    inputs: dict[str, Value] = {"x": x}
    for port, (shape, dtype) in kind.optional.items():
        wanted = tuple(renamed(size, names) for size in shape)
        fits = [v for v in s.values if (v.shape, v.kind) == (wanted, dtype)]
        if fits and s.chance(0.5):
            inputs[port] = s.pick(fits)
    given: Any = inputs if len(inputs) > 1 else x
    if keeps and s.chance(0.5):
        config["repeat"] = argument(s.count())
        flags = [param for param, what in kind.params.items() if what == "flag"]
        if s.chance(0.25):
            config["repeat"] = {"count": config["repeat"], "share": True}
        elif flags and s.chance(0.5):
            config[s.pick(flags)] = s.pick(["i % 2 == 0", "i > 0", "i == 1"])
        if s.chance(0.2):
            config["when"] = s.flag()
    elif keeps and s.chance(0.3):
        config["when"] = s.flag()
    layer = s.write("block", config, given)
    if keeps and len(inputs) == 1:
        s.runs.append((layer, x.shape))
    lead = x.shape[: len(x.shape) - len(kind.dims)]
    found = [
        s.give(
            layer if n == 0 and s.chance(0.5) else f"{layer}.{port}",
            (*lead, *(renamed(size, names) for size in shape)),
        )
        for n, (port, shape) in enumerate(kind.outputs.items())
        if n == 0 or "when" not in config
    ]
    return found[0]


def _given(s: Scope, kind: BlockKind, names: dict[str, str]) -> Config:
    """Arguments for the params of a block; `names` gets what its sizes are called here."""
    config: Config = {}
    for param, what in kind.params.items():
        if what == "width":
            names[param] = s.number()
            config[param] = argument(names[param])
        elif what == "flag":
            names[param] = s.flag()
            config[param] = names[param]
        elif what == "count":
            names[param] = s.count()
            config[param] = argument(names[param])
        elif what == "op":
            config[param] = s.pick(KEEPS)
    return config


def block(s: Scope, x: Value) -> Value:
    """A new block, used at once."""
    name, any_rank = s.new("Block"), s.chance(0.25)
    dims = ("D",) if any_rank else DIMS[len(x.shape)]
    start = Value("x", ("...", "D") if any_rank else dims)
    params, kinds = _params(s)
    numbers = ["D", "D", "4"]
    if "width" in params:
        numbers += ["width", "width", "width + 2"]
    inner = _body(
        s,
        start,
        numbers=numbers,
        flags=["on"] if "on" in params else [],
        counts=["n"] if "n" in params else [],
        symbols=[] if any_rank else ["N", "L"],
    )
    go_on(inner, s.pick([1, 2, 3, 4]))
    last = _close(inner, start)
    definition: Config = {"inputs": {"x": f"float[{', '.join(start.shape)}]"}}
    if params:
        definition = {"params": params, **definition}
    definition["layers"] = inner.layers
    found = _outputs(inner, start, last)
    if [*found] != ["output"]:
        definition["outputs"] = {port: value.name for port, value in found.items()}
    s.blocks[name] = definition
    outputs = {port: value.shape[-len(dims) :] for port, value in found.items()}
    kind = BlockKind(name, dims, kinds, outputs, rank=0 if any_rank else len(dims))
    s.kinds.append(kind)
    return _use(s, kind, x, last.shape == start.shape)


def _params(s: Scope) -> tuple[Config, dict[str, str]]:
    """Some params: as a block declares them, and what they are for."""
    declared: dict[str, tuple[list[Any], str, float]] = {
        "width": (["int", "2 * D", 6], "width", 0.6),
        "on": (["bool", True, False], "flag", 0.6),
        "n": (["int", 2], "count", 0.3),
    }
    chosen = [name for name, (*_, often) in declared.items() if s.chance(often)]
    params = {name: s.pick(declared[name][0]) for name in chosen}
    return params, {name: declared[name][1] for name in chosen}


def _close(inner: Scope, start: Value) -> Value:
    """The last value; often taken back to the shape of the input, and added to it."""
    last = inner.values[-1]
    if last.shape[:-1] != start.shape[:-1] or inner.chance(0.4):
        return last
    if last.shape != start.shape or inner.chance(0.3):
        config: Config = {"op": "linear", "out_features": "D"}
        last = inner.give(inner.write("close", config, last), start.shape)
    if inner.chance(0.7):
        last = inner.give(inner.write("sum", {"op": "add"}, [start, last]), start.shape)
    return last


def _outputs(inner: Scope, start: Value, last: Value) -> dict[str, Value]:
    """The outputs by name: `output` alone where the block need not say them."""
    is_last = [*inner.layers][-1] == last.name
    if is_last and inner.chance(0.8):
        return {"output": last}
    found = {"y": last}
    made = [v for v in inner.values[1:-1] if v.kind == "float"]
    others = [v for v in made if len(v.shape) == len(start.shape)]
    if others and inner.chance(0.5):
        found["aux"] = inner.pick(others)
    return found


def used_again(s: Scope, x: Value) -> Value:
    """A block of before, with other values and sizes."""
    fits = [k for k in s.kinds if k.rank in (0, len(x.shape)) and k.name in s.blocks]
    if not fits:
        return block(s, x)
    kind = s.pick(fits)
    first = next(iter(kind.outputs.values()))
    return _use(s, kind, x, first == kind.dims)


def op_block(s: Scope, x: Value) -> Value:
    """A block that takes a type of layer."""
    name = s.new("Acts")
    s.blocks[name] = {
        "params": {"act": "op", "on": True},
        "inputs": {"x": "float[..., D]"},
        "layers": {
            "l": {"op": "linear", "out_features": "D"},
            "act": "$act",
            "m": {"op": "$act", "when": "on"},
            "sum": {"op": "add", "in": ["x", "m"]},
        },
    }
    kind = BlockKind(name, ("D",), {"act": "op", "on": "flag"}, {"output": ("D",)})
    s.kinds.append(kind)
    return _use(s, kind, x, keeps=True)


def _item(s: Scope, width: str) -> Any:
    """A layer of a list."""
    linear: Config = {"op": "linear", "out_features": argument(width)}
    return s.pick(
        [
            s.pick(KEEPS),
            linear,
            {"op": "layer_norm"},
            {**linear, "when": s.flag()},
            {**linear, "repeat": 2},
            {**linear, "init": {"bias": "zeros"}},
            {"layers": [s.pick(KEEPS), linear]},
        ]
    )


def group(s: Scope, x: Value) -> Value:
    """Layers written on the spot, as a mapping or as a list."""
    as_list = s.chance(0.4)
    start = x if "." not in x.name else Value(s.new("value"), x.shape)
    inner = _body(
        s,
        start,
        numbers=s.numbers,
        flags=s.flags,
        counts=s.counts,
        symbols=s.symbols,
        plain=s.chance(0.6),
    )
    config: Config = {}
    if as_list:
        inner.plain = True
        config["layers"] = [_item(s, x.width) for _ in range(s.pick([1, 2, 3]))]
        last: Value = Value("", x.shape)
    else:
        if s.chance(0.5):
            inner.values = [v for v in s.values if "." not in v.name and v.shape != ()]
            if start not in inner.values:
                inner.values.append(start)
        before = len(inner.values)
        go_on(inner, s.pick([1, 2, 3]))
        last = inner.values[-1]
        if not inner.layers or len(inner.values) == before:
            return x
        config["layers"] = inner.layers
        if "." in last.name or [*inner.layers][-1] != last.name:
            tail = inner.write("tail", {"op": "tanh"}, last)
            last = Value(tail, last.shape)
    if last.shape == x.shape and s.chance(0.5):
        config["repeat"] = argument(s.count())
        if s.chance(0.25):
            config["repeat"] = {"count": config["repeat"], "share": True}
        if s.chance(0.2):
            config["when"] = s.flag()
    elif last.shape == x.shape and s.chance(0.4):
        config["when"] = s.flag()
    inputs: Any = {start.name: x} if start is not x else x
    return s.give(s.write("group", config, inputs), last.shape)


def scan(s: Scope, x: Value) -> Value:
    """A cell that runs along T, now and then under a condition."""
    if len(x.shape) != 3 or x.shape[1] not in s.symbols:
        return block(s, x)
    name, hidden = s.new("Cell"), s.number()
    s.blocks[name] = {
        "params": {"hidden": "int"},
        "inputs": {"x": "float[N, D]", "h": "float[N, hidden]"},
        "layers": {
            "both": {"op": "concat", "dim": -1, "in": ["x", "h"]},
            "cell": {"op": "linear", "out_features": "hidden"},
            "act": {"op": s.pick(KEEPS)},
            "read": {"op": "linear", "out_features": "D"},
        },
        "outputs": {"y": "read", "h": "act"},
    }
    config: Config = {
        "op": name,
        "hidden": argument(hidden),
        "scan": x.shape[1],
        "carry": {"h": f"{s.pick(['zeros', 'ones'])}[{x.shape[0]}, {hidden}]"},
    }
    if s.chance(0.4):
        config["reverse"] = True
    off = s.chance(0.3)
    if off:
        config["when"] = s.flag()
    layer = s.write("scan", config, x)
    if off:
        return s.give(layer, x.shape)
    s.give(f"{layer}.h", (x.shape[0], hidden))
    return s.give(f"{layer}.y", x.shape)


def optional_block(s: Scope, x: Value) -> Value:
    """A block with inputs that may be absent."""
    if len(x.shape) != 3:
        return block(s, x)
    name = s.new("Attend")
    layers: dict[str, Config] = {
        "a": {
            "op": "attention",
            "num_heads": 1,
            "in": {"query": "x", "key": "x", "value": "x", "mask": "mask"},
        },
        "sum": {"op": "add", "in": ["x", "a"]},
    }
    if s.chance(0.5):
        layers["a"]["in"]["bias"] = "bias"
    inputs = {"x": "float[N, L, D]", "mask": "bool[N, L]?"}
    optional: dict[str, tuple[Shape, str]] = {"mask": (("N", "L"), "bool")}
    if "bias" in layers["a"]["in"]:
        inputs["bias"] = "float[N, 1, L, L]?"
        optional["bias"] = (("N", "1", "L", "L"), "float")
    params: Config = {}
    if s.chance(0.5):
        params = {"params": {"causal": s.pick(["bool", False])}}
        layers["a"]["is_causal"] = "causal"
    s.blocks[name] = {**params, "inputs": inputs, "layers": layers}
    kinds = {"causal": "flag"} if params else {}
    kind = BlockKind(name, DIMS[3], kinds, {"output": DIMS[3]}, optional, 3)
    s.kinds.append(kind)
    return _use(s, kind, x, keeps=True)


def counted_group(s: Scope, x: Value) -> Value:
    """A repeated group whose sizes depend on the copy, with copies inside that have numbers of their own."""
    if " of " in x.width:  # no formula, but the size that a recursion ends with
        return block(s, x)
    grown = s.pick(["4 + i", "3 * (i + 1)", "max(i, 4)", "6 - i if i < 3 else 5"])
    inside = s.pick(["2 + i", "max(2, i)", "5"])
    layers: dict[str, Config] = {
        "wide": {"op": "linear", "out_features": grown},
        "act": {"op": s.pick(KEEPS)},
    }
    if s.chance(0.7):
        name = s.new("Grow")
        s.blocks[name] = {
            "params": {"hidden": "int"},
            "inputs": {"x": "float[..., D]"},
            "layers": {
                "up": {"op": "linear", "out_features": "hidden"},
                "down": {"op": "linear", "out_features": "D"},
            },
        }
        copies: Config = {"op": name, "hidden": inside}
        layers["copies"] = {**copies, "repeat": s.pick([1, 2, 3])}
    if s.chance(0.5):
        own: Config = {"op": "linear", "out_features": "2 + i"}
        back: Config = {"op": "linear", "out_features": 5}
        layers["flat"] = dict(back)
        layers["again"] = {"repeat": 2, "layers": {"own": own, "back": back}}
    if [*layers][-1] == "copies" and s.chance(0.5):
        layers["sum"] = {"op": "add", "in": ["act", "copies"]}
    layers["back"] = {"op": "linear", "out_features": argument(x.width)}
    config: Config = {"layers": layers, "repeat": argument(s.count())}
    return s.give(s.write("counted", config, x), x.shape)


def two_dots(s: Scope, x: Value) -> Value:
    """A block with two inputs of any rank, each with dimensions of its own behind `...`."""
    other, name = s.some(), s.new("Pair")
    layers: dict[str, Config] = {
        "a": {"op": "linear", "out_features": "D", "in": "x"},
        "b": {"op": s.pick(["mean", "sum"]), "dim": -1, "in": "x1"},
        "c": {"op": "reshape", "shape": [-1], "in": s.pick(["x", "x1"])},
    }
    s.blocks[name] = {
        "inputs": {"x": "float[..., D]", "x1": "float[..., E]"},
        "layers": layers,
        "outputs": {"y": "a", "b": "b", "c": "c"},
    }
    layer = s.write("pair", {"op": name}, {"x": x, "x1": other})
    return s.give(f"{layer}.y", x.shape)


def recursion(s: Scope, x: Value) -> Value:
    """A block that runs itself for as long as a list of widths goes on."""
    name = s.new("Level")
    s.blocks[name] = {
        "params": {"level": "int", "widths": "int[]"},
        "inputs": {"x": "float[..., D]"},
        "layers": {
            "down": {"op": "linear", "out_features": "widths[level]"},
            "act": {"op": s.pick(KEEPS)},
            "below": {
                "op": name,
                "level": "level + 1",
                "widths": "widths",
                "when": "level < len(widths) - 1",
            },
            "up": {"op": "linear", "out_features": s.pick(["D", "widths[level]"])},
        },
    }
    if s.blocks[name]["layers"]["up"]["out_features"] == "D":
        s.blocks[name]["layers"]["sum"] = {"op": "add", "in": ["x", "up"]}
        out = x.width
    else:
        out = f"level of {name}"
    config: Config = {"op": name, "level": 0, "widths": s.pick(["widths", [3, 5], [4]])}
    return s.give(s.write("level", config, x), (*x.shape[:-1], out))
