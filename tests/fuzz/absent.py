"""Moves of specs from seed 50,000,000 on: layers that have no value where their condition is false."""

from __future__ import annotations

from tests.fuzz.layers import KEEPS, Move, keep
from tests.fuzz.scope import Config, Scope, Value, argument


def absent_bias(s: Scope, x: Value) -> Value:
    """A bias of attention that is there under a condition, and what reads it."""
    if len(x.shape) != 3 or s.depth:
        return keep(s, x)
    test = s.flag()
    off: Config = {"when": test, "else": None}
    config: Config = {"op": "relative_position_bias", "num_heads": 1, "num_buckets": 4}
    if s.chance(0.3):
        layers: Config = {s.new("inner"): {**config, "in": ["q", "q"]}}
        bias = s.write("bias", {"layers": layers, **off, "in": {"q": x.name}}, {"q": x})
    else:
        bias = s.write("bias", {**config, **off}, {"query": x, "key": x})
    if s.chance(0.4):
        more = s.pick([test, f"{test} and {s.flag()}", f"{s.flag()} and {test}"])
        act: Config = {"op": s.pick(KEEPS), "when": more, "else": None}
        bias = s.write("act", act, Value(bias, ()))
    return _read(s, x, Value(bias, ()))


def absent_summand(s: Scope, x: Value) -> Value:
    """A layer that is there under a condition, and a sum with it under the same one."""
    if s.plain:
        return keep(s, x)
    test = s.flag()
    wide: Config = {"op": "linear", "out_features": argument(s.number())}
    extra = s.write("extra", {**wide, "when": test, "else": None}, x)
    back: Config = {"op": "linear", "out_features": argument(x.width)}
    other = s.like(x)
    if s.chance(0.5):
        config = {**back, "when": test, "else": other.name}
        return s.give(s.write("back", config, Value(extra, ())), x.shape)
    back = {**back, "when": test, "else": None}
    name = s.write("back", back, Value(extra, ()))
    total: Config = {"op": s.pick(["add", "mul"]), "when": test, "else": other.name}
    return s.give(s.write("total", total, [Value(name, ()), x]), x.shape)


def absent_part(s: Scope, x: Value) -> Value:
    """A block that may be absent, and goes to another that may be without."""
    first, second = s.new("Part"), s.new("Whole")
    linear: Config = {"op": "linear", "out_features": "D"}
    s.blocks[first] = {
        "inputs": {"x": "float[..., D]"},
        "layers": {"fc": linear, "act": {"op": s.pick(KEEPS)}},
    }
    s.blocks[second] = {
        "params": {"mixed": s.pick([True, False])},
        "inputs": {"x": "float[..., D]", "part": "float[..., D]?"},
        "layers": {
            "fc": {**linear, "in": "x"},
            "own": {**linear, "in": "x", "when": "mixed", "else": None},
            "deep": {"op": "Deep", "in": {"x": "fc", "a": "part", "b": "own"}},
        },
    }
    s.blocks["Deep"] = {
        "inputs": {"x": "float[..., D]", "a": "float[..., D]?", "b": "float[..., D]?"},
        "layers": {"fc": {**linear, "in": "x"}},
    }
    part: Config = {"op": first, "when": s.flag(), "else": None}
    name = Value(s.write("part", part, x), ())
    if s.chance(0.3):
        name = Value(s.write("again", {"share": name.name}, s.like(x)), ())
    config: Config = {"op": second}
    config |= {"mixed": s.flag()} if s.chance(0.5) else {}
    config |= {"repeat": argument(s.count())} if s.chance(0.3) else {}
    return s.give(s.write("whole", config, {"x": x, "part": name}), x.shape)


def _read(s: Scope, x: Value, bias: Value) -> Value:
    """Attention with a bias that may be absent: as it is, in a block or a group, or in copies."""
    plain: Config = {"op": "attention", "num_heads": 1}
    way = s.pick(["plain", "block", "group", "copies"])
    if way == "plain":
        ports = {"query": x, "key": x, "value": x, "bias": bias}
        return s.give(s.write("attention", plain, ports), x.shape)
    if way == "group":
        inside = {**plain, "in": {"query": "q", "key": "q", "value": "q", "bias": "b"}}
        config: Config = {"layers": {s.new("inner"): inside}}
        config |= {"repeat": argument(s.count())} if s.chance(0.3) else {}
        return s.give(s.write("group", config, {"q": x, "b": bias}), x.shape)
    name = s.new("Attends")
    ports = {"query": "x", "key": "x", "value": "x", "bias": "bias"}
    s.blocks[name] = {
        "inputs": {"x": "float[B, T, D]", "bias": "float[1, 1, T, T]?"},
        "layers": {"attention": {**plain, "in": ports}},
    }
    config = {"op": name}
    config |= {"repeat": argument(s.count())} if way == "copies" else {}
    y = s.give(s.write("attends", config, {"x": x, "bias": bias}), x.shape)
    if s.chance(0.4):
        y = s.give(s.write("without", {"op": name}, y), x.shape)
    return y


ABSENT: tuple[Move, ...] = (
    *(absent_bias, absent_bias, absent_bias),
    *(absent_summand, absent_summand, absent_part),
)
