from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import alike, shapes, type_of
from tests.ops.harness import check, infer, run, tensor

LETTERS = "abcB"


@each("matmul")
@given(st.data(), shapes(0, 2), shapes(1, 3, st.integers(1, 3)))
def test_matmul(
    op: str, data: st.DataObject, batch: list[int], sizes: list[int]
) -> None:
    rows, inner, columns = (*sizes, 2, 2)[:3]
    left = data.draw(alike(batch)) + data.draw(st.sampled_from([[rows], []])) + [inner]
    wrong = data.draw(st.sampled_from([0, 0, 0, 1]))
    right = [inner + wrong, columns][: data.draw(st.sampled_from([1, 2, 2]))]
    right = data.draw(alike(batch)) + right if len(right) == 2 else right
    ports = {"input": type_of(*left), "other": type_of(*right)}
    # A vector times a batch is counted or not by the strides of what is next to 1.
    check(op, {}, ports, flops=len(left) > 1 or len(right) < 3)


@given(shapes(0, 1), shapes(0, 1))
def test_matmul_of_small_ranks(left: list[int], right: list[int]) -> None:
    check("matmul", {}, {"input": type_of(*left), "other": type_of(*right)})


@st.composite
def terms(draw: st.DrawFn, sizes: dict[str, int]) -> tuple[str, TensorType]:
    """The labels of an operand and its type, which may broadcast or be wrong."""
    labels = draw(st.text(LETTERS, max_size=4))
    shape = draw(alike([sizes[label] for label in labels]))
    shape = [1] * (len(labels) - len(shape)) + shape
    covered = draw(st.sampled_from([None, None, [], [2], [3, 2], [1, 2]]))
    if covered is None:
        return labels, type_of(*shape)
    place = draw(st.integers(0, len(labels)))
    text = f"{labels[:place]}...{labels[place:]}"
    return text, type_of(*shape[:place], *covered, *shape[place:])


@each("einsum")
@given(st.data())
def test_einsum(op: str, data: st.DataObject) -> None:
    sizes = dict(zip(LETTERS, data.draw(shapes(4, 4)), strict=True))
    drawn = [data.draw(terms(sizes)) for _ in range(data.draw(st.integers(1, 3)))]
    equation = ", ".join(text for text, _ in drawn)
    used = sorted({letter for letter in equation if letter.isalpha()})
    if data.draw(st.booleans()):
        output = st.lists(st.sampled_from([*used, "..."]), max_size=4, unique=True)
        equation += " -> " + "".join(data.draw(output))
    inputs = tuple(kind for _, kind in drawn)
    check(op, {"equation": equation}, {"inputs": inputs}, device="cpu")


@pytest.mark.parametrize(
    "equation",
    [
        "ij,jk->ii",
        "ij,jk->il",
        "i j , j k -> i k",
        "ij",
        "ij,jk,kl",
        "i.j,jk",
        "",
        "->",
        "ij,jk->i..k",
        "i1,jk",
        "......,ij",
        "i...j...,jk",
        "ij,jk->...ik",
        "ij,jk->ik->i",
        "éj,jk",
    ],
)
def test_equations(equation: str) -> None:
    inputs = (tensor("float[2, 3]"), tensor("float[3, 4]"))
    check("einsum", {"equation": equation}, {"inputs": inputs})


def test_symbols() -> None:
    inputs = (tensor("float[B, heads, T, D]"), tensor("float[B, heads, S, D]"))
    scores = infer("einsum", {"equation": "bhid,bhjd->bhij"}, {"inputs": inputs})
    assert scores == (tensor("float[B, heads, T, S]"),)
    ports = {"input": tensor("float[B, T, D]"), "other": tensor("float[D, 4 * D]")}
    assert infer("matmul", {}, ports) == (tensor("float[B, T, 4 * D]"),)


def test_inner_sizes_must_agree() -> None:
    ports = {"input": tensor("float[B, T, D]"), "other": tensor("float[E, D]")}
    with pytest.raises(OpError) as caught:
        infer("matmul", {}, ports)
    assert (caught.value.port, caught.value.label) == ("other", "D is not E")


def test_code_and_values() -> None:
    x, y = torch.randn(2, 3), torch.randn(3, 4)
    ports = {"input": tensor("float[2, 3]"), "other": tensor("float[3, 4]")}
    assert check("matmul", {}, ports).forward == ["return input @ other"]
    assert torch.equal(run("matmul", {}, {"input": x, "other": y}), x @ y)
    found = run("einsum", {"equation": "ij,jk->ki"}, {"inputs": (x, y)})
    assert torch.allclose(found, (x @ y).T)
