"""Graphs that run for some sizes only, or for none: refused, and the message says for which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.op.op import Op
from compiler.op.registry import ops
from runtime.verify import verify
from tests.properties.judging import advised, compiled, declared, errors, with_dims

UNET = Path(__file__).parents[2] / "specs" / "unet.yaml"


def refused(text: str) -> Diagnostic:
    """The one thing that is wrong with a spec."""
    (found,) = errors(compiled(text))
    return found


def net(inputs: str, layers: str, blocks: str = "") -> str:
    """A spec of lines, each a layer."""
    parts = [f"name: Net\ninputs:{_lines(inputs)}\nlayers:{_lines(layers)}"]
    return "\n".join([*parts, *([f"blocks:{_lines(blocks)}"] if blocks else [])])


def _lines(text: str) -> str:
    return "".join(f"\n  {line}" for line in text.strip().splitlines())


def test_sum_with_a_convolution_of_stride_2() -> None:
    found = refused(
        net(
            "x: float[B, 8, H, W]",
            """
down: {op: conv2d, out_channels: 8, kernel_size: 3, stride: 2, padding: 1}
sum: {op: add, in: [x, down]}""",
        )
    )
    assert found.code == "shape-mismatch"
    assert found.label == (
        "x is float[B, 8, H, W], down is float[B, 8, (H + 1) // 2, (W + 1) // 2]"
    )
    assert found.help == "holds when H == 1 and W == 1"


def test_unet_of_any_size() -> None:
    text = re.sub(r"dims:\n(  .*\n)+", "", UNET.read_text(encoding="utf-8"))
    found = [one for one in errors(compiled(text)) if one.code == "shape-mismatch"]
    assert len(found) == 1 and found[0].help == (
        "holds when H is a multiple of 16 and W is a multiple of 16; if that is "
        "always so, declare dims: {H: {multiple_of: 16}, W: {multiple_of: 16}}"
    )
    assert all(map(advised, errors(compiled(text))))
    dims = declared(errors(compiled(text)), {})
    assert verify(compiled(with_dims(text, dims))).problems == ()


def test_unet_of_multiples_that_are_too_small() -> None:
    text = UNET.read_text(encoding="utf-8").replace("of: 16", "of: 8")
    (found,) = (o for o in errors(compiled(text)) if o.code == "shape-mismatch")
    assert "H is a multiple of 16" in found.help


def test_linear_over_a_flat_image() -> None:
    layers = "flat: flatten\nhead: {op: linear, out_features: 10}"
    found = refused(net("image: float[B, 3, H, W]", layers))
    assert (found.code, found.path) == ("symbolic-weight", "Net.head")
    assert found.message == (
        "in_features would be 3 * H * W: weights cannot depend on H and W, which are "
        "only known when the network runs"
    )
    assert "adaptive pooling" in found.help


@pytest.mark.parametrize("op", ["add", "mul", "sub", "maximum"])
def test_different_symbols_do_not_broadcast(op: str) -> None:
    inputs = "x: float[B, 8]\ny: float[T, 8]"
    found = refused(net(inputs, f"sum: {{op: {op}, in: [x, y]}}"))
    assert (found.code, found.help) == ("shape-mismatch", "holds when B == T")


@pytest.mark.parametrize(
    ("op", "inputs"),
    [
        ("{op: concat, dim: -1}", "x: float[B, T, 8]\ny: float[B, S, 4]"),
        ("{op: stack, dim: 0}", "x: float[B, T]\ny: float[B, S]"),
        ("matmul", "x: float[B, 4, T]\ny: float[B, S, 4]"),
        ("{op: einsum, equation: 'b t, b t -> b'}", "x: float[B, T]\ny: float[B, S]"),
    ],
)
def test_inputs_of_different_symbols(op: str, inputs: str) -> None:
    layer = op if op.startswith("{") else f"{{op: {op}}}"
    found = refused(net(inputs, f"joined: {layer[:-1]}, in: [x, y]}}"))
    assert (found.code, found.help) == ("shape-mismatch", "holds when S == T")


def test_kernel_that_may_not_fit() -> None:
    layers = "conv: {op: conv2d, out_channels: 8, kernel_size: 5}"
    text = "dims: {H: {min: 4}}\n" + net("x: float[B, 8, H, W]", layers)
    found = refused(text)
    assert found.code == "size-too-small"
    assert found.message == "the padded input is H, which can be smaller than 5"
    assert found.help == (
        "holds when H >= 5 and W >= 5; if that is always so, declare dims: "
        "{H: {min: 5}, W: {min: 5}}"
    )
    fits = declared([found], {"H": {"min": 4}})
    assert verify(compiled(with_dims(text, fits))).problems == ()


@pytest.mark.parametrize(
    ("left", "right", "holds"),
    [
        ("kernel_size: 3, stride: 2, padding: 1", "kernel_size: 1, stride: 2", True),
        ("kernel_size: 4, stride: 2, padding: 1", "kernel_size: 1, stride: 2", False),
        ("kernel_size: 5, stride: 4, padding: 2", "kernel_size: 1, stride: 4", True),
        ("kernel_size: 3, stride: 3, padding: 1", "kernel_size: 1, stride: 3", True),
        ("kernel_size: 2, stride: 2", "kernel_size: 3, stride: 2, padding: 1", False),
    ],
)
def test_floors_are_compared_over_the_residues(
    left: str, right: str, holds: bool
) -> None:
    layers = f"""
a: {{op: conv1d, out_channels: 8, {left}, in: x}}
b: {{op: conv1d, out_channels: 8, {right}, in: x}}
sum: {{op: add, in: [a, b]}}"""
    text = "dims: {T: {min: 8}}\n" + net("x: float[B, 8, T]", layers)
    program = compiled(text)
    assert bool(errors(program)) != holds
    assert not holds or verify(program).problems == ()


def test_halving_twice_is_a_quarter() -> None:
    layers = """
half: {op: conv1d, out_channels: 8, kernel_size: 2, stride: 2, in: x}
quarter: {op: avg_pool1d, kernel_size: 2}
at_once: {op: max_pool1d, kernel_size: 4, in: x}
sum: {op: add, in: [quarter, at_once]}""".replace("half", "halved")
    text = "dims: {T: {min: 4}}\n" + net("x: float[B, 8, T]", layers)
    assert verify(compiled(text)).problems == ()


def test_state_that_grows() -> None:
    block = """
Cell:
  inputs:
    x: float[N, D]
    h: float[N, S]
  layers:
    joined: {op: concat, dim: -1, in: [x, h]}
  outputs: {h: joined, y: x}"""
    layers = 'run: {op: Cell, scan: T, carry: {h: "zeros[B, 8]"}}'
    found = refused(net("x: float[B, T, 8]", layers, block))
    assert found.code == "carry-mismatch"
    assert found.message == (
        "the state h is float[B, 8] before a step and float[B, 16] after it"
    )


def test_repeat_that_changes_the_type() -> None:
    block = """
Pool:
  inputs:
    x: float[N, L, D]
  layers:
    mean: {op: mean, dim: 1}"""
    found = refused(net("x: float[B, T, 8]", "pools: {op: Pool, repeat: 2}", block))
    assert found.code == "repeat-mismatch"
    assert found.label == "in copy 1, x is float[B, 8]"


def test_copies_that_share_weights_that_do_not_fit() -> None:
    layers = "narrow: {op: linear, out_features: 4, repeat: {count: 2, share: true}}"
    found = refused(net("x: float[B, 8]", layers))
    assert found.code == "bad-share"
    assert found.message.startswith("copy 1 of narrow would need weights of other")


def test_copies_that_share_weights_have_one_set_of_arguments() -> None:
    layers = "drop: {op: dropout, p: i / 4, repeat: {count: 2, share: true}}"
    with pytest.raises(SpecError) as raised:
        compiled(net("x: float[B, 8]", layers))
    (found,) = raised.value.diagnostics
    assert found.code == "bad-share" and "cannot depend on i" in found.help


def test_copies_that_share_weights_may_change_their_shape() -> None:
    layers = (
        "down: {op: conv1d, out_channels: 8, kernel_size: 3, padding: 1, stride: 2, "
        "repeat: {count: 3, share: true}}"
    )
    assert verify(compiled(net("x: float[B, 8, T]", layers))).problems == ()


def test_shared_norm_without_weights_still_has_a_shape() -> None:
    layers = """
norm: {op: layer_norm, elementwise_affine: false, in: x}
again: {share: norm, in: y}"""
    found = refused(net("x: float[B, 8]\ny: float[B, 4]", layers))
    assert found.code == "bad-share"


CONV = "out_channels: 4, kernel_size: 1"
WEIGHTED = {
    **{f"batch_norm{n}d": ("float[B, C" + ", 8" * n + "]", "") for n in (1, 2, 3)},
    "bilinear": ("float[B, C]", "out_features: 4, in: [x, x]"),
    **{f"conv{n}d": ("float[B, C" + ", 8" * n + "]", CONV) for n in (1, 2, 3)},
    **{
        f"conv_transpose{n}d": ("float[B, C" + ", 8" * n + "]", CONV) for n in (1, 2, 3)
    },
    "adaptive_log_softmax_with_loss": (
        "float[B, C]",
        "n_classes: 8, cutoffs: [4], log_prob: true",
    ),
    "embedding": ("int[B, C]", "num_embeddings: C, embedding_dim: 4"),
    "embedding_bag": ("int[B, C]", "num_embeddings: C, embedding_dim: 4"),
    "deform_conv2d": ("float[B, C, 8, 8]", f"{CONV}, in: [x, x]"),
    "masked_conv2d": ("float[B, C, 8, 8]", f"mask_type: A, {CONV}"),
    "relative_position_bias": ("float[B, 8, C]", "num_heads: C"),
    "sync_batch_norm": ("float[B, C, 8]", ""),
    "transformer": ("float[B, 8, C]", "nhead: 1, in: [x, x]"),
    "transformer_decoder": ("float[B, 8, C]", "nhead: 1, num_layers: 1, in: [x, x]"),
    "transformer_decoder_layer": ("float[B, 8, C]", "nhead: 1, in: [x, x]"),
    "transformer_encoder": ("float[B, 8, C]", "nhead: 1, num_layers: 1"),
    "transformer_encoder_layer": ("float[B, 8, C]", "nhead: 1"),
    "window_position_bias": ("float[B, C]", "num_heads: C, height: 2, width: 2"),
    "group_norm": ("float[B, C, 8]", "num_groups: 1"),
    "instance_norm1d": ("float[B, C, 8]", "affine: true"),
    "instance_norm2d": ("float[B, C, 8, 8]", "track_running_stats: true"),
    "instance_norm3d": ("float[B, C, 8, 8, 8]", ""),
    "layer_norm": ("float[B, C]", ""),
    "linear": ("float[B, C]", "out_features: 4"),
    "multihead_attention": ("float[B, 8, C]", "num_heads: 1"),
    "buffer": ("float[B, C]", "shape: [1, C]"),
    "parameter": ("float[B, C]", "shape: [1, C]"),
    "position_embedding": ("int[B, C]", "num_embeddings: 8, embedding_dim: C"),
    "prelu": ("float[B, C]", "num_parameters: C"),
    "rms_norm": ("float[B, C]", ""),
    "sinusoidal_encoding": ("float[B, 8, C]", ""),
    **{
        name: (f"float[B, {steps}C]", "hidden_size: 4")
        for kind in ("gru", "lstm", "rnn")
        for name, steps in ((kind, "8, "), (f"{kind}_cell", ""))
    },
}
"""For each op with weights, or sizes fixed when it is built: an input and arguments that make one C."""


@pytest.mark.parametrize("op", WEIGHTED)
def test_weights_never_depend_on_a_symbol(op: str) -> None:
    kind, arguments = WEIGHTED[op]
    layer = f"{{op: {op}{', ' if arguments else ''}{arguments}}}"
    text = net(f"x: {kind}", f"layer: {layer}\nsum: {{op: add, in: [layer, layer]}}")
    dims = "dims: {C: {min: 2, max: 8, multiple_of: 2}}\n"
    found = errors(compiled(dims + text))
    assert {one.code for one in found} <= {"symbolic-weight", "not-constant"}
    assert found and " C" in found[0].message


def test_every_op_with_weights_is_asked() -> None:
    fixed = ("weights", "buffers", "inferred")
    assert WEIGHTED.keys() == {
        name
        for name, op in ops().items()
        if any(getattr(op, rule) is not getattr(Op, rule) for rule in fixed)
    }
