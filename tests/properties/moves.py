"""Layers that a random graph may go on with. Each takes values of the scope and adds values to it."""

from __future__ import annotations

from collections.abc import Callable

from tests.properties.sketch import Config, Shareable, Sketch, Value, number

Move = Callable[[Sketch, Value], object]
ACTS = ("relu", "gelu", "tanh", "sigmoid", "silu")


def act(s: Sketch, x: Value) -> Value:
    return s.then(x, s.pick(*ACTS))


def norm(s: Sketch, x: Value) -> Value:
    return s.then(x, s.pick("layer_norm", "rms_norm"))


def drop(s: Sketch, x: Value) -> Value:
    return s.then(x, "dropout", p=0.1)


def linear(s: Sketch, x: Value) -> Value:
    width = s.width()
    name = s.write("linear", {"op": "linear", "out_features": width}, [x])
    s.shareable.append(Shareable(name, x.family, x.width, str(width)))
    return s.give(x, name=name, width=str(width))


def again(s: Sketch, x: Value) -> Value:
    fits = [o for o in s.shareable if (o.family, o.width) == (x.family, x.width)]
    if not fits:
        return linear(s, x)
    layer = s.pick(*fits)
    name = s.write("again", {"share": layer.name}, [x])
    return s.give(x, name=name, width=layer.gives)


def combine(s: Sketch, x: Value) -> Value:
    op = s.pick("add", "add", "mul", "sub", "maximum")
    others = [s.like(x)] if op in ("sub", "maximum") else [s.like(x), s.like(x)]
    name = s.write(op, {"op": op}, [x, *others[: s.pick(1, 2)]])
    return s.give(x, name=name)


def beside(s: Sketch, x: Value) -> Value:
    """Concatenation of the widths, which may differ."""
    family = [o for o in s.of(x.family) if o.length == x.length or s.seldom()]
    other = s.pick(*family, x)
    axis = 1 if x.family == "image" else -1
    name = s.write("concat", {"op": "concat", "dim": axis}, [x, other])
    return s.give(x, name=name, width=f"{x.width} and {other.width}")


def after(s: Sketch, x: Value) -> Value:
    """Concatenation in time, of values of one width."""
    other = s.pick(*(o for o in s.of("seq") if o.width == x.width or s.seldom()), x)
    name = s.write("concat", {"op": "concat", "dim": 1}, [x, other])
    return s.give(x, name=name, length=f"{x.length} then {other.length}")


def halves(s: Sketch, x: Value) -> Value:
    name = s.write("chunk", {"op": "chunk", "chunks": 2, "dim": -1}, [x])
    for k in (0, 1):
        half = s.give(x, name=f"{name}.{k}", width=f"half of {x.width}")
    return half


def recurrent(s: Sketch, x: Value) -> Value:
    width, op = s.width(), s.pick("gru", "lstm", "rnn")
    config: Config = {"op": op, "hidden_size": width}
    if both := s.seldom():
        config["bidirectional"] = True
    name = s.write(op, config, [x])
    gives = f"both of {width}" if both else str(width)
    return s.give(x, name=f"{name}.output", width=gives)


def self_attention(s: Sketch, x: Value) -> Value:
    op = s.pick("multihead_attention", "attention")
    config: Config = {"op": op, "num_heads": s.pick(1, 2, 4, 4)}
    if s.flip():
        config["is_causal"] = True
    inputs = {"query": x, "key": x, "value": x}
    masks = [o for o in s.of("mask") if o.length == x.length]
    if op == "attention" and masks and s.flip():
        inputs["mask"] = s.pick(*masks)
    name = s.write(op, config, inputs)
    return s.give(x, name=name)


def cross_attention(s: Sketch, x: Value) -> Value:
    memory = s.pick(*(o for o in s.of("seq") if o.width == x.width or s.seldom()), x)
    config = {"op": "attention", "num_heads": s.pick(1, 2)}
    name = s.write("cross", config, {"query": x, "key": memory, "value": memory})
    return s.give(x, name=name)


def pooled(s: Sketch, x: Value) -> Value:
    config = s.pick(
        {"op": "mean", "dim": 1},
        {"op": "max", "dim": 1},
        {"op": "index", "dim": 1, "index": 0},
        {"op": "index", "dim": 1, "index": -1},
    )
    name = s.write("pooled", {**config}, [x])
    return s.give(x, name=name, family="vec", length="")


def shifted(s: Sketch, x: Value) -> Value:
    """All steps but one, which may leave none."""
    config = s.pick({"start": 1}, {"stop": -1})
    name = s.write("slice", {"op": "slice", "dim": 1, **config}, [x])
    return s.give(x, name=name, length=f"{x.length} less 1")


def over_time(s: Sketch, x: Value) -> Value:
    """A convolution along T: padded to keep it, to halve it, or not at all."""
    width, kernel = s.width(), s.pick(1, 3, 3)
    config: Config = {"op": "conv1d", "out_channels": width, "kernel_size": kernel}
    length = x.length
    if kernel == 3 and not s.seldom():
        config["padding"] = 1
    elif kernel == 3:
        length = f"{length} less 2"
    if s.pick(False, False, True):
        config["stride"], length = 2, f"half of {length}"
    swap = {"op": "transpose", "dim0": 1, "dim1": 2}
    first = s.write("swap", swap, [x])
    conv = s.write("conv", config, [Value(first, "")])
    name = s.write("back", {**swap}, [Value(conv, "")])
    return s.give(x, name=name, width=str(width), length=length)


def stretched(s: Sketch, x: Value) -> Value:
    """Twice as long; what was halved is taken to be as long as it was, which holds for some lengths."""
    swap = {"op": "transpose", "dim0": 1, "dim1": 2}
    first = s.write("swap", swap, [x])
    config = {"op": "interpolate", "scale_factor": 2}
    wide = s.write("wide", config, [Value(first, "")])
    name = s.write("back", {**swap}, [Value(wide, "")])
    halved = x.length.removeprefix("half of ")
    length = halved if halved != x.length else f"twice {x.length}"
    return s.give(x, name=name, length=length)


def flat(s: Sketch, x: Value) -> Value:
    """Its width is mostly symbolic, and no layer with weights takes it."""
    name = s.write("flatten", {"op": "flatten"}, [x])
    return s.give(x, name=name, family="vec", width=f"all of {x.name}", length="")


def embedded(s: Sketch, x: Value) -> Value:
    width = s.width()
    config = {"op": "embedding", "num_embeddings": 11, "embedding_dim": width}
    name = s.write("embedding", config, [x])
    return s.give(x, name=name, family="seq", width=str(width))


def mask(s: Sketch, x: Value) -> Value:
    name = s.write("mask", {"op": "padding_mask", "padding_idx": 0}, [x])
    return s.give(x, name=name, family="mask")


def positions(s: Sketch, x: Value) -> Value:
    config: Config = {"op": "position_embedding", "num_embeddings": 16}
    if x.family == "seq" and s.flip():
        config = {"op": "sinusoidal_encoding"}
    else:
        config["embedding_dim"] = number(x.width) if " " not in x.width else 8
    places = s.write("places", config, [x])
    name = s.write("add", {"op": "add"}, [x, Value(places, "")])
    return s.give(x, name=name)


def conv(s: Sketch, x: Value) -> Value:
    width, kernel, stride = s.width(), s.pick(1, 3, 3, 5), s.pick(1, 1, 2)
    config: Config = {"op": "conv2d", "out_channels": width, "kernel_size": kernel}
    length = x.length
    if kernel > 1 and s.seldom():
        length = f"{length} less {kernel - 1}"
    elif kernel > 1:
        config["padding"] = kernel // 2
    if stride > 1:
        config["stride"], length = stride, f"half of {length}"
    name = s.write("conv", config, [x])
    return s.give(x, name=name, width=str(width), length=length)


def image_norm(s: Sketch, x: Value) -> Value:
    if s.flip():
        return s.then(x, "batch_norm2d")
    return s.then(x, "group_norm", num_groups=s.pick(1, 2))


def down(s: Sketch, x: Value) -> Value:
    op = s.pick("max_pool2d", "avg_pool2d")
    name = s.write("down", {"op": op, "kernel_size": 2}, [x])
    return s.give(x, name=name, length=f"half of {x.length}")


def up(s: Sketch, x: Value) -> Value:
    """Taken to undo a halving, as a U-Net takes it: so it is for even sizes."""
    halved = x.length.removeprefix("half of ")
    length = halved if halved != x.length else f"twice {x.length}"
    if s.flip():
        name = s.write("up", {"op": "interpolate", "scale_factor": 2}, [x])
        return s.give(x, name=name, length=length)
    width = s.width()
    config = {"op": "conv_transpose2d", "out_channels": width}
    name = s.write("up", {**config, "kernel_size": 2, "stride": 2}, [x])
    return s.give(x, name=name, width=str(width), length=length)


def whole_image(s: Sketch, x: Value) -> Value:
    pool = s.write("pool", {"op": "adaptive_avg_pool2d", "output_size": 1}, [x])
    name = s.write("flatten", {"op": "flatten"}, [Value(pool, "")])
    return s.give(x, name=name, family="vec", length="")


def patches(s: Sketch, x: Value) -> Value:
    config = {"op": "rearrange", "pattern": "b c h w -> b (h w) c"}
    name = s.write("patches", config, [x])
    return s.give(x, name=name, family="seq", length=f"area of {x.length}")


EVERYWHERE: tuple[Move, ...] = (act, drop, combine, combine, beside)
FEATURES: tuple[Move, ...] = (linear, linear, again, norm, halves)
MOVES: dict[str, tuple[Move, ...]] = {
    "seq": (
        *EVERYWHERE,
        *FEATURES,
        after,
        recurrent,
        self_attention,
        cross_attention,
        pooled,
        shifted,
        over_time,
        stretched,
        flat,
        positions,
    ),
    "vec": (*EVERYWHERE, *FEATURES),
    "image": (
        *EVERYWHERE,
        conv,
        conv,
        image_norm,
        down,
        up,
        up,
        whole_image,
        patches,
        flat,
    ),
    "tokens": (embedded, mask),
}
ANY_RANK: tuple[Move, ...] = (*EVERYWHERE, *FEATURES)
"""For blocks over `float[..., D]`."""
KEEPS: dict[str, tuple[Move, ...]] = {
    "seq": (act, drop, norm, combine),
    "vec": (act, drop, norm, combine),
    "image": (act, drop, image_norm, combine),
}
"""What leaves the shape as it is."""
