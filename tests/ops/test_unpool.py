"""Maximum unpooling, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from compiler.op.errors import OpError
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, images, some, type_of
from tests.ops.harness import check, infer, run, tensor


def alike(n: int, values: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """One number or as many as there are dimensions; torch overlooks what is more."""
    lists = st.lists(values, min_size=n, max_size=n)
    return values | lists if n > 1 else values


@each("max_unpool1d", "max_unpool2d", "max_unpool3d")
@given(st.data())
def test_max_unpool(op: str, data: st.DataObject) -> None:
    n = int(op[-2])
    steps = st.integers(1, 4)
    arguments = data.draw(
        some(
            stride=alike(n, steps),
            padding=alike(n, st.integers(0, 1)),
            output_size=st.lists(st.integers(1, 9), min_size=n, max_size=n),
        )
    )
    arguments["kernel_size"] = data.draw(alike(n, steps))
    input = data.draw(images(n, st.integers(1, 3), most=4))
    indices = TensorType("int", input.shape)
    if data.draw(SELDOM):
        indices = indices.with_size(0, data.draw(st.integers(1, 3)))
    check(op, arguments, {"input": input, "indices": indices}, device="cpu")


def test_it_undoes_pooling() -> None:
    x = torch.rand(1, 2, 7, 6)
    top, places = F.max_pool2d(x, 2, return_indices=True)
    arguments = {"kernel_size": 2, "output_size": [7, 6]}
    found = run("max_unpool2d", arguments, {"input": top, "indices": places})
    assert found.shape == x.shape and torch.equal(found, x * (found > 0))


def test_symbols() -> None:
    inputs = {
        "input": tensor("float[B, C, L // 2]"),
        "indices": tensor("int[B, C, L // 2]"),
    }
    domain = Domain(of_networks({"L": Constraint(2)}))
    arguments: dict[str, Any] = {"kernel_size": 2}
    (output,) = infer("max_unpool1d", arguments, inputs, domain=domain)
    assert str(output) == "float[B, C, 2 * (L // 2)]"
    arguments["output_size"] = ["L"]
    (output,) = infer("max_unpool1d", arguments, inputs, domain=domain)
    assert str(output) == "float[B, C, L]"
    arguments["output_size"] = ["L + 1"]
    with pytest.raises(OpError, match="must differ by less than the stride") as caught:
        infer("max_unpool1d", arguments, inputs, domain=domain)
    assert caught.value.argument == "output_size"


def test_code() -> None:
    input, indices = type_of(1, 4, 4), type_of(1, 4, 4, kind="int")
    arguments = {"kernel_size": 2, "output_size": [9, 8]}
    found = check(
        "max_unpool2d", arguments, {"input": input, "indices": indices}, device="cpu"
    )
    assert found.construct == "nn.MaxUnpool2d(2)"
    assert found.forward == ["return self.layer(input, indices, output_size=(9, 8))"]


def test_a_list_is_as_long_as_there_are_dimensions() -> None:
    """torch takes the first numbers of a longer one."""
    inputs = {"input": type_of(1, 4, 4), "indices": type_of(1, 4, 4, kind="int")}
    for argument in ("stride", "kernel_size", "padding"):
        arguments = {"kernel_size": 2, argument: [1, 1, 1]}
        with pytest.raises(OpError, match=f"{argument} needs 1 or 2 values"):
            infer("max_unpool2d", arguments, inputs)
