"""Vectors for tokens and positions, against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import Kind, TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, SIZES, shapes, some, type_of, types
from tests.ops.harness import check, infer, run, tensor

SHAPES = shapes(0, 3)
NUMBERS: tuple[Kind, ...] = ("float", "int")


@each("embedding")
@given(
    SHAPES,
    SIZES,
    SIZES,
    some(
        padding_idx=st.integers(-6, 6),
        max_norm=st.just(1.5),
        norm_type=st.just(1.0),
        scale_grad_by_freq=st.booleans(),
        sparse=st.booleans(),
    ),
)
def test_embedding(
    op: str, shape: list[int], count: int, width: int, arguments: dict[str, Any]
) -> None:
    arguments |= {"num_embeddings": count, "embedding_dim": width}
    found = check(op, arguments, {"input": type_of(*shape, kind="int")})
    assert not found.outputs or found.outputs[0] == type_of(*shape, width)


def test_embedding_as_code() -> None:
    arguments = {"num_embeddings": 9, "embedding_dim": 4, "padding_idx": 0}
    found = check("embedding", arguments, {"input": tensor("int[2, 3]")})
    assert found.construct == "nn.Embedding(9, 4, padding_idx=0)"
    assert found.forward == ["return self.layer(input)"]


def test_embedding_in_symbols() -> None:
    arguments = {"num_embeddings": "vocab", "embedding_dim": "4 * width"}
    hints = {"vocab": Dim.of(100), "width": Dim.of(8)}
    (output,) = infer("embedding", arguments, {"input": tensor("int[B, T]")}, hints)
    assert str(output) == "float[B, T, 4 * width]"


def test_embedding_refuses_floats() -> None:
    arguments = {"num_embeddings": 9, "embedding_dim": 4}
    with pytest.raises(OpError) as caught:
        infer("embedding", arguments, {"input": tensor("float[B, T]")})
    assert (caught.value.code, caught.value.port) == ("kind-mismatch", "input")


@each("position_embedding")
@given(
    types(0, 3, kinds=KINDS),
    st.integers(1, 8),
    SIZES,
    st.integers(-2, 1),
    st.integers(0, 3),
)
def test_position_embedding(
    op: str, input: TensorType, count: int, width: int, dim: int, offset: int
) -> None:
    arguments = {"num_embeddings": count, "embedding_dim": width, "dim": dim}
    arguments |= {"offset": offset} if offset else {}
    # the meta device does not look an index up
    check(op, arguments, {"input": input}, device="cpu")


def test_position_embedding_as_code() -> None:
    arguments = {"num_embeddings": 9, "embedding_dim": 4}
    found = check("position_embedding", arguments, {"input": tensor("int[2, 3]")})
    assert found.construct == "nn.Embedding(9, 4)"
    assert found.forward == [
        "return self.layer(torch.arange(input.shape[1], device=input.device))"
    ]
    found = check(
        "position_embedding", arguments | {"offset": 2}, {"input": tensor("int[2, 3]")}
    )
    assert found.forward == [
        "return self.layer(torch.arange(2, input.shape[1] + 2, device=input.device))"
    ]


def test_position_embedding_wants_a_bounded_length() -> None:
    arguments = {"num_embeddings": "context", "embedding_dim": 8}
    inputs = {"input": tensor("int[B, T]")}
    hints = {"context": Dim.of(16)}
    with pytest.raises(OpError) as caught:
        infer("position_embedding", arguments, inputs, hints)
    assert caught.value.message == "there are 16 positions, but T is unbounded"
    assert caught.value.help == "declare dims: {T: {max: 16}}"
    inputs = {"input": tensor("int[B, 2 * T]")}
    with pytest.raises(OpError, match=r"2 \* T is unbounded") as caught:
        infer("position_embedding", arguments, inputs, hints)
    assert caught.value.help == "holds when 2 * T <= 16"
    inputs = {"input": tensor("int[B, T]")}
    domain = Domain(of_networks({"T": Constraint(max=17)}))
    with pytest.raises(OpError, match="T can be up to 17"):
        infer("position_embedding", arguments, inputs, hints, domain)
    domain = Domain(of_networks({"T": Constraint(max=16)}))
    (output,) = infer("position_embedding", arguments, inputs, hints, domain)
    assert str(output) == "float[T, 8]"


@each("sinusoidal_encoding")
@given(
    types(1, 3, kinds=st.sampled_from(NUMBERS)),
    st.none() | st.integers(1, 7),
    st.integers(-4, 4),
)
def test_sinusoidal_encoding(
    op: str, input: TensorType, width: int | None, dim: int
) -> None:
    arguments = {"dim": dim} | ({} if width is None else {"embedding_dim": width})
    if input.kind == "int" and width is None and -input.rank <= dim < input.rank:
        with pytest.raises(OpError, match="needs embedding_dim"):
            infer(op, arguments, {"input": input})
    else:
        check(op, arguments, {"input": input})


def test_sinusoidal_encoding_as_code() -> None:
    found = check("sinusoidal_encoding", {}, {"input": tensor("float[2, 3, 4]")})
    assert found.construct == "SinusoidalEncoding(4)"
    assert found.forward == ["return self.layer(input)"]


def test_sinusoidal_encoding_is_symbolic_in_time_only() -> None:
    (output,) = infer("sinusoidal_encoding", {}, {"input": tensor("float[B, T, 6]")})
    assert str(output) == "float[T, 6]"
    with pytest.raises(OpError) as caught:
        infer("sinusoidal_encoding", {}, {"input": tensor("float[B, T, D]")})
    assert caught.value.code == "not-constant"


@each("sinusoidal_embedding")
@given(
    types(0, 3, kinds=st.sampled_from(NUMBERS)),
    st.integers(1, 4),
    some(
        base=st.just(100.0),
        shift=st.sampled_from([0.5, -1.0]),
        scale=st.just(3.0),
        order=st.sampled_from(["cos sin", "pairs"]),
    ),
)
def test_sinusoidal_embedding(
    op: str, input: TensorType, half: int, arguments: dict[str, Any]
) -> None:
    found = check(op, {"embedding_dim": 2 * half, **arguments}, {"input": input})
    assert found.outputs[0] == type_of(*input.shape, 2 * half)


def test_sinusoidal_embedding_as_code() -> None:
    arguments = {"embedding_dim": 4, "order": "cos sin"}
    found = check("sinusoidal_embedding", arguments, {"input": tensor("int[2]")})
    assert found.construct == 'SinusoidalEmbedding(4, order="cos sin")'
    assert found.forward == ["return self.layer(input)"]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"embedding_dim": 5}, "embedding_dim"),
        ({"embedding_dim": 4, "shift": 2.0}, "shift"),
    ],
)
def test_sinusoidal_embedding_refuses(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(OpError) as caught:
        infer("sinusoidal_embedding", arguments, {"input": tensor("int[B]")})
    assert caught.value.argument == argument


def test_position_embedding_looks_positions_up() -> None:
    arguments = {"num_embeddings": 5, "embedding_dim": 2}
    torch.manual_seed(0)
    found = run("position_embedding", arguments, {"input": torch.zeros(1, 3)})
    torch.manual_seed(0)
    assert torch.equal(found, torch.nn.Embedding(5, 2).weight[:3])
    torch.manual_seed(0)
    later = {"num_embeddings": 5, "embedding_dim": 2, "offset": 2}
    found = run("position_embedding", later, {"input": torch.zeros(1, 3)})
    torch.manual_seed(0)
    assert torch.equal(found, torch.nn.Embedding(5, 2).weight[2:])
