from __future__ import annotations

from typing import Any

import einops
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from tests.ops.coverage import each
from tests.ops.draws import type_of
from tests.ops.harness import check, infer, run, tensor

SIZES = {"a": 2, "b": 3, "c": 4, "dim": 1, "e_1": 2}


@st.composite
def sides(draw: st.DrawFn, axes: list[str]) -> list[list[str]]:
    """The axes put into groups, with a dimension of size 1 among them."""
    groups: list[list[str]] = []
    for axis in draw(st.permutations(axes)):
        joins: bool = draw(st.booleans())
        if groups and joins:
            groups[-1].append(axis)
        else:
            groups.append([axis])
    if draw(st.sampled_from([False, False, True])):
        groups.insert(draw(st.integers(0, len(groups))), [])
    return groups


def _text(groups: list[list[str]]) -> str:
    return " ".join(
        group[0] if len(group) == 1 else f"({' '.join(group)})" if group else "1"
        for group in groups
    )


@each("rearrange")
@given(st.data())
def test_rearrange(op: str, data: st.DataObject) -> None:
    axes = data.draw(st.lists(st.sampled_from(sorted(SIZES)), unique=True))
    left, right = data.draw(sides(axes)), data.draw(sides(axes))
    covered = data.draw(st.sampled_from([None, None, [], [5], [5, 2]]))
    shape = [[_size(group)] for group in left]
    if covered is not None:
        place = data.draw(st.integers(0, len(left)))
        left.insert(place, ["..."])
        shape.insert(place, covered)
        right.insert(data.draw(st.integers(0, len(right))), ["..."])
    pattern = f"{_text(left)} -> {_text(right)}"
    sizes = {axis: SIZES[axis] for group in left for axis in group[1:]}
    x = torch.randn([size for sizes in shape for size in sizes])
    expected = einops.rearrange(x, pattern, **sizes)
    arguments = {"pattern": pattern, "sizes": sizes} if sizes else {"pattern": pattern}
    assert torch.equal(run(op, arguments, {"input": x}), expected)
    check(op, arguments, {"input": type_of(*x.shape)})


def _size(group: list[str]) -> int:
    return int(torch.Size([SIZES[axis] for axis in group]).numel())


@pytest.mark.parametrize(
    "pattern",
    [
        "a b",
        "a b -> a",
        "a -> a b",
        "a a -> a",
        "a b c -> a b c",
        "a (b c) -> a b c",
        "(a b -> a b",
        "a b) -> a b",
        "((a) b) c -> a b c",
        "a -> b -> c",
        "a b -> a ... b",
        "... a b -> a b",
        "... ... -> ...",
        "a, b -> b, a",
        "a b -> b é",
        "a 2 -> a",
        "a 11 -> a",
        "a b -> b a",
        "(...) a -> a ...",
        "a 1 -> a",
        "a b ->b a",
        "",
        " -> ",
        "a b->(b a)",
        "a b c ... -> a b c ...",
        "a b -> a () b",
        "a.b -> b a",
    ],
)
def test_patterns(pattern: str) -> None:
    inputs = {"input": tensor("float[2, 3]")}

    def reference(x: Any) -> Any:
        return einops.rearrange(x, pattern)

    check("rearrange", {"pattern": pattern}, inputs, reference=reference)


@pytest.mark.parametrize(
    "sizes",
    [
        {"h": 5},
        {"h": 2},
        {"h": 2, "d": 3},
        {"h": 2, "d": 2},
        {},
        {"x": 2},
        {"h": 6, "b": 2},
        {"b": 3},
        {"h": 0},
        {"h": -1},
    ],
)
def test_sizes(sizes: dict[str, int]) -> None:
    pattern, inputs = "b (h d) -> b h d", {"input": tensor("float[2, 6]")}

    def reference(x: Any) -> Any:
        return einops.rearrange(x, pattern, **sizes)

    arguments = {"pattern": pattern, "sizes": sizes}
    check("rearrange", arguments, inputs, reference=reference)


LINES = [
    (
        "b t (h d) -> b h t d",
        {"h": 2},
        "float[2, 3, 6]",
        "input.unflatten(2, (2, -1)).transpose(1, 2)",
    ),
    (
        "b h t d -> b t (h d)",
        {},
        "float[2, 3, 6, 5]",
        "input.transpose(1, 2).flatten(2)",
    ),
    (
        "b c h w -> b (h w) c",
        {},
        "float[2, 3, 6, 5]",
        "input.permute(0, 2, 3, 1).flatten(1, 2)",
    ),
    (
        "... t (h d) -> ... h t d",
        {"d": 3},
        "float[2, 3, 6]",
        "input.unflatten(-1, (-1, 3)).transpose(-3, -2)",
    ),
    ("b ... d -> b d ...", {}, "float[2, 3, 4, 6]", "input.movedim((0, -1), (0, 1))"),
    ("b 1 d -> b d 1", {}, "float[2, 1, 6]", "input.squeeze(1).unsqueeze(2)"),
    ("a b -> a b", {}, "float[2, 1]", "input"),
]


@pytest.mark.parametrize(("pattern", "sizes", "input", "line"), LINES)
def test_code_reads_as_written_by_hand(
    pattern: str, sizes: dict[str, int], input: str, line: str
) -> None:
    arguments = {"pattern": pattern, "sizes": sizes}
    found = check("rearrange", arguments, {"input": tensor(input)})
    assert found.forward == [f"return {line}"]


def test_symbols() -> None:
    patches = {
        "pattern": "b c (h p1) (w p2) -> b (h w) (c p1 p2)",
        "sizes": {"p1": "patch", "p2": "patch"},
    }
    hints = {"patch": Dim.of(4)}
    domain = Domain(
        of_networks({"H": Constraint(multiple_of=4), "W": Constraint(multiple_of=4)})
    )
    inputs = {"input": tensor("float[B, C, H, W]")}
    (split,) = infer("rearrange", patches, inputs, hints, domain)
    assert str(split) == "float[B, (H // patch) * (W // patch), C * patch * patch]"
    heads = {"pattern": "b t (h d) -> b h t d", "sizes": {"h": "heads"}}
    inputs = {"input": tensor("float[B, T, heads * D]")}
    found = check("rearrange", heads, inputs, dims={"B": 2, "T": 3, "D": 4, "heads": 2})
    assert found.outputs == (tensor("float[B, heads, T, D]"),)


def test_a_size_that_may_not_divide_is_refused() -> None:
    arguments = {"pattern": "b (h p) -> b h p", "sizes": {"p": 4}}
    with pytest.raises(OpError) as caught:
        infer("rearrange", arguments, {"input": tensor("float[B, H]")})
    assert "H is a multiple of 4" in caught.value.conditions.help


def test_the_place_of_a_fault() -> None:
    with pytest.raises(OpError, match="at character 4: b is missing on the right"):
        infer(
            "rearrange", {"pattern": "a (b c) -> a"}, {"input": tensor("float[B, H]")}
        )
