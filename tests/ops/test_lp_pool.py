"""Power-average pooling, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from tests.ops.coverage import each
from tests.ops.draws import images, label, some, spread, type_of
from tests.ops.harness import check, infer, run, tensor


@each("lp_pool1d", "lp_pool2d", "lp_pool3d")
@given(st.data())
def test_lp_pool(op: str, data: st.DataObject) -> None:
    n = int(op[-2])
    strides = spread(n, st.integers(1, 5))
    arguments = data.draw(some(stride=strides, ceil_mode=st.booleans()))
    kernels = st.integers(1, 4)
    # torch's function of one dimension takes no list of one, and code never has it
    arguments["kernel_size"] = data.draw(spread(n, kernels) if n > 1 else kernels)
    arguments["norm_type"] = data.draw(st.sampled_from((0, 1, 2.0, float("inf"))))
    input = data.draw(images(n, st.integers(1, 3), most=9))
    check(op, arguments, {"input": input}, device="cpu")


def test_numbers() -> None:
    x = torch.rand(1, 2, 4)
    found = run("lp_pool1d", {"norm_type": 2, "kernel_size": 4}, {"input": x})
    assert torch.allclose(found[..., 0], x.norm(dim=-1))


def test_window_may_not_fit() -> None:
    arguments = {"norm_type": 2, "kernel_size": 3}
    with pytest.raises(OpError, match="the padded input is L"):
        infer("lp_pool1d", arguments, {"input": tensor("float[C, L]")})


def test_code() -> None:
    arguments: dict[str, Any] = {"norm_type": 2, "kernel_size": 3, "stride": 2}
    found = check("lp_pool2d", arguments, {"input": type_of(1, 8, 8)})
    assert found.construct == ""
    assert found.forward == ["return F.lp_pool2d(input, 2.0, 3, stride=2)"]
    shown = label("lp_pool2d", arguments, input=type_of(1, 8, 8))
    assert shown == "p 2, 3×3, stride 2"
