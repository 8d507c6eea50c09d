from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.context import Context
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, shapes, type_of, types
from tests.ops.harness import check, infer, run, tensor

AXES = st.integers(-5, 4)
SIZES = st.lists(st.sampled_from([-1, -1, 1, 2, 2, 3, 4, 6, 0, -2]), max_size=4)
INPUTS = types(kinds=KINDS)


@each("reshape")
@given(INPUTS, SIZES)
def test_reshape(op: str, input: TensorType, shape: list[int]) -> None:
    check(op, {"shape": shape}, {"input": input})


@given(st.data(), shapes(1, 4))
def test_reshape_that_fits(data: st.DataObject, shape: list[int]) -> None:
    new = data.draw(st.permutations(shape))
    hole = data.draw(st.integers(0, len(new)))
    new[hole : hole + 1] = [-1] * (hole < len(new))
    check("reshape", {"shape": new}, {"input": type_of(*shape, kind="int")})


@each("flatten")
@given(INPUTS, AXES, AXES)
def test_flatten(op: str, input: TensorType, start: int, end: int) -> None:
    check(op, {"start_dim": start, "end_dim": end}, {"input": input})


@each("unflatten")
@given(st.sampled_from([1, 2, 6, 12]), AXES, st.data())
def test_unflatten(op: str, size: int, dim: int, data: st.DataObject) -> None:
    first = data.draw(st.sampled_from([n for n in (1, 2, 3, 6, 12) if size % n == 0]))
    fitting = st.sampled_from([[first, size // first], [first, -1], [-1, first, 1]])
    sizes = data.draw(fitting | SIZES.filter(bool))
    check(op, {"dim": dim, "sizes": sizes}, {"input": type_of(2, size, 3)})


@each("permute")
@given(INPUTS, st.data())
def test_permute(op: str, input: TensorType, data: st.DataObject) -> None:
    right = st.permutations(range(input.rank))
    dims = data.draw(st.one_of(right, st.lists(st.integers(-4, 3), max_size=4)))
    check(op, {"dims": list(dims)}, {"input": input})


@each("transpose")
@given(INPUTS, AXES, AXES)
def test_transpose(op: str, input: TensorType, first: int, second: int) -> None:
    check(op, {"dim0": first, "dim1": second}, {"input": input})


@each("movedim")
@given(INPUTS, st.lists(AXES, min_size=1, max_size=2), st.lists(AXES, max_size=2))
def test_movedim(
    op: str, input: TensorType, source: list[int], places: list[int]
) -> None:
    check(op, {"source": source, "destination": places}, {"input": input})
    check(op, {"source": source[0], "destination": source[-1]}, {"input": input})


@each("squeeze")
@given(
    shapes(sizes=st.integers(1, 2)),
    st.one_of(AXES, st.lists(st.integers(-3, 2), max_size=3)),
)
def test_squeeze(op: str, shape: list[int], dim: Any) -> None:
    inputs = {"input": type_of(*shape)}
    check(op, {"dim": dim}, inputs)
    check(op, {}, inputs)


@each("unsqueeze")
@given(INPUTS, AXES)
def test_unsqueeze(op: str, input: TensorType, dim: int) -> None:
    check(op, {"dim": dim}, {"input": input})


@each("expand")
@given(st.data(), shapes(0, 3, st.integers(1, 3)))
def test_expand(op: str, data: st.DataObject, shape: list[int]) -> None:
    wanted = [data.draw(st.sampled_from([size, size, -1, 3, -2])) for size in shape]
    # Beside a size of 0, torch makes tensors of negative sizes.
    added = data.draw(st.lists(st.sampled_from([1, 2, -1]), max_size=2))
    short = data.draw(st.sampled_from([0, 0, 0, 1]))
    check(
        op,
        {"shape": [*added, *wanted[short:]]},
        {"input": type_of(*shape, kind="bool")},
    )


def test_expand_to_nothing() -> None:
    check("expand", {"shape": [0, 1, 0]}, {"input": tensor("float[1, 1]")})


def test_code_reads_as_written_by_hand() -> None:
    def line(op: str, input: str, **arguments: Any) -> str:
        return check(op, arguments, {"input": tensor(input)}).forward[0]

    image = "float[2, 3, 4, 4]"
    assert line("reshape", image, shape=[2, -1]) == "return input.reshape(2, -1)"
    assert line("flatten", image) == "return input.flatten(1)"
    assert line("flatten", image, start_dim=-2) == "return input.flatten(-2)"
    assert line("flatten", image, end_dim=2) == "return input.flatten(1, 2)"
    assert (
        line("permute", image, dims=[0, 2, 3, 1]) == "return input.permute(0, 2, 3, 1)"
    )
    assert line("movedim", image, source=1, destination=-1) == (
        "return input.movedim(1, -1)"
    )
    assert line("transpose", image, dim0=1, dim1=2) == "return input.transpose(1, 2)"
    assert line("unsqueeze", image, dim=1) == "return input.unsqueeze(1)"
    assert line("squeeze", "float[2, 1]", dim=1) == "return input.squeeze(1)"
    assert (
        line("squeeze", "float[1, 2, 1]", dim=[0, 2]) == "return input.squeeze((0, 2))"
    )
    assert line("expand", "float[1, 2]", shape=[3, -1]) == "return input.expand(3, -1)"
    heads = line("unflatten", "float[2, 6]", dim=-1, sizes=[2, -1])
    assert heads == "return input.unflatten(-1, (2, -1))"


def test_values() -> None:
    x = torch.randn(2, 6)
    found = run("unflatten", {"dim": 1, "sizes": [2, 3]}, {"input": x})
    assert torch.equal(found, x.reshape(2, 2, 3))


SYMBOLIC = [
    (
        "reshape",
        {"shape": ["B", "T", "heads", -1]},
        "float[B, T, heads * D]",
        "float[B, T, heads, D]",
    ),
    ("reshape", {"shape": ["B * T", "D"]}, "float[B, T, D]", "float[B * T, D]"),
    ("reshape", {"shape": [-1, "D"]}, "float[B, T, D]", "float[B * T, D]"),
    ("reshape", {"shape": ["B", -1]}, "float[B, C, H, W]", "float[B, C * H * W]"),
    ("flatten", {}, "float[B, C, H, W]", "float[B, C * H * W]"),
    ("flatten", {"start_dim": -2}, "float[B, C, H, W]", "float[B, C, H * W]"),
    ("unflatten", {"dim": -1, "sizes": [3, -1]}, "float[B, 3 * D]", "float[B, 3, D]"),
    (
        "unflatten",
        {"dim": 1, "sizes": ["heads", -1]},
        "float[B, heads * D]",
        "float[B, heads, D]",
    ),
    (
        "movedim",
        {"source": [0, 2], "destination": [-1, 0]},
        "float[B, T, D]",
        "float[D, T, B]",
    ),
    ("transpose", {"dim0": 1, "dim1": 2}, "float[B, T, D]", "float[B, D, T]"),
    ("permute", {"dims": [0, -1, 1]}, "float[B, T, D]", "float[B, D, T]"),
    ("squeeze", {"dim": 1}, "float[B, 1, D]", "float[B, D]"),
    ("unsqueeze", {"dim": -1}, "float[B]", "float[B, 1]"),
    ("expand", {"shape": ["B", "T", -1]}, "float[T, D]", "float[B, T, D]"),
    ("expand", {"shape": ["B", -1, "W + 1"]}, "float[1, D, 1]", "float[B, D, W + 1]"),
]


@pytest.mark.parametrize(("op", "arguments", "input", "output"), SYMBOLIC)
def test_symbols(op: str, arguments: Any, input: str, output: str) -> None:
    dims = {"B": 2, "T": 3, "D": 4, "C": 3, "H": 5, "W": 6, "heads": 2}
    found = check(op, arguments, {"input": tensor(input)}, dims=dims)
    assert found.outputs == (tensor(output),), found.refusal


def test_a_size_by_its_value_keeps_its_name() -> None:
    hints = {"width": Dim.of(768), "heads": Dim.of(12)}
    sizes = {"dim": -1, "sizes": ["heads", -1]}
    found = infer("unflatten", sizes, {"input": tensor("float[B, T, width]")}, hints)
    assert found == (tensor("float[B, T, heads, width // heads]"),)


def test_a_size_that_may_not_divide_is_refused() -> None:
    arguments, inputs = {"dim": 1, "sizes": [2, -1]}, {"input": tensor("float[B, H]")}
    with pytest.raises(OpError) as caught:
        infer("unflatten", arguments, inputs)
    assert caught.value.message == "H elements do not fit the shape [2, -1]"
    assert "H is a multiple of 2" in caught.value.conditions.help
    even = Domain(of_networks({"H": Constraint(multiple_of=2)}))
    found = infer("unflatten", arguments, inputs, domain=even)
    assert found == (tensor("float[B, 2, H // 2]"),)


def test_squeeze_of_what_may_be_one_is_refused() -> None:
    with pytest.raises(OpError, match="which can be smaller than 2"):
        infer("squeeze", {}, {"input": tensor("float[B, 1]")})
    many = Domain(of_networks({"B": Constraint(min=2)}))
    found = infer("squeeze", {}, {"input": tensor("float[B, 1]")}, domain=many)
    assert found == (tensor("float[B]"),)


def test_a_quotient_that_multiples_make_exact() -> None:
    domain = Domain(of_networks({"T": Constraint(multiple_of=8)}))
    (found,) = infer(
        "reshape",
        {"shape": [-1, "(T + 4) // 4", 4]},
        {"input": tensor("float[B, 8, T + 4]")},
        domain=domain,
    )
    assert (
        str(Context(domain=domain).simplified(found)) == "float[8 * B, T // 4 + 1, 4]"
    )
