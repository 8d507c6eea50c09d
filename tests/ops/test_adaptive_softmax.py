"""The adaptive softmax, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, label, some, type_of
from tests.ops.harness import check, infer, layer, tensor

OP = "adaptive_log_softmax_with_loss"


@each(OP)
@given(st.data())
def test_rule(op: str, data: st.DataObject) -> None:
    sizes = st.integers(1, 5)
    cutoffs = data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=3))
    if not data.draw(SELDOM):
        cutoffs = sorted(set(cutoffs))
    arguments: dict[str, Any] = {"cutoffs": cutoffs, "n_classes": data.draw(sizes) + 5}
    divisors = st.sampled_from((1.0, 1.5, 2.0))
    arguments |= data.draw(some(div_value=divisors, head_bias=st.booleans()))
    arguments["log_prob"] = not data.draw(st.booleans())
    batch = data.draw(sizes)
    rows = [batch] if arguments["log_prob"] or data.draw(st.booleans()) else []
    width = data.draw(st.integers(64, 70))
    inputs = {"input": type_of(*rows, width)}
    if not arguments["log_prob"]:
        count = data.draw(sizes) if data.draw(SELDOM) else batch
        inputs["target"] = type_of(*rows and [count], kind="int")
    full = arguments["log_prob"]  # else torch leaves out parts that no target is in
    check(op, arguments, inputs, device="cpu", flops=full)


def module(**arguments: Any) -> torch.nn.Module:
    inputs = {"input": type_of(6, 16), "target": type_of(6, kind="int")}
    settings = {"n_classes": 20, "cutoffs": [4, 10], **arguments}
    return layer(OP, settings, inputs)


def test_compiled_numbers() -> None:
    own, x = module(), torch.randn(6, 16)
    target = torch.tensor([0, 3, 4, 9, 10, 19])
    expected, loss = own.layer(x, target)  # type: ignore[operator]
    assert torch.allclose(loss, -expected.mean())
    compiled = torch.compile(own, fullgraph=True, backend="eager")
    for found, wanted in zip(compiled(x, target), (expected, loss), strict=True):
        torch.testing.assert_close(found, wanted)


def test_symbols() -> None:
    arguments: dict[str, Any] = {"n_classes": 20, "cutoffs": [4, 10]}
    inputs = {"input": tensor("float[B, 16]"), "target": tensor("int[B]")}
    outputs = infer(OP, arguments, inputs)
    assert [*map(str, outputs)] == ["float[B]", "float[]"]
    arguments["log_prob"] = True
    (output,) = infer(OP, arguments, {"input": inputs["input"]})
    assert str(output) == "float[B, 20]"


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"cutoffs": [10, 4]}, "cutoffs"),
        ({"cutoffs": [20]}, "cutoffs"),
        ({"div_value": 20.0}, "div_value"),
        ({"log_prob": True}, "log_prob"),
    ],
)
def test_faults(arguments: dict[str, Any], argument: str) -> None:
    inputs = {"input": tensor("float[B, 16]"), "target": tensor("int[B]")}
    settings = {"n_classes": 20, "cutoffs": [4, 10], **arguments}
    with pytest.raises(OpError) as caught:
        infer(OP, settings, inputs)
    assert caught.value.argument == argument


def test_code() -> None:
    arguments = {"n_classes": 20, "cutoffs": [4, 10], "log_prob": True}
    inputs = {"input": type_of(6, 16)}
    found = check(OP, arguments, inputs)
    assert found.construct == "AdaptiveLogSoftmax(16, 20, (4, 10))"
    assert found.forward[0] == "return self.layer.log_prob(input)"
    assert label(OP, arguments, **inputs) == "20 classes, cut at 4, 10"
