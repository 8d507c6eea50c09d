"""Windows as columns and back, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.binding import BindingError
from compiler.op.errors import OpError
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, images, label, some, spread, type_of
from tests.ops.harness import check, infer, run, tensor

STEPS = some(
    dilation=spread(2, st.integers(1, 2)),
    padding=spread(2, st.integers(0, 2)),
    stride=spread(2, st.integers(1, 3)),
)


@each("unfold")
@given(images(2, st.integers(1, 3)), STEPS, spread(2, st.integers(1, 3)))
def test_unfold(op: str, input: Any, arguments: dict[str, Any], kernel: Any) -> None:
    check(op, {"kernel_size": kernel, **arguments}, {"input": input}, device="cpu")


@each("fold")
@given(images(2, st.integers(1, 3)), STEPS, spread(2, st.integers(1, 3)), st.data())
def test_fold(
    op: str, input: Any, arguments: dict[str, Any], kernel: Any, data: st.DataObject
) -> None:
    """Of what `unfold` gives, mostly."""
    arguments = {"kernel_size": kernel, **arguments}
    try:
        (columns,) = infer("unfold", arguments, {"input": input})
    except (OpError, BindingError):
        columns = type_of(4, 4)
    if data.draw(SELDOM):
        columns = columns.with_size(-1, data.draw(st.integers(1, 9)))
    arguments["output_size"] = [size.evaluate({}) for size in input.shape[-2:]]
    check(op, arguments, {"input": columns}, device="cpu")


def test_a_convolution_is_a_product_of_columns() -> None:
    x, weight = torch.rand(1, 2, 5, 5), torch.rand(3, 2, 3, 3)
    columns = run("unfold", {"kernel_size": 3}, {"input": x})
    y = run(
        "fold",
        {"output_size": 3, "kernel_size": 1},
        {"input": weight.flatten(1) @ columns},
    )
    assert torch.allclose(y, torch.conv2d(x, weight), atol=1e-5)


def test_symbols() -> None:
    inputs = {"input": tensor("float[B, C, H, W]")}
    domain = Domain(of_networks({"H": Constraint(2), "W": Constraint(2)}))
    arguments: dict[str, Any] = {"kernel_size": 2, "stride": 2}
    (columns,) = infer("unfold", arguments, inputs, domain=domain)
    assert str(columns) == "float[B, 4 * C, (H // 2) * (W // 2)]"
    arguments["output_size"] = ["H", "W"]
    (image,) = infer("fold", arguments, {"input": columns}, domain=domain)
    assert image == inputs["input"]
    with pytest.raises(OpError, match="as many columns as the image has blocks"):
        infer("fold", {**arguments, "stride": 1}, {"input": columns}, domain=domain)


def test_code() -> None:
    found = check(
        "unfold", {"kernel_size": 3, "padding": 1}, {"input": type_of(2, 4, 4)}
    )
    assert found.forward == ["return F.unfold(input, 3, padding=1)"]
    arguments = {"output_size": [4, 4], "kernel_size": 2, "stride": 2}
    found = check("fold", arguments, {"input": type_of(8, 4)})
    assert found.forward == ["return F.fold(input, (4, 4), 2, stride=2)"]
    shown = label("fold", arguments, input=type_of(8, 4))
    assert shown == "2×2, stride 2, to 4×4"
