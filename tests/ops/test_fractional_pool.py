"""Fractional max pooling, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, images, label, some, spread, type_of
from tests.ops.harness import check, infer, tensor


@each("fractional_max_pool2d", "fractional_max_pool3d")
@given(st.data())
def test_fractional_max_pool(op: str, data: st.DataObject) -> None:
    n = int(op[-2])
    input = data.draw(images(n, st.integers(1, 3), most=9))
    arguments = data.draw(some(return_indices=st.booleans()))
    arguments["kernel_size"] = data.draw(spread(n, st.integers(1, 3)))
    by_ratio, confused = data.draw(st.booleans()), data.draw(SELDOM)
    ratios = st.sampled_from((0.5, 0.7, 1 / 3))
    if by_ratio or confused:
        # torch looks at the first numbers of a longer list
        lists = st.lists(ratios, min_size=n, max_size=n)
        arguments["output_ratio"] = data.draw(ratios | lists)
    if not by_ratio or confused:
        arguments["output_size"] = data.draw(spread(n, st.integers(1, 5)))
    if confused:  # torch's function goes by the size, its class refuses
        with pytest.raises(OpError, match="either output_size or output_ratio"):
            infer(op, arguments, {"input": input})
        return
    check(op, arguments, {"input": input}, device="cpu")


@pytest.mark.parametrize("ratio", [1.0, 0.0, [0.5, 2.0], [1.5]])
def test_ratio_is_a_part(ratio: Any) -> None:
    """The function takes more, but torch's class does not."""
    arguments = {"kernel_size": 1, "output_ratio": ratio}
    with pytest.raises(OpError, match="output_ratio must be between 0 and 1"):
        infer("fractional_max_pool2d", arguments, {"input": type_of(1, 8, 8)})


def test_symbols() -> None:
    inputs = {"input": tensor("float[B, C, H, W]")}
    arguments: dict[str, Any] = {"kernel_size": 2, "output_ratio": 0.5}
    domain = Domain(of_networks({"H": Constraint(2), "W": Constraint(2)}))
    (output,) = infer("fractional_max_pool2d", arguments, inputs, domain=domain)
    assert str(output) == "float[B, C, H // 2, W // 2]"
    arguments = {"kernel_size": 3, "output_size": [4, 4]}
    with pytest.raises(
        OpError, match="the input size minus the output size is H - 4"
    ) as e:
        infer("fractional_max_pool2d", arguments, inputs)
    assert "H >= 6" in e.value.conditions.help


def test_code() -> None:
    input = type_of(1, 8, 8)
    arguments: dict[str, Any] = {"kernel_size": 2, "output_ratio": 0.5}
    found = check("fractional_max_pool2d", arguments, {"input": input}, device="cpu")
    assert found.forward == [
        "return F.fractional_max_pool2d(input, 2, output_ratio=(0.5, 0.5))",
    ]
    assert label("fractional_max_pool2d", arguments, input=input) == "2×2, to 4×4"
