"""Single layers that a random spec may go on with: each takes a value of the scope and gives others."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.scope import Config, Scope, Value, argument

Move = Callable[[Scope, Value], Value]

KEEPS = (
    "relu",
    "tanh",
    "gelu",
    "sigmoid",
    "silu",
    "sin",
    "leaky_relu",
    "elu",
    "softsign",
)
ALIASES: tuple[Config, ...] = (
    {"op": "identity"},
    {"op": "to", "dtype": "float"},
    {"op": "dropout", "p": 0.5},
)


def keep(s: Scope, x: Value) -> Value:
    """A function of each element."""
    return s.give(s.write("act", {"op": s.pick(KEEPS)}, x), x.shape)


def alias(s: Scope, x: Value) -> Value:
    """A layer that gives what it takes, or nearly."""
    config = dict(s.pick(ALIASES))
    if len(x.shape) == 2 and s.chance(0.3):
        config = {"op": "rearrange", "pattern": "a b -> a b"}
    return s.give(s.write("same", config, x), x.shape)


def linear(s: Scope, x: Value) -> Value:
    out = x.width if s.plain or s.chance(0.3) else s.number()
    known = [b for _, a, b in s.linears if a == x.width]
    if known and not s.plain and s.chance(0.5):
        out = s.pick(known)  # so that their weights may be one
    config: Config = {"op": "linear", "out_features": argument(out)}
    if s.chance(0.2):
        config["bias"] = False
    if s.chance(0.15):
        config["init"] = {"weight": s.pick(["zeros", {"normal": {"std": 0.02}}])}
    if s.chance(0.1):
        config["parametrize"] = s.pick(["weight_norm", "spectral_norm"])
    tied = [name for name, a, b in s.linears if (a, b) == (x.width, out)]
    if tied and "parametrize" not in config and "init" not in config and s.chance(0.5):
        config["tie"] = {"weight": f"{s.pick(tied)}.weight"}
    name = s.write("linear", config, x)
    if not {"tie", "parametrize"} & config.keys():
        s.linears.append((name, x.width, out))
    return s.give(name, (*x.shape[:-1], out))


def again(s: Scope, x: Value) -> Value:
    """A layer of before with the same weights."""
    fits = [(n, b) for n, a, b in s.linears if a == x.width and (not s.plain or a == b)]
    if not fits:
        return linear(s, x)
    name, out = s.pick(fits)
    return s.give(s.write("again", {"share": name}, x), (*x.shape[:-1], out))


def combine(s: Scope, x: Value) -> Value:
    op = s.pick(["add", "add", "add", "mul", "sub", "maximum"])
    others = [
        s.like(x) for _ in range(1 if op in ("sub", "maximum") else s.pick([1, 1, 2]))
    ]
    inputs = [x, *others] if s.chance(0.5) else [*others, x]
    return s.give(s.write(op, {"op": op}, inputs), x.shape)


def norm(s: Scope, x: Value) -> Value:
    config: Config = {"op": s.pick(["layer_norm", "rms_norm"])}
    if len(x.shape) == 2 and s.chance(0.6):
        config = {"op": "batch_norm1d"}
    if len(x.shape) == 3 and x.kind == "float" and s.chance(0.2):
        config = {"op": "softmax", "dim": -1}
    return s.give(s.write("norm", config, x), x.shape)


def beside(s: Scope, x: Value) -> Value:
    """Concatenation along the last dimension, now and then in copies."""
    fits = [v for v in s.values if v.kind == "float" and v.shape[:-1] == x.shape[:-1]]
    y, config = s.pick(fits), {"op": "concat", "dim": -1}
    if s.chance(0.2):
        name = s.write("concat", {**config, "repeat": 2}, [x, y])
        return s.give(name, (*x.shape[:-1], f"{x.width} + 2 * ({y.width})"))
    name = s.write("concat", config, [x, y])
    return s.give(name, (*x.shape[:-1], f"{x.width} + {y.width}"))


def halves(s: Scope, x: Value) -> Value:
    """Several outputs, of which some may go unused."""
    out = s.number()
    wide = s.write("wide", {"op": "linear", "out_features": f"2 * ({out})"}, x)
    name = s.write("half", {"op": "chunk", "chunks": 2, "dim": -1}, Value(wide, ()))
    first, second = (s.give(f"{name}.{k}", (*x.shape[:-1], out)) for k in (0, 1))
    return s.pick([first, second])


def largest(s: Scope, x: Value) -> Value:
    name = s.write("top", {"op": "sort", "dim": -1}, x)
    return s.give(s.pick([name, f"{name}.values"]), x.shape)


def recurrent(s: Scope, x: Value) -> Value:
    if len(x.shape) != 3:
        return keep(s, x)
    out, op = (x.width if s.plain else s.number()), s.pick(["lstm", "gru", "rnn"])
    config: Config = {"op": op, "hidden_size": argument(out)}
    name = s.write(op, config, x)
    return s.give(s.pick([name, f"{name}.output"]), (*x.shape[:-1], out))


def attention(s: Scope, x: Value) -> Value:
    if len(x.shape) != 3:
        return keep(s, x)
    config: Config = {"op": "attention", "num_heads": 1}
    if s.flags and s.chance(0.4):
        config["is_causal"] = s.pick(s.flags)
    inputs = {"query": x, "key": x, "value": x}
    masks = [v for v in s.values if v.kind == "bool" and v.shape == x.shape[:2]]
    if masks and s.chance(0.7):
        inputs["mask"] = s.pick(masks)
    return s.give(s.write("attend", config, inputs), x.shape)


def experts(s: Scope, x: Value) -> Value:
    """A router, and experts on the tokens that it sends them."""
    if len(x.shape) < 2:
        return keep(s, x)
    count = s.pick(["3", "4"] if s.depth else ["3", "4", "n + 3"])
    top = 3 if count == "3" and s.chance(0.3) else s.pick([1, 2])
    gate: Config = {"op": "linear", "out_features": argument(count)}
    router = s.write("gate", gate, x)
    routing: Config = {"op": "routing", "top_k": top}
    if s.chance(0.4):
        routing["scores"] = "sigmoid"
    if s.chance(0.4):
        routing["norm_topk_prob"] = s.pick([False, *s.flags])
    if count == "4" and s.chance(0.4):
        routing |= {"num_groups": 2, "top_groups": 1}
    given: list[Value] = [Value(router, ())]
    if s.chance(0.3):
        bias: Config = {"op": "parameter", "shape": argument(count), "value": 0.1}
        given.append(Value(s.new("bias"), ()))
        s.layers[given[-1].name] = bias
    chosen = s.write("routing", routing, given)
    layer = s.write(
        "experts",
        {"op": _expert(s), "repeat": {"count": argument(count), "routed": True}},
        [x, Value(f"{chosen}.experts", ()), Value(f"{chosen}.weights", ())],
    )
    y = s.give(layer, x.shape)
    if s.chance(0.15):
        inputs = [y, Value(f"{chosen}.experts", ()), Value(f"{chosen}.weights", ())]
        y = s.give(s.write("experts_again", {"share": layer}, inputs), x.shape)
    return y


def _expert(s: Scope) -> str:
    """A block that takes each token by itself."""
    name = s.new("Expert")
    layers: Config = {
        "up": {
            "op": "linear",
            "out_features": s.pick(["2 * D", "5"]),
            "bias": s.chance(0.5),
        },
        "act": {"op": s.pick(KEEPS)},
        "down": {"op": "linear", "out_features": "D"},
    }
    if s.chance(0.4):
        layers["norm"] = {"op": s.pick(["layer_norm", "rms_norm"])}
    if s.chance(0.4):
        layers["sum"] = {"op": "add", "in": ["x", s.pick(["down", "x"])]}
    s.blocks[name] = {
        "inputs": {"x": s.pick(["float[N, D]", "float[..., D]"])},
        "layers": layers,
    }
    return name


def steps(s: Scope, x: Value) -> Value:
    """Arguments that are sizes of the inputs."""
    if len(x.shape) != 3 or x.shape[1] not in s.symbols:
        return keep(s, x)
    t = x.shape[1]
    config = s.pick(
        [
            {"op": "slice", "dim": 1, "start": 0, "stop": t},
            {"op": "slice", "dim": 1, "start": f"{t} - 1", "stop": f"2 * {t} - 1"},
            {"op": "reshape", "shape": [*map(argument, x.shape)]},
            {"op": "expand", "shape": [*map(argument, x.shape)]},
            {"op": "flip", "dims": [1]},
            {"op": "cumsum", "dim": 1},
        ]
    )
    if config.get("start") == f"{t} - 1":
        name = s.write("last", config, x)
        one = s.give(name, (x.shape[0], "1", x.width))
        return s.give(s.write("spread", {"op": "add"}, [x, one]), x.shape)
    return s.give(s.write("sized", config, x), x.shape)


def pooled(s: Scope, x: Value) -> Value:
    if len(x.shape) != 3 or s.plain:
        return keep(s, x)
    config = s.pick([{"op": "mean", "dim": 1}, {"op": "index", "dim": 1, "index": -1}])
    return s.give(s.write("pooled", dict(config), x), (x.shape[0], x.width))


def spread(s: Scope, x: Value) -> Value:
    """A vector for each sample, added to each of its steps."""
    vectors = [
        v for v in s.values if v.shape == (x.shape[0], x.width) and v.kind == "float"
    ]
    if len(x.shape) != 3 or not vectors:
        return combine(s, x)
    one = s.write("one", {"op": "unsqueeze", "dim": 1}, s.pick(vectors))
    return s.give(s.write("spread", {"op": "add"}, [x, Value(one, ())]), x.shape)


def learned(s: Scope, x: Value) -> Value:
    op = s.pick(["parameter", "parameter", "buffer", "constant"])
    config: Config = {"op": op, "shape": [argument(x.width)], "value": 1.5}
    if op == "parameter" and s.chance(0.3):
        config = {"op": op, "shape": [argument(x.width)], "init": {"value": "ones"}}
        config.pop("init")
    name = s.new("own")
    s.layers[name] = config
    return s.give(s.write("add", {"op": "add"}, [x, Value(name, ())]), x.shape)


def stack_of_linears(s: Scope, x: Value) -> Value:
    """Copies of one op, with weights of their own or shared, whose sizes may grow."""
    repeat: object = argument(s.count())
    out = x.width
    config: Config = {"op": "linear", "out_features": argument(out)}
    if not s.plain and s.chance(0.3):
        out = s.pick(["4 * (i + 1)", "2 + i"])
        config["out_features"] = out
        out = f"grown {s.new('by')}"
    elif s.chance(0.3):
        repeat = {"count": repeat, "share": True}
    elif s.chance(0.3):
        repeat = {"count": repeat, "stack": {"every": "output"}}
    name = s.write("copies", {**config, "repeat": repeat}, x)
    if isinstance(repeat, dict) and "stack" in repeat:
        mean = {"op": s.pick(["mean", "sum"]), "dim": 0}
        whole = s.write("mean", mean, Value(f"{name}.every", ()))
        s.give(whole, x.shape)
    return s.give(name, (*x.shape[:-1], out))


def maybe(s: Scope, x: Value) -> Value:
    """A layer that keeps the shape, under a condition."""
    config: Config = s.pick(
        [
            {"op": s.pick(KEEPS)},
            {"op": "linear", "out_features": argument(x.width)},
            {"op": "layer_norm"},
            {"op": "lstm", "hidden_size": argument(x.width)},
            {"op": "identity"},
            {"op": "sort", "dim": -1},
        ]
    )
    if config["op"] == "lstm" and len(x.shape) != 3:
        config = {"op": "add"}
        name = s.write("maybe", {**config, "when": s.flag()}, [x, s.like(x)])
        return s.give(name, x.shape)
    name = s.write("maybe", {**config, "when": s.flag()}, x)
    return s.give(name, x.shape)


def maybe_wider(s: Scope, x: Value) -> Value:
    """A layer that changes the width, under a condition: what follows takes what comes."""
    config: Config = {"op": "linear", "out_features": argument(s.number())}
    name = s.write("wider", {**config, "when": s.flag()}, x)
    back = {"op": "linear", "out_features": argument(x.width)}
    return s.give(s.write("back", back, Value(name, ())), x.shape)


COMMON: tuple[Move, ...] = (
    keep,
    alias,
    alias,
    linear,
    linear,
    again,
    combine,
    combine,
    norm,
    learned,
    maybe,
    maybe,
    maybe_wider,
    stack_of_linears,
    recurrent,
    attention,
    steps,
    spread,
    largest,
    experts,
)
CHANGING: tuple[Move, ...] = (beside, halves, pooled)
