"""Moves of specs from seed 5,000,000 on: what the language has besides the moves of the seeds before."""

from __future__ import annotations

from typing import Any

from tests.fuzz.layers import KEEPS, Move, combine, keep
from tests.fuzz.scope import BlockKind, Config, Scope, Value, argument
from tests.fuzz.structures import _body, _use, go_on


def otherwise(s: Scope, x: Value) -> Value:
    """An op of several inputs under a condition, with a value in its place."""
    y, other = s.like(x), s.like(x)
    op = s.pick(["add", "mul", "maximum", "concat", "group"])
    config: Config = {"op": op, "when": s.flag(), "else": other.name}
    if op == "concat":
        wide = s.write("either", {**config, "dim": -1}, [x, y])
        back: Config = {"op": "linear", "out_features": argument(x.width)}
        return s.give(s.write("back", back, Value(wide, ())), x.shape)
    if op == "group":
        del config["op"]
        a = s.new("a")
        inside: Config = {a: {"op": "linear", "out_features": argument(x.width)}}
        inside[s.new("b")] = {"op": "add", "in": [a, y.name]}
        if "." in y.name:
            return combine(s, x)
        return s.give(s.write("either", {**config, "layers": inside}, x), x.shape)
    return s.give(s.write("either", config, [x, y]), x.shape)


def in_copies(s: Scope, x: Value) -> Value:
    """A repeated group whose layers, and numbers of copies, depend on the number of its copy."""
    test = s.pick(["i > 0", "i % 2 == 0", "i < 1", "i == 1", f"i > 0 and {s.flag()}"])
    layers: Config = {
        "a": {"op": "linear", "out_features": argument(x.width)},
        "b": {"op": s.pick([*KEEPS, "layer_norm"]), "when": test},
    }
    last = "b"
    if s.chance(0.6):
        count = s.pick(["i", "i + 1", "2 - i if i < 2 else 1", "2"])
        layers["c"] = {
            "op": "linear",
            "out_features": argument(x.width),
            "repeat": argument(count),
        }
        last = "c"
    if s.chance(0.3):
        layers["d"] = {"op": "dropout", "p": "0.1 * i if i < 5 else 0.5"}
        last = "d"
    if "." not in x.name and s.chance(0.5):
        more: Config = {"when": "i > 0", "else": "a"} if s.chance(0.3) else {}
        layers["e"] = {"op": "add", "in": [last, x.name], **more}
    config = {"layers": layers, "repeat": argument(s.count())}
    return s.give(s.write("copies", config, x), x.shape)


def listed(s: Scope, x: Value) -> Value:
    """As many layers as a list has items, each of its own width."""
    if s.depth or s.plain:
        return keep(s, x)
    width = s.pick(["widths[i]", "widths[i] + i", "2 * widths[i]"])
    config: Config = {"op": "linear", "out_features": width}
    name = s.write("tower", {**config, "repeat": "len(widths)"}, x)
    back: Config = {"op": "linear", "out_features": argument(x.width)}
    return s.give(s.write("back", back, Value(name, ())), x.shape)


def two_states(s: Scope, x: Value) -> Value:
    """Copies of a block with two states and an output beside them."""
    name = s.new("States")
    s.blocks[name] = {
        "inputs": {"x": "float[..., D]", "h": "float[..., D]"},
        "layers": {
            "a": {"op": "linear", "out_features": "D", "in": "h"},
            "b": {"op": "add", "in": ["x", "a"]},
            "c": {"op": s.pick(KEEPS), "in": s.pick(["a", "b"])},
        },
        "outputs": s.pick(
            [
                {"x": "b", "h": "c"},
                {"h": "c", "x": "b"},
                {"x": "b", "h": "c", "y": "a"},
                {"y": "a", "h": "c"},
                {"y": "c", "z": "a"},
            ]
        ),
    }
    ports = [*s.blocks[name]["outputs"]]
    config: Config = {"op": name}
    repeat: Config = {"count": argument(s.count())}
    if s.chance(0.3):
        repeat["share"] = True
    if s.chance(0.4):
        repeat["stack"] = {"every": s.pick(ports)}
    if s.chance(0.8):
        config["repeat"] = repeat
    layer = s.write("states", config, {"x": x, "h": s.like(x)})
    if "repeat" in config and "stack" in repeat:
        mean: Config = {"op": "mean", "dim": 0}
        s.give(s.write("mean", mean, Value(f"{layer}.every", ())), x.shape)
    found = [s.give(f"{layer}.{port}", x.shape) for port in ports]
    return s.pick(found)


def shared_block(s: Scope, x: Value) -> Value:
    """A block of before with the same weights."""
    fits = [name for name, shape in s.runs if shape == x.shape]
    if not fits:
        return keep(s, x)
    return s.give(s.write("once_more", {"share": s.pick(fits)}, x), x.shape)


def deep_tie(s: Scope, x: Value) -> Value:
    """A tensor tied to one inside a block, a group, a list or a copy."""
    linear: Config = {"op": "linear", "out_features": argument(x.width)}
    how = s.pick(["block", "copies", "group", "list", "list copies"])
    layers: Config = {"proj": linear, "act": {"op": s.pick(KEEPS)}}
    path = "proj"
    config: Config = {"layers": layers}
    if how in ("block", "copies"):
        name = s.new("Held")
        inside = {"proj": {"op": "linear", "out_features": "D"}, "act": "tanh"}
        s.blocks[name] = {"inputs": {"x": "float[..., D]"}, "layers": inside}
        config = {"op": name}
    elif how.startswith("list"):
        config, path = {"layers": [linear, s.pick(KEEPS)]}, "0"
    if "copies" in how:
        config["repeat"], path = 2, f"1.{path}"
    origin = s.write("origin", config, x)
    tie: Config = {"weight": f"{origin}.{path}.weight"}
    if s.chance(0.4):
        tie["bias"] = f"{origin}.{path}.bias"
    if s.flags and s.chance(0.4):
        tie["when"] = s.flag()
    tied = {**linear, "tie": tie}
    if s.chance(0.2):
        tied["repeat"] = 2
    return s.give(s.write("tied", tied, Value(origin, x.shape)), x.shape)


def nested_list(s: Scope, x: Value) -> Value:
    """A list of layers with lists, groups and blocks in it."""
    config: Config = {"layers": [_item(s, x, 0) for _ in range(s.pick([1, 2, 3]))]}
    if s.chance(0.3):
        config["repeat"] = argument(s.count())
    elif s.chance(0.3):
        config["when"] = s.flag()
    return s.give(s.write("list", config, x), x.shape)


def _item(s: Scope, x: Value, depth: int) -> Any:
    linear: Config = {"op": "linear", "out_features": argument(x.width)}
    plain = [
        s.pick(KEEPS),
        linear,
        {**linear, "when": s.flag()},
        {**linear, "repeat": argument(s.count())},
        {"op": "dropout", "p": 0.5},
        {"op": "layer_norm"},
    ]
    if depth > 1 or s.chance(0.5):
        return s.pick(plain)
    if s.chance(0.3):
        fits = [k for k in s.kinds if not k.params and not k.optional]
        fits = [k for k in fits if k.rank in (0, len(x.shape))]
        fits = [k for k in fits if next(iter(k.outputs.values())) == k.dims]
        if fits:
            return {"op": s.pick(fits).name}
    inner: Config = {"layers": [_item(s, x, depth + 1) for _ in range(s.pick([1, 2]))]}
    if s.chance(0.4):
        inner["repeat"] = argument(s.count())
    elif s.chance(0.4):
        inner["when"] = s.flag()
    if s.chance(0.3):
        inner["layers"] = {"first": linear, "second": {"op": s.pick(KEEPS)}}
    return inner


def embedded(s: Scope, x: Value) -> Value:
    """Tokens, and positions, added to what there is."""
    if len(x.shape) != 3 or x.shape[1] not in s.symbols:
        return keep(s, x)
    tokens = [v for v in s.values if v.kind == "int" and v.shape == x.shape[:2]]
    config: Config = {"op": "position_embedding", "num_embeddings": 64}
    given = x
    if tokens and s.chance(0.7):
        config = {"op": "embedding", "num_embeddings": s.pick([7, "vocab"])}
        given = s.pick(tokens)
    elif s.symbols != ["B", "T"]:  # the positions of a block have no end
        return keep(s, x)
    config["embedding_dim"] = argument(x.width)
    table = s.write("table", config, given)
    if config["op"] == "embedding" and s.chance(0.4):
        head: Config = {
            "op": "linear",
            "out_features": config["num_embeddings"],
            "tie": {"weight": f"{table}.weight"},
        }
        logits = s.write("logits", head, x)
        s.give(logits, (*x.shape[:-1], str(config["num_embeddings"])))
    return s.give(s.write("embedded", {"op": "add"}, [x, Value(table, ())]), x.shape)


def richer_scan(s: Scope, x: Value) -> Value:
    """A cell with an input that each step has whole, and a state that begins as a value."""
    if len(x.shape) != 3 or x.shape[1] not in s.symbols:
        return keep(s, x)
    vectors = [v for v in s.values if len(v.shape) == 2 and v.shape[0] == x.shape[0]]
    vectors = [v for v in vectors if v.kind == "float"]
    name, hidden = s.new("Cell"), s.number()
    inputs = {"x": "float[N, D]", "h": "float[N, hidden]"}
    layers: Config = {"cell": {"op": "gru_cell", "hidden_size": "hidden"}}
    seen: Any = "x"
    given = {"x": x}
    if vectors and s.chance(0.6):
        inputs["c"] = f"float[N, C]{s.pick(['', '?'])}"
        if inputs["c"].endswith("?"):
            layers = {"mix": {"op": "identity", "in": "x"}, **layers}
        else:
            layers = {"mix": {"op": "concat", "dim": -1, "in": ["x", "c"]}, **layers}
        seen = "mix"
        given["c"] = s.pick(vectors)
    layers["cell"]["in"] = [seen, "h"]
    layers["read"] = {"op": "linear", "out_features": "D", "in": "cell"}
    s.blocks[name] = {
        "params": {"hidden": "int"},
        "inputs": inputs,
        "layers": layers,
        "outputs": s.pick([{"h": "cell", "y": "read"}, {"y": "read", "h": "cell"}]),
    }
    start = f"{s.pick(['zeros', 'ones'])}[{x.shape[0]}, {hidden}]"
    if vectors and s.chance(0.5):
        config: Config = {"op": "linear", "out_features": argument(hidden)}
        start = s.write("start", config, s.pick(vectors))
    config = {"op": name, "hidden": argument(hidden), "scan": x.shape[1]}
    config["carry"] = {"h": start}
    if s.chance(0.3):
        config["reverse"] = True
    layer = s.write("run", config, given)
    s.give(f"{layer}.h", (x.shape[0], hidden))
    return s.give(f"{layer}.y", x.shape)


def around(s: Scope, x: Value) -> Value:
    """A block that takes two types of layer, one of them with an argument; one may be a block."""
    name = s.new("Around")
    s.blocks[name] = {
        "params": {"inner": "op", "norm": "op", "eps": 1e-5},
        "inputs": {"x": "float[..., D]"},
        "layers": {
            "norm": {"op": "$norm", "eps": "eps"},
            "inner": "$inner",
            "sum": {"op": "add", "in": ["x", "inner"]},
        },
    }
    held = [k.name for k in s.kinds if not k.params and not k.optional and not k.rank]
    config: Config = {
        "op": name,
        "inner": s.pick([*KEEPS, *(k for k in held if _keeps(s, k))]),
        "norm": s.pick(["layer_norm", "rms_norm"]),
    }
    if s.chance(0.4):
        config["eps"] = 1e-3
    if s.chance(0.4):
        config["repeat"] = argument(s.count())
    return s.give(s.write("around", config, x), x.shape)


def _keeps(s: Scope, name: str) -> bool:
    kind = next(k for k in s.kinds if k.name == name)
    return len(kind.outputs) == 1 and next(iter(kind.outputs.values())) == kind.dims


def derived(s: Scope, x: Value) -> Value:
    """A block with params of all types, some computed from others, of which a use gives a few."""
    name = s.new("Derived")
    s.blocks[name] = {
        "params": {
            "ratio": {"type": "int", "default": 2, "min": 1, "max": 8},
            "hidden": s.pick(["ratio * D", "max(D, 4) + ratio"]),
            "bias": s.pick(["D > 5", True, "hidden % 2 == 0"]),
            "kind": {"type": "str", "default": "none", "choices": ["none", "tanh"]},
            "extra": s.pick([True, "D > 4"]),
            "sizes": s.pick([["hidden", "D"], ["D", 3], [4]]),
            "p": 0.1,
        },
        "inputs": {"x": "float[..., D]"},
        "layers": {
            "up": {"op": "linear", "out_features": "hidden", "bias": "bias"},
            "act": {"op": "gelu", "approximate": "$kind"},
            "drop": {"op": "dropout", "p": "p / 2"},
            "more": {
                "op": "linear",
                "out_features": "sizes[i]",
                "repeat": "len(sizes)",
            },
            "down": {"op": "linear", "out_features": "D", "bias": "not bias"},
            "maybe": {"op": "layer_norm", "when": "extra"},
        },
    }
    config: Config = {"op": name}
    if s.chance(0.4):
        config["ratio"] = s.pick([1, 3])
    if s.chance(0.3):
        config["hidden"] = argument(s.number())
    if s.chance(0.3):
        config["bias"] = s.flag()
    if s.chance(0.3):
        config["kind"] = "tanh"
    if s.chance(0.3):
        config["sizes"] = s.pick([[3], [5, 6, 7], [argument(s.number()), 4]])
    if s.chance(0.3):
        config["repeat"] = argument(s.count())
    return s.give(s.write("derived", config, x), x.shape)


def heads(s: Scope, x: Value) -> Value:
    """The last dimension split, and put together again."""
    if len(x.shape) != 3 or x.shape[1] not in s.symbols:
        return keep(s, x)
    n = s.pick([1, 2])
    apart = s.write(
        "apart",
        {"op": "rearrange", "pattern": "b t (h d) -> b h t d", "sizes": {"h": n}},
        x,
    )
    value = Value(apart, ())
    if s.chance(0.5):
        value = Value(s.write("act", {"op": s.pick(KEEPS)}, value), ())
    if s.chance(0.5):
        score: Config = {"op": "einsum", "equation": "b h t d, b h s d -> b h t s"}
        value = Value(s.write("score", score, [value, value]), ())
        mixed: Config = {"op": "einsum", "equation": "b h t s, b h s d -> b h t d"}
        value = Value(s.write("mixed", mixed, [value, Value(apart, ())]), ())
    back: Config = {"op": "rearrange", "pattern": "b h t d -> b t (h d)"}
    return s.give(s.write("joined", back, value), x.shape)


def masked_deep(s: Scope, x: Value) -> Value:
    """An optional input that goes through two blocks, in copies."""
    if len(x.shape) != 3:
        return keep(s, x)
    inner, outer = s.new("Inner"), s.new("Outer")
    ports = {"x": "float[N, L, D]", "mask": "bool[N, L]?"}
    heads_: Config = {"op": "multihead_attention", "num_heads": 1}
    heads_["in"] = {
        "query": "x",
        "key": "x",
        "value": "x",
        "key_padding_mask": "mask",
    }
    plain: Config = {"op": "attention", "num_heads": 1}
    plain["in"] = {"query": "x", "key": "x", "value": "x", "mask": "mask"}
    s.blocks[inner] = {
        "inputs": ports,
        "layers": {
            "a": s.pick([plain, heads_]),
            "sum": {"op": "add", "in": ["x", "a"]},
        },
    }
    use: Config = {"op": inner, "in": {"x": "x", "mask": "mask"}}
    if s.chance(0.6):
        use["repeat"] = 2
    s.blocks[outer] = {
        "params": {"deep": True},
        "inputs": ports,
        "layers": {
            "many": use,
            "one": {"op": inner, "in": "many", "when": "deep"},
        },
    }
    optional: Any = {"mask": (("N", "L"), "bool")}
    dims = ("N", "L", "D")
    kind = BlockKind(outer, dims, {"deep": "flag"}, {"output": dims}, optional, 3)
    s.kinds.append(kind)
    return _use(s, kind, x, keeps=True)


def image_body(s: Scope, x: Value) -> Value:
    """Convolutions over an image, to a vector."""
    images = [v for v in s.values if v.kind == "image"]
    if not images or s.depth or s.plain:
        return keep(s, x)
    name, image = s.new("Conv"), s.pick(images)
    conv: Config = {"op": "conv2d", "out_channels": "width", "kernel_size": 3}
    s.blocks[name] = {
        "params": {"width": "int", "stride": 1},
        "inputs": {"x": "float[N, C, H, W]"},
        "layers": {
            "conv": {**conv, "stride": "stride", "padding": 1},
            "norm": {"op": s.pick(["batch_norm2d", "instance_norm2d", "identity"])},
            "act": {"op": s.pick(["relu", "silu"])},
            "short": {
                **conv,
                "kernel_size": 1,
                "stride": "stride",
                "when": "stride != 1 or C != width",
                "in": "x",
            },
            "sum": {"op": "add", "in": ["act", "short"]},
        },
    }
    width = s.number()
    first: Config = {"op": name, "width": argument(width), "stride": s.pick([1, 2])}
    value = Value(s.write("image", first, image), ())
    if s.chance(0.5):
        more: Config = {"op": name, "width": argument(s.number())}
        more["stride"] = s.pick(["2 if i == 0 else 1", 1, 2])
        more["repeat"] = s.pick(["n", 2])
        value = Value(s.write("image", more, value), ())
    if s.chance(0.4):
        value = Value(s.write("image", _levels(s), value), ())
    pool: Config = s.pick(
        [{"op": "adaptive_avg_pool2d", "output_size": 1}, {"op": "mean", "dim": [2, 3]}]
    )
    value = Value(s.write("pool", dict(pool), value), ())
    if "output_size" in pool:
        value = Value(s.write("flat", {"op": "flatten"}, value), ())
    last: Config = {"op": "linear", "out_features": argument(x.width)}
    return s.give(s.write("vector", last, value), (image.shape[0], x.width))


def _levels(s: Scope) -> Config:
    """A use of a U-Net of one block."""
    name = s.new("Unet")
    down: Config = s.pick(
        [
            {"op": "avg_pool2d", "kernel_size": 2},
            {"op": "conv2d", "out_channels": "C", "kernel_size": 2, "stride": 2},
        ]
    )
    joint = s.pick(["add", "concat"])
    inside: Config = {
        "down": down,
        "level": {"op": name, "depth": "depth - 1"},
        "up": {"op": "interpolate", "scale_factor": 2},
        "sum": {"op": joint, "in": ["conv", "up"]},
    }
    if joint == "concat":
        inside["sum"]["dim"] = 1
        inside["back"] = {"op": "conv2d", "out_channels": "C", "kernel_size": 1}
    s.blocks[name] = {
        "params": {"depth": "int"},
        "inputs": {"x": "float[N, C, H, W]"},
        "layers": {
            "conv": {"op": "conv2d", "out_channels": "C", "kernel_size": 1},
            "below": {"when": "depth > 0", "layers": inside},
        },
    }
    return {"op": name, "depth": s.pick([0, 1, "n"])}


def plain_group(s: Scope, x: Value) -> Value:
    """A group with outputs of its own, of which any may be read."""
    if s.depth > 1 or "." in x.name:
        return keep(s, x)
    inner = _body(
        s, x, numbers=s.numbers, flags=s.flags, counts=s.counts, symbols=s.symbols
    )
    inner.plain = True
    go_on(inner, s.pick([2, 3]))
    made = [v for v in inner.values[1:] if v.kind == "float" and v.shape == x.shape]
    if len(made) < 2 or not inner.layers:
        return keep(s, x)
    first, second = s.rng.sample(made, 2)
    outputs = {"p": first.name, "q": second.name}
    config: Config = {"layers": inner.layers, "outputs": outputs}
    layer = s.write("parts", config, x)
    s.give(f"{layer}.q", x.shape)
    return s.give(s.pick([layer, f"{layer}.p"]), x.shape)


RICHER: tuple[Move, ...] = (
    otherwise,
    otherwise,
    in_copies,
    in_copies,
    listed,
    two_states,
    two_states,
    shared_block,
    shared_block,
    deep_tie,
    nested_list,
    nested_list,
    embedded,
    richer_scan,
    around,
    derived,
    heads,
    masked_deep,
    image_body,
    image_body,
    plain_group,
)
