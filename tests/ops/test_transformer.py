"""torch's encoders and decoders, with masks the language's way round."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from compiler.op.errors import OpError
from compiler.op.registry import ops
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, label, one_line, some, type_of
from tests.ops.harness import check, infer, layer, run, tensor

SIZES = st.integers(1, 3)
SETTINGS = some(
    dropout=st.just(0.0),
    activation=st.sampled_from(("relu", "gelu")),
    layer_norm_eps=st.just(1e-3),
    norm_first=st.booleans(),
    bias=st.booleans(),
)
LAYERS = ("transformer_encoder_layer", "transformer_decoder_layer")
STACKS = ("transformer_encoder", "transformer_decoder")
Drawn = tuple[dict[str, Any], dict[str, TensorType]]


def settings(draw: st.DrawFn, op: str) -> dict[str, Any]:
    """The arguments of an op, small."""
    arguments: dict[str, Any] = {"nhead": draw(SIZES), "dim_feedforward": draw(SIZES)}
    arguments |= draw(SETTINGS)
    if op in STACKS:
        arguments |= draw(some(norm=st.booleans())) | {
            "num_layers": draw(st.integers(1, 2))
        }
    if op == "transformer":
        arguments |= {
            "num_encoder_layers": draw(st.integers(1, 2)),
            "num_decoder_layers": 1,
        }
        flags: tuple[str, ...] = ("src_is_causal", "tgt_is_causal")
    else:
        flags = ("is_causal",) if "encoder" in op else ("tgt_is_causal",)
    return arguments | draw(some(**dict.fromkeys(flags, st.booleans())))


@st.composite
def networks(draw: st.DrawFn, op: str) -> Drawn:
    """An op, its sequences, and masks for some of its attentions."""
    arguments, kind = settings(draw, op), ops()[op]
    batch = draw(st.lists(SIZES, max_size=1))
    width = arguments["nhead"] * draw(SIZES)
    lengths: dict[str, int] = {}
    inputs: dict[str, TensorType] = {}
    for one in kind.attentions:  # type: ignore[attr-defined]
        for port in (one.query, one.key):
            if port not in inputs:
                lengths[port] = draw(SIZES)
                inputs[port] = type_of(*batch, lengths[port], width)
        rows, columns = lengths[one.query], lengths[one.key]
        heads = [arguments["nhead"] * batch[0]] if batch else [arguments["nhead"]]
        first = draw(st.sampled_from([None, [], [], batch, heads]))
        if first is not None:
            inputs[one.pairs] = type_of(*first, rows, columns, kind="bool")
        if draw(st.booleans()):
            inputs[one.keys] = type_of(*batch, columns, kind="bool")
    if draw(SELDOM):
        # by accident, a mask of one row broadcasts with the one that is_causal makes
        causal = [name for name in arguments if name.endswith("is_causal")]
        for name in causal:
            del arguments[name]
        port = draw(st.sampled_from(sorted(inputs)))
        inputs[port] = inputs[port].with_size(-1, draw(SIZES))
    return arguments, inputs


@each(*LAYERS, *STACKS, "transformer")
@given(st.data())
def test_rule(op: str, data: st.DataObject) -> None:
    # on a CPU torch does not count what its attention costs: see test_flops
    check(op, *data.draw(networks(op)), device="cpu", flops=False)


@pytest.mark.parametrize("op", [*LAYERS, *STACKS, "transformer"])
def test_flops(op: str) -> None:
    arguments: dict[str, Any] = small()
    if op == "transformer":
        arguments |= {"num_encoder_layers": 2, "num_decoder_layers": 1}
    if op in STACKS:
        arguments |= {"num_layers": 2}
    ports = [port.name for port in ops()[op].inputs if not port.optional]
    inputs = {port: type_of(2, 3 + n, 8) for n, port in enumerate(ports)}
    assert check(op, arguments, inputs).outputs


MASK = torch.tensor([[True, True, True], [True, True, False]])
LATER = torch.ones(3, 3, dtype=torch.bool).triu(1)


def small(**others: Any) -> dict[str, Any]:
    return {"nhead": 2, "dim_feedforward": 16, "dropout": 0.0, **others}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("is_causal", [True, False])
def test_numbers_of_an_encoder(training: bool, is_causal: bool) -> None:
    arguments = small(num_layers=2, norm=True, is_causal=is_causal)
    x = torch.randn(2, 3, 8)
    inputs = {
        "src": type_of(2, 3, 8),
        "src_key_padding_mask": type_of(2, 3, kind="bool"),
    }
    module = layer("transformer_encoder", arguments, inputs).train(training)
    torch_layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
    torch_own = nn.TransformerEncoder(
        torch_layer, 2, nn.LayerNorm(8), enable_nested_tensor=False
    ).train(training)
    torch_own.load_state_dict(module.layer.state_dict())  # type: ignore[union-attr]
    mask = LATER if is_causal else None
    expected = torch_own(x, mask=mask, src_key_padding_mask=~MASK)
    torch.testing.assert_close(module(x, MASK), expected)
    with torch.no_grad():
        torch.testing.assert_close(module(x, MASK), expected)


def test_numbers_of_a_transformer() -> None:
    arguments = small(num_encoder_layers=1, num_decoder_layers=1, tgt_is_causal=True)
    src, tgt = torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    inputs: dict[str, Any] = {"src": type_of(2, 3, 8), "tgt": type_of(2, 3, 8)}
    inputs["memory_key_padding_mask"] = type_of(2, 3, kind="bool")
    module = layer("transformer", arguments, inputs)
    torch_own = nn.Transformer(8, 2, 1, 1, 16, 0.0, batch_first=True)
    torch_own.load_state_dict(module.layer.state_dict())  # type: ignore[union-attr]
    expected = torch_own(src, tgt, tgt_mask=LATER, memory_key_padding_mask=~MASK)
    torch.testing.assert_close(module(src, tgt, MASK), expected)


def test_it_starts_as_torch_does() -> None:
    arguments = small(num_encoder_layers=2, num_decoder_layers=2)
    inputs: dict[str, Any] = {"src": type_of(1, 2, 8), "tgt": type_of(1, 2, 8)}
    torch.manual_seed(0)
    found = layer("transformer", arguments, inputs).layer.state_dict()  # type: ignore[union-attr]
    torch.manual_seed(0)
    expected = nn.Transformer(8, 2, 2, 2, 16, batch_first=True).state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def code(op: str, arguments: dict[str, Any], **inputs: str) -> tuple[str, str]:
    types = {port: tensor(text) for port, text in inputs.items()}
    found = check(op, arguments, types)
    return one_line(found.construct), one_line(found.forward)


def test_code_of_layers() -> None:
    construct, forward = code(
        "transformer_encoder_layer",
        {"nhead": 2, "norm_first": True},
        src="float[2, 3, 8]",
        src_key_padding_mask="bool[2, 3]",
    )
    assert construct == (
        "nn.TransformerEncoderLayer(8, 2, norm_first=True, batch_first=True)"
    )
    assert forward == (
        "return self.layer(src, src_key_padding_mask=~src_key_padding_mask)"
    )
    _, forward = code(
        "transformer_decoder_layer",
        {"nhead": 2, "tgt_is_causal": True},
        tgt="float[2, 3, 8]",
        memory="float[2, 5, 8]",
    )
    assert forward == (
        "layer_0 = tgt.new_ones(tgt.shape[1], tgt.shape[1], dtype=torch.bool).triu(1) "
        "return self.layer(tgt, memory, tgt_mask=layer_0, tgt_is_causal=True)"
    ).replace("layer_0", "later_0")


def test_code_of_stacks() -> None:
    construct, forward = code(
        "transformer_encoder",
        {"nhead": 2, "num_layers": 3, "norm": True},
        src="float[2, 3, 8]",
        mask="bool[2, 3, 3]",
    )
    assert construct == (
        "nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), "
        "num_layers=3, norm=nn.LayerNorm(8), enable_nested_tensor=False)"
    )
    assert forward == (
        "return self.layer(src, mask=(~mask).repeat_interleave(2, dim=0), "
        "is_causal=False)"
    )
    inputs = {"src": "float[2, 3, 8]", "tgt": "float[2, 4, 8]"}
    construct, forward = code("transformer", {"bias": False}, **inputs)
    assert construct == "StackedTransformer(8, 8, bias=False)"
    assert forward == "return self.layer(src, tgt)"


def test_symbols() -> None:
    inputs = {"src": tensor("float[B, S, 8]"), "tgt": tensor("float[B, T, 8]")}
    assert infer("transformer", {}, inputs) == (inputs["tgt"],)


@pytest.mark.parametrize(
    ("changed", "fault", "port"),
    [
        ({"tgt": "float[T]"}, "rank-mismatch", "tgt"),
        ({"tgt": "float[B, T, 7]"}, "constraint", ""),
        ({"memory": "float[T, 8]"}, "rank-mismatch", "memory"),
        ({"memory": "float[C, S, 8]"}, "shape-mismatch", "memory"),
        ({"memory": "float[B, S, 6]"}, "shape-mismatch", "memory"),
        ({"tgt_mask": "bool[B, T]"}, "shape-mismatch", "tgt_mask"),
        ({"memory_mask": "bool[T, T]"}, "shape-mismatch", "memory_mask"),
        (
            {"memory_key_padding_mask": "bool[B, T]"},
            "shape-mismatch",
            "memory_key_padding_mask",
        ),
    ],
)
def test_faults(changed: dict[str, str], fault: str, port: str) -> None:
    texts = {"tgt": "float[B, T, 8]", "memory": "float[B, S, 8]", **changed}
    inputs = {port: tensor(text) for port, text in texts.items()}
    with pytest.raises(OpError) as caught:
        infer("transformer_decoder", {"nhead": 2, "num_layers": 1}, inputs)
    assert (caught.value.code, caught.value.port) == (fault, port)


def test_label() -> None:
    shown = label("transformer_encoder_layer", {"nhead": 2}, src=type_of(1, 2, 4))
    assert shown == "2 heads, 2048 hidden"


def test_it_runs_without_a_batch() -> None:
    arguments = small(num_layers=1, is_causal=True)
    assert run("transformer_encoder", arguments, {"src": torch.randn(3, 8)}).shape == (
        3,
        8,
    )
