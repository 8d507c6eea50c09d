"""Running the generated code of one layer, and what is compared of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from compiler.op.op import Op, Shape
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.concrete import concrete, numbers, tensors, types, values
from tests.ops.coverage import accepted
from tests.ops.one_layer import OneLayer, flat

RAISED_BY_TORCH = (
    ArithmeticError,
    AssertionError,
    IndexError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Ran:
    """What torch gives or raises, and the module if the generated code has run."""

    outputs: Any = None
    error: Exception | None = None
    module: nn.Module | None = None


def run_one(one: OneLayer, device: str, reference: Callable[..., Any] | None) -> Ran:
    """Run the reference where there is one, else the generated code."""
    try:
        inputs = tensors(one.ports, one.dims, device)
        if reference is not None:
            return Ran(reference(*inputs))
        module = module_of(one, device)
        return Ran(module(*flat(inputs)), module=module)
    except RAISED_BY_TORCH as error:
        return Ran(error=error)


def compare(
    one: OneLayer, outputs: tuple[TensorType, ...], ran: Ran, device: str
) -> None:
    """Hold what has run, and the layer as a module, against a rule's outputs and weights."""
    expected = [concrete(output, one.dims) for output in outputs]
    assert types(ran.outputs) == expected, one.source()
    if ran.module is None:  # it was the reference
        ran = run_one(one, device, None)
        assert types(ran.outputs) == expected, (one.source(), ran.error)
    assert ran.module is not None
    _compare_tensors(one, ran.module)
    if one.op.module and one.op.chains:
        built = module_of(one, device, as_module=True)
        inputs = flat(tensors(one.ports, one.dims, device))
        assert types(built(*inputs)) == expected, one.source(as_module=True)
        _compare_tensors(one, built)


def compare_flops(one: OneLayer, outputs: tuple[TensorType, ...], device: str) -> None:
    """An op without a rule of its own has none, whatever its arguments: once will do."""
    if type(one.op).flops is Op.flops and accepted[one.op.name]:
        return
    module, inputs = module_of(one, device), tensors(one.ports, one.dims, device)
    with FlopCounterMode(display=False) as counter:
        module(*flat(inputs))
    counted = one.op.flops(outputs, **one.ports).evaluate(of_networks(one.dims))
    assert counted == counter.get_total_flops()


def _compare_tensors(one: OneLayer, module: nn.Module) -> None:
    learned: dict[str, Any] = dict(module.named_parameters())
    state = module.state_dict().items()
    fixed = {name: value for name, value in state if name not in learned}
    ports = {port: values(value, one.dims) for port, value in one.ports.items()}
    assert _shapes(learned) == _named(one.op.weights(**ports), one.dims)
    assert _shapes(fixed) == _named(one.op.buffers(**ports), one.dims)


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in tensors.items()}


def _named(
    shapes: Mapping[str, Shape], dims: Mapping[str, int]
) -> dict[str, tuple[int, ...]]:
    return {
        f"layer.{name}" if name else "layer": numbers(shape, dims)
        for name, shape in shapes.items()
    }


@lru_cache(maxsize=256)
def _class(source: str) -> type[nn.Module]:
    """Many examples differ in the shapes alone, and have one source."""
    scope: dict[str, Any] = {"__name__": "generated"}
    exec(compile(source, "<string>", "exec"), scope)  # noqa: S102 - made by these tests
    layer: type[nn.Module] = scope["Layer"]
    return layer


def module_of(one: OneLayer, device: str, *, as_module: bool = False) -> nn.Module:
    """The generated class, executed and constructed."""
    kind = _class(one.source(as_module=as_module))
    with torch.device(device):
        return kind()
