from __future__ import annotations

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
from tests.ops.draws import KINDS, shapes, type_of, types
from tests.ops.harness import check, infer, run, tensor

AXES = st.integers(-5, 4)
TORCH = {"concat": torch.cat, "stack": torch.stack}


@each(*TORCH)
@given(st.data(), shapes(), AXES)
def test_join(op: str, data: st.DataObject, shape: list[int], dim: int) -> None:
    inputs = []
    for _ in range(data.draw(st.integers(1, 3))):
        own = list(shape)
        changed: bool = data.draw(st.booleans())
        if own and changed:
            place = data.draw(st.sampled_from([dim % len(own), 0]))
            own[place] = data.draw(st.integers(1, 4))
        if data.draw(st.sampled_from([False, False, False, False, True])):
            own.append(2)
        inputs.append(type_of(*own, kind=data.draw(KINDS)))
    check(
        op,
        {"dim": dim},
        {"inputs": tuple(inputs)},
        reference=lambda xs: TORCH[op](xs, dim),
    )


@each("split")
@given(
    shapes(1, 4, st.integers(0, 4)) | shapes(1, 4, st.integers(-1, 4)),
    st.integers(0, 2),
    st.sampled_from([1, -2]) | AXES,
    KINDS,
)
def test_split(op: str, sizes: list[int], wrong: int, dim: int, kind: Kind) -> None:
    total = sum(sizes) + wrong // 2
    input = type_of(2, max(total, 1), 3, kind=kind)
    check(op, {"split_size": sizes, "dim": dim}, {"input": input})


@each("unbind")
@given(types(0, 4, kinds=KINDS), AXES)
def test_unbind(op: str, input: TensorType, dim: int) -> None:
    check(op, {"dim": dim}, {"input": input})


@each("chunk")
@given(types(1, 4, st.sampled_from([1, 2, 4, 6]), KINDS), st.integers(0, 4), AXES)
def test_chunk(op: str, input: TensorType, chunks: int, dim: int) -> None:
    check(op, {"chunks": chunks, "dim": dim}, {"input": input})


def test_code_reads_as_written_by_hand() -> None:
    pair = {"inputs": (tensor("float[2, 3]"), tensor("float[2, 5]"))}
    one = {"input": tensor("float[2, 6]")}
    concat = check("concat", {"dim": 1}, pair)
    assert concat.forward == ["return torch.cat([inputs_0, inputs_1], dim=1)"]
    split = check("split", {"split_size": [2, 4], "dim": -1}, one)
    assert split.forward[0] == "output_0, output_1 = torch.split(input, [2, 4], dim=-1)"
    chunk = check("chunk", {"chunks": 2, "dim": -1}, one)
    assert chunk.forward[0] == "output_0, output_1 = input.chunk(2, dim=-1)"


def test_values() -> None:
    x, y = torch.randn(2, 3), torch.randn(2, 3)
    joined = run("stack", {"dim": 1}, {"inputs": (x, y)})
    assert torch.equal(joined, torch.stack([x, y], 1))


def test_symbols() -> None:
    inputs = (tensor("float[B, T, D]"), tensor("float[B, 1, D]"))
    assert infer("concat", {"dim": 1}, {"inputs": inputs}) == (
        tensor("float[B, T + 1, D]"),
    )
    three = infer(
        "chunk", {"chunks": 3, "dim": -1}, {"input": tensor("float[B, 3 * D]")}
    )
    assert three == (tensor("float[B, D]"),) * 3
    split = {"split_size": ["D", "2 * D"], "dim": -1}
    assert infer("split", split, {"input": tensor("float[B, 3 * D]")}) == (
        tensor("float[B, D]"),
        tensor("float[B, 2 * D]"),
    )


def test_split_into_symbols_runs() -> None:
    split = {"split_size": [1, "T - 1"], "dim": 1}
    inputs = {"input": tensor("float[B, T]")}
    found = check("split", split, inputs, dims={"B": 2, "T": 5})
    assert found.outputs == (tensor("float[B, 1]"), tensor("float[B, T - 1]"))


def test_chunk_of_a_symbol_needs_a_multiple() -> None:
    chunk, inputs = {"chunks": 2, "dim": 1}, {"input": tensor("float[B, H]")}
    with pytest.raises(OpError, match="must be a multiple of"):
        infer("chunk", chunk, inputs)
    even = Domain(of_networks({"H": Constraint(multiple_of=2)}))
    assert (
        infer("chunk", chunk, inputs, domain=even) == (tensor("float[B, H // 2]"),) * 2
    )


def test_chunk_of_a_param_keeps_its_name() -> None:
    inputs, hints = {"input": tensor("float[B, width]")}, {"width": Dim.of(8)}
    found = infer("chunk", {"chunks": 2, "dim": 1}, inputs, hints)
    assert found == (tensor("float[B, width // 2]"),) * 2


def test_sizes_that_differ_are_shown() -> None:
    inputs = (tensor("float[B, C, H]"), tensor("float[B, C, 2 * (H // 2)]"))
    with pytest.raises(OpError) as caught:
        infer("concat", {"dim": 1}, {"inputs": inputs})
    assert (
        caught.value.message
        == "concat needs inputs of equal sizes in all dimensions except 1"
    )
    assert "H is a multiple of 2" in caught.value.conditions.help
