"""Moves of specs from seed 30,000,000 on: layers that are one thing or another."""

from __future__ import annotations

from tests.fuzz.layers import KEEPS, Move, keep
from tests.fuzz.scope import Config, Scope, Value, argument
from tests.fuzz.structures import _body, go_on


def choice(s: Scope, x: Value) -> Value:
    """One of several ops, groups or blocks that keep the shape, by params."""
    config = _choice(s, x, [s.flag() for _ in range(s.pick([1, 1, 2]))])
    if s.chance(0.25):
        config["when"] = s.flag()
    elif s.chance(0.25):
        config["repeat"] = argument(s.count())
        if s.chance(0.3):
            config["repeat"] = {"count": config["repeat"], "share": True}
    layer = s.write("choice", config, x)
    return s.give(layer, x.shape)


def choice_in_copies(s: Scope, x: Value) -> Value:
    """A repeated group with a layer that its number chooses."""
    tests = ["i > 0", "i % 2 == 0", "i < 1", "i == 1", f"i > 0 and {s.flag()}"]
    layers: Config = {
        "mixer": _choice(s, x, [s.pick(tests) for _ in range(s.pick([1, 1, 2]))]),
        "act": {"op": s.pick(KEEPS)},
    }
    if s.chance(0.5):
        layers["b"] = {"op": "add", "in": ["mixer", "act"]}
    config = {"layers": layers, "repeat": argument(s.count())}
    return s.give(s.write("copies", config, x), x.shape)


def choice_in_block(s: Scope, x: Value) -> Value:
    """A block that flags choose a layer of, in copies that differ by their number, and perhaps once more."""
    name, flags = s.new("Layer"), ["on"]
    params: Config = {"on": "bool"}
    if s.chance(0.4):
        params["deep"] = s.pick(["bool", True, False])
        flags.append("deep")
    inner = Value("x", ("...", "D"))
    tests = [s.pick([*flags, *(f"not {one}" for one in flags)]) for _ in flags]
    body: Config = {"norm": {"op": "layer_norm"}} if s.chance(0.5) else {}
    body["mixer"] = {**_choice(s, inner, tests), "in": [*body, "x"][0]}
    body["sum"] = {"op": "add", "in": ["x", "mixer"]}
    s.blocks[name] = {
        "params": params,
        "inputs": {"x": "float[..., D]"},
        "layers": body,
    }
    given: Config = {"op": name, "on": s.pick(["i % 2 == 0", "i > 0", "i == 1"])}
    if "deep" in params:
        given["deep"] = s.flag()
    copies = {**given, "repeat": argument(s.count())}
    y = s.give(s.write("layers", copies, x), x.shape)
    if s.chance(0.4):
        y = s.give(s.write("layer", {**given, "on": s.flag()}, y), x.shape)
    return y


def widths_chosen(s: Scope, x: Value) -> Value:
    """A layer whose width, and what reads it, depend on what it is."""
    if s.plain:
        return keep(s, x)
    wide = {"when": s.flag(), "op": "linear", "out_features": argument(s.number())}
    other: Config = {"op": "linear", "out_features": argument(s.number())}
    name = s.write("wide", {"choose": [wide, s.pick([other, {"op": "tanh"}])]}, x)
    back: Config = {"op": "linear", "out_features": argument(x.width)}
    return s.give(s.write("back", back, Value(name, ())), x.shape)


def outputs_chosen(s: Scope, x: Value) -> Value:
    """Blocks of two outputs, of which one is chosen, and run once more."""
    names = []
    for act in (s.pick(KEEPS), s.pick(KEEPS)):
        names.append(s.new("Two"))
        s.blocks[names[-1]] = {
            "inputs": {"x": "float[..., D]"},
            "layers": {
                "a": {"op": "linear", "out_features": "D"},
                "b": {"op": act},
            },
            "outputs": {"p": "a", "q": "b"},
        }
    first: Config = {"when": s.flag(), "op": names[0]}
    layer = s.write("two", {"choose": [first, {"op": names[1]}]}, x)
    p, q = (s.give(f"{layer}.{port}", x.shape) for port in ("p", "q"))
    if s.chance(0.5):
        return s.give(s.write("again", {"share": layer}, q), x.shape)
    return p


def _choice(s: Scope, x: Value, tests: list[str]) -> Config:
    found = [{"when": test, **_alternative(s, x)} for test in tests]
    last = _alternative(s, x)
    plain = [*last] == ["op"] and s.chance(0.5)
    return {"choose": [*found, last["op"] if plain else last]}


def _alternative(s: Scope, x: Value) -> Config:
    """An op, a group or a block that keeps the shape."""
    linear: Config = {"op": "linear", "out_features": argument(x.width)}
    what = s.pick(["keep", "linear", "norm", "group", "list", "block", "block"])
    if what == "keep":
        return {"op": s.pick([*KEEPS, "identity"])}
    if what == "linear":
        more: Config = {"init": {"weight": "ones"}} if s.chance(0.2) else {}
        return {**linear, **({"bias": False} if s.chance(0.3) else {}), **more}
    if what == "norm":
        return {"op": "layer_norm", "eps": 0.01}
    if what == "group":
        return {"layers": {"a": linear, "b": {"op": s.pick(KEEPS)}}}
    if what == "list":
        return {"layers": [linear, s.pick(KEEPS)]}
    name = s.new("Mixer")
    start = Value("x", ("...", "D"))
    inner = _body(s, start, numbers=["D", "4"], plain=True)
    go_on(inner, s.pick([1, 2]))
    end = {"op": "linear", "out_features": "D"}
    s.blocks[name] = {
        "inputs": {"x": "float[..., D]"},
        "layers": {**inner.layers, "end": end},
    }
    return {"op": name}


CHOICES: tuple[Move, ...] = (
    *(choice, choice, choice, choice_in_copies, choice_in_copies),
    *(choice_in_block, choice_in_block, choice_in_block),
    *(widths_chosen, outputs_chosen),
)
