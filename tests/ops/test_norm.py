"""Normalisation, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import label, of_rank, some, type_of, types
from tests.ops.harness import check, infer, tensor

EPS = st.sampled_from((1e-5, 1e-3))


def statistics() -> st.SearchStrategy[dict[str, Any]]:
    """The arguments of batch and instance norms."""
    flags = ("affine", "track_running_stats", "bias")
    return some(
        eps=EPS,
        momentum=st.sampled_from((0.1, 0.01)),
        **{flag: st.booleans() for flag in flags},
    )


@each("batch_norm1d", "batch_norm2d", "batch_norm3d")
@given(data=st.data(), arguments=statistics())
def test_batch_norm(op: str, data: st.DataObject, arguments: dict[str, Any]) -> None:
    ranks = {"1d": (2, 3), "2d": (4,), "3d": (5,)}[op[-2:]]
    input = data.draw(of_rank(ranks, st.integers(2, 3)))
    check(op, arguments, {"input": input}, device="cpu")


@each("sync_batch_norm")
@given(input=types(1, 5, st.integers(2, 3)), arguments=statistics())
def test_sync_batch_norm(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    check(op, arguments, {"input": input}, device="cpu")


@each("instance_norm1d", "instance_norm2d", "instance_norm3d")
@given(data=st.data(), arguments=statistics())
def test_instance_norm(op: str, data: st.DataObject, arguments: dict[str, Any]) -> None:
    n = int(op[-2])
    input = data.draw(of_rank((n + 1, n + 2), st.integers(1, 2)))
    check(op, arguments, {"input": input}, device="cpu")


@each("layer_norm")
@given(
    input=types(0, 4),
    arguments=some(
        normalized_dims=st.integers(1, 3),
        eps=EPS,
        elementwise_affine=st.booleans(),
        bias=st.booleans(),
    ),
)
def test_layer_norm(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    if input.rank < arguments.get("normalized_dims", 1):
        with pytest.raises(OpError, match="needs at least"):
            infer(op, arguments, {"input": input})
    else:
        check(op, arguments, {"input": input}, device="cpu")


@each("rms_norm")
@given(
    input=types(2, 4),
    arguments=some(
        normalized_dims=st.integers(1, 2), eps=EPS, elementwise_affine=st.booleans()
    ),
)
def test_rms_norm(op: str, input: TensorType, arguments: dict[str, Any]) -> None:
    check(op, arguments, {"input": input}, device="cpu")


@each("group_norm")
@given(
    input=types(1, 5),
    groups=st.integers(1, 3),
    arguments=some(eps=EPS, affine=st.booleans(), bias=st.booleans()),
)
def test_group_norm(
    op: str, input: TensorType, groups: int, arguments: dict[str, Any]
) -> None:
    given = {"num_groups": groups, **arguments}
    if input.rank == 1:
        with pytest.raises(OpError, match="needs at least 2 dimensions"):
            infer(op, given, {"input": input})
    else:
        check(op, given, {"input": input}, device="cpu")


def test_instance_norm_needs_two_values() -> None:
    inputs = {"input": tensor("float[B, C, H, W]")}
    with pytest.raises(OpError, match="the number of values in a channel is H"):
        infer("instance_norm2d", {}, inputs)
    domain = Domain(of_networks({"H": Constraint(2)}))
    assert infer("instance_norm2d", {}, inputs, domain=domain) == (inputs["input"],)


def test_groups_divide_channels() -> None:
    found = check("group_norm", {"num_groups": 4}, {"input": type_of(2, 6, 3)})
    assert isinstance(found.refusal, OpError) and found.refusal.argument == "num_groups"


def test_batch_of_one_is_for_inference() -> None:
    """torch refuses it in training; that a batch is larger is not ours to ask."""
    (output,) = infer("batch_norm1d", {}, {"input": type_of(1, 6)})
    assert output == type_of(1, 6)


@pytest.mark.parametrize(
    ("op", "arguments", "expected"),
    [
        ("batch_norm2d", {"momentum": None}, "nn.BatchNorm2d(6, momentum=None)"),
        ("sync_batch_norm", {}, "nn.SyncBatchNorm(6)"),
        ("layer_norm", {}, "nn.LayerNorm(4)"),
        ("layer_norm", {"normalized_dims": 3}, "nn.LayerNorm([6, 4, 4])"),
        ("layer_norm", {"bias": False}, "nn.LayerNorm(4, bias=False)"),
        ("rms_norm", {"eps": 0.001}, "nn.RMSNorm(4, eps=0.001)"),
        ("group_norm", {"num_groups": 3}, "nn.GroupNorm(3, 6)"),
        ("instance_norm2d", {"affine": True}, "nn.InstanceNorm2d(6, affine=True)"),
    ],
)
def test_code(op: str, arguments: dict[str, Any], expected: str) -> None:
    found = check(op, arguments, {"input": type_of(2, 6, 4, 4)}, device="cpu")
    assert found.construct == expected
    assert found.forward == ["return self.layer(input)"]


def test_label() -> None:
    assert label("group_norm", {"num_groups": 2}, input=type_of(1, 4)) == "2 groups"
