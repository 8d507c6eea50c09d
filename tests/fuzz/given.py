"""Moves of specs from seed 70,000,000 on: layers that run where an optional input is given."""

from __future__ import annotations

from tests.fuzz.layers import KEEPS, Move, keep
from tests.fuzz.scope import Config, Scope, Value, argument

OPTIONAL = {"extra": "float[B, T, 4]?", "kind": "int[B]?"}
"""The optional inputs that these networks have."""


def asked(s: Scope, names: list[str]) -> str:
    """A condition over some inputs, and perhaps over params."""
    names = s.rng.sample(names, s.pick([1, 1, 1, min(2, len(names))]))
    parts = [
        s.pick(["given({})", "given({})", "not given({})"]).format(n) for n in names
    ]
    parts += [s.flag()] * s.chance(0.4)
    text = f" {s.pick(['and', 'and', 'or'])} ".join(parts)
    return f"not ({text})" if s.chance(0.2) else text


def asked_layer(s: Scope, x: Value) -> Value:
    """A layer that keeps its shape, with or without weights, where some inputs are given."""
    if s.depth:
        return keep(s, x)
    config: Config = {"op": s.pick([*KEEPS, "linear", "linear"])}
    config |= {"out_features": argument(x.width)} if config["op"] == "linear" else {}
    config["when"] = asked(s, [*OPTIONAL])
    inputs = x
    if s.chance(0.3):
        config = {
            "layers": {
                s.new("inner"): {"op": "gelu"},
                s.new("fc"): config | {"when": asked(s, ["extra"])},
            },
            "when": config["when"],
        }
        config["in"] = {"q": x.name, "extra": "extra"}
        name = s.new("group")
        s.layers[name] = config
        return s.give(name, x.shape)
    if s.chance(0.4):
        config["else"] = s.like(x).name
    return s.give(s.write("asked", config, inputs), x.shape)


def asked_sum(s: Scope, x: Value) -> Value:
    """What an optional input adds, through layers of its own that are absent without it."""
    if s.depth or x.shape[:2] != ("B", "T") or len(x.shape) != 3:
        return asked_layer(s, x)
    more = s.pick(["", "", f" and {s.flag()}"])
    off: Config = {"when": f"given(extra){more}", "else": None}
    wide: Config = {"op": "linear", "out_features": argument(x.width), **off}
    own = Value(s.write("own", wide, Value("extra", ())), ())
    if s.chance(0.5):
        own = Value(s.write("act", {"op": s.pick(KEEPS), **off}, own), ())
    total: Config = {"op": s.pick(["add", "mul"]), **off, "else": s.like(x).name}
    return s.give(s.write("total", total, [x, own]), x.shape)


def instead(s: Scope, x: Value) -> Value:
    """A table where a number is given, a vector where it is not, or nothing in its place."""
    if s.depth or len(x.shape) != 3 or x.shape[0] != "B" or " of " in x.width:
        return asked_layer(s, x)
    width = argument(x.width)
    table: Config = {"op": "embedding", "num_embeddings": 5, "embedding_dim": width}
    off: Config = {"when": "given(kind)", "else": None}
    known = s.write("known", {**table, **off}, Value("kind", ()))
    token: Config = {"op": "parameter", "shape": [1, width]}
    other = s.new("other")
    s.layers[other] = {**token, "when": "not given(kind)", "else": known}
    wide = s.write("wide", {"op": "unsqueeze", "dim": 1}, Value(other, ()))
    return s.give(s.write("sum", {"op": "add"}, [x, Value(wide, ())]), x.shape)


def asking_block(s: Scope, x: Value) -> Value:
    """A block that asks for its inputs, called with one that may be given, with one that is, or without."""
    if s.depth:
        return keep(s, x)
    name = s.new("Asks")
    linear: Config = {"op": "linear", "out_features": "D"}
    layers: Config = {
        "first": {**linear, "in": "x", "when": _of_block(s)},
        "own": {**linear, "in": "part", "when": "given(part)", "else": None},
        "sum": {
            "op": "add",
            "in": ["first", "own"],
            "when": "given(part)",
            "else": "first",
        },
        "last": {"op": s.pick(KEEPS), "in": "sum", "when": _of_block(s)},
    }
    if s.chance(0.4):
        layers["token"] = {
            "op": "parameter",
            "shape": ["D"],
            "when": "not given(part)",
            "else": "last",
        }
        layers["out"] = {"op": "add", "in": ["last", "token"]}
    s.blocks[name] = {
        "params": {"on": s.pick([True, False])},
        "inputs": {"x": "float[..., D]", "part": "float[..., D]?"},
        "layers": layers,
    }
    given: dict[str, Value] = {"x": x}
    config: Config = {"op": name, **({"on": s.flag()} if s.chance(0.6) else {})}
    config |= {"repeat": argument(s.count())} if s.chance(0.3) else {}
    way = s.pick(["open", "open", "always", "never", "absent"])
    if way == "open" and (x.shape == ("B", "T", "4")):
        given["part"] = Value("extra", ())
    elif way == "always":
        given["part"] = s.like(x)
    elif way == "absent":
        part: Config = {
            "op": s.pick(KEEPS),
            "when": s.pick([s.flag(), asked(s, ["extra"])]),
            "else": None,
        }
        given["part"] = Value(s.write("part", part, x), ())
    y = s.give(s.write("asks", config, given), x.shape)
    if s.chance(0.4):
        y = s.give(s.write("without", {"op": name}, y), x.shape)
    return y


def lacking_block(s: Scope, x: Value) -> Value:
    """A block with an output that may be absent, which goes where that is allowed; the network's output, at the end."""
    if s.depth:
        return keep(s, x)
    name, user = s.new("Lacks"), s.new("Takes")
    when = s.pick(["on", "given(part)", "given(part) and on", "not given(part)"])
    linear: Config = {"op": "linear", "out_features": "D"}
    s.blocks[name] = {
        "params": {"on": s.pick([True, False])},
        "inputs": {"x": "float[..., D]", "part": "float[..., D]?"},
        "layers": {
            "y": {**linear, "in": "x"},
            "more": {**linear, "in": "x", "when": when, "else": None},
        },
        "outputs": {"y": "y", "more": "more?"},
    }
    s.blocks[user] = {
        "inputs": {"x": "float[..., D]", "more": "float[..., D]?"},
        "layers": {
            "own": {**linear, "in": "more", "when": "given(more)", "else": None},
            "sum": {
                "op": "add",
                "in": ["x", "own"],
                "when": "given(more)",
                "else": "x",
            },
        },
    }
    given: dict[str, Value] = {"x": x}
    if x.shape == ("B", "T", "4") and s.chance(0.6):
        given["part"] = Value("extra", ())
    elif s.chance(0.3):
        given["part"] = s.like(x)
    config: Config = {"op": name, **({"on": s.flag()} if s.chance(0.6) else {})}
    lacks = s.write("lacks", config, given)
    s.absent.append(f"{lacks}.more?")
    ports = {"x": Value(f"{lacks}.y", ()), "more": Value(f"{lacks}.more", ())}
    return s.give(s.write("takes", {"op": user}, ports), x.shape)


def absent_output(s: Scope, x: Value) -> Value:
    """A layer that may be absent, and that an output of the network gives."""
    if s.depth:
        return keep(s, x)
    test = s.pick([s.flag(), asked(s, [*OPTIONAL])])
    config: Config = {"op": s.pick([*KEEPS]), "when": test, "else": None}
    s.absent.append(f"{s.write('aux', config, x)}?")
    return keep(s, x)


def _of_block(s: Scope) -> str:
    ways = ["given(part)", "not given(part)", "given(part) and on", "given(part) or on"]
    return str(s.pick([*ways, "not (given(part) and on)", "on"]))


ASKED: tuple[Move, ...] = (
    *(asked_layer, asked_layer, asked_sum, asked_sum),
    *(instead, asking_block, asking_block, asking_block),
    *(lacking_block, lacking_block, absent_output),
)
