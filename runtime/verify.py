"""The generated module against inference: shapes, dtypes and parameters, at several sizes.

The network is built on the meta device, where nothing is computed but shapes, and for
small ones also for real. What inference says of every output must be what torch gives,
for several values of every symbol; and every learned tensor must have the shape that
inference counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from compiler import Program
from compiler.ir.counts import ParameterCounter
from compiler.ir.typed import Instance
from compiler.symbolic.domain import Constraint
from compiler.symbolic.tensor import TensorType
from runtime.load import constructor_arguments, load_program

SMALL = 5_000_000
"""Networks with at most so many parameters are also run for real."""
COMPUTABLE = 2**22
"""The most elements that an input may have to be run for real."""

RAISED_BY_TORCH = (
    ArithmeticError,
    AttributeError,
    IndexError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)

_DTYPES = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}
Sizes = Mapping[str, int]


def verify(program: Program) -> list[str]:
    """Every point in which the generated module is not what inference says."""
    classes = load_program(program)
    problems: list[str] = []
    for name, instance in program.typed.networks.items():
        problems += _verify_network(classes[name], instance)
    return problems


def _verify_network(network: type[nn.Module], instance: Instance) -> list[str]:
    try:
        with torch.device("meta"):
            module = network(**constructor_arguments(network, instance)).eval()
    except RAISED_BY_TORCH as error:
        return [f"{instance.scope.name} cannot be built: {error}"]
    problems = _verify_parameters(module, instance)
    for sizes in sample_sizes(instance):
        problems += _verify_forward(module, instance, sizes, "meta")
    if ParameterCounter().instance(instance) <= SMALL:
        real = network(**constructor_arguments(network, instance)).eval()
        sizes = next(sample_sizes(instance))
        if _elements(instance, sizes) <= COMPUTABLE:
            problems += _verify_forward(real, instance, sizes, "cpu")
    return problems


def sample_sizes(instance: Instance) -> Iterator[dict[str, int]]:
    """Several values for every symbol of the inputs, small ones, all admitted."""
    symbols = sorted(
        {
            s
            for kind in _kinds(instance)
            for d in kind.shape
            for s in instance.context.value(d).symbols
        }
    )
    domain = instance.context.domain.constraints
    choices = [_sizes(domain.get(symbol, Constraint())) for symbol in symbols]
    rounds = max((len(choice) for choice in choices), default=1)
    for number in range(rounds):
        # Different symbols get different sizes, so that a mix-up shows.
        picked = [c[(number + k) % len(c)] for k, c in enumerate(choices)]
        yield dict(zip(symbols, picked, strict=True))


def _sizes(constraint: Constraint) -> list[int]:
    step = constraint.multiple_of
    least = -(-constraint.min // step) * step
    wanted = [least + 2 * step, least + 3 * step, least, least + 7 * step]
    most = constraint.max
    return [size for size in wanted if most is None or size <= most] or [least]


def _kinds(instance: Instance) -> list[TensorType]:
    return [kind for kind in instance.inputs.values() if kind is not None]


def concrete_shape(instance: Instance, kind: TensorType, sizes: Sizes) -> list[int]:
    """A type's shape at given sizes."""
    return [instance.context.value(size).evaluate(sizes) for size in kind.shape]


def _elements(instance: Instance, sizes: Sizes) -> int:
    shapes = [concrete_shape(instance, kind, sizes) for kind in _kinds(instance)]
    return sum(torch.Size(shape).numel() for shape in shapes)


def sample_inputs(instance: Instance, sizes: Sizes, device: str) -> list[Tensor]:
    """Tensors for the inputs of a network. Integers are small, so that they index any table."""
    made = []
    for kind in _kinds(instance):
        shape = concrete_shape(instance, kind, sizes)
        if kind.kind == "float":
            made.append(torch.randn(shape, device=device))
        else:
            whole = torch.ones(shape, device=device, dtype=_DTYPES[kind.kind])
            made.append(whole)
    return made


def _verify_parameters(module: nn.Module, instance: Instance) -> list[str]:
    counted = ParameterCounter().instance(instance)
    found = sum(parameter.numel() for parameter in module.parameters())
    name = instance.scope.name
    return (
        []
        if counted == found
        else [f"{name} has {found} parameters, inference counts {counted}"]
    )


def _verify_forward(
    module: nn.Module, instance: Instance, sizes: Sizes, device: str
) -> list[str]:
    where = f"{instance.scope.name} at {_shown(sizes)} on {device}"
    inputs = sample_inputs(instance, sizes, device)
    with torch.no_grad():
        try:
            given = module(*inputs)
        except RAISED_BY_TORCH as error:
            return [f"{where}: {error}"]
    outputs = given if isinstance(given, tuple) else (given,)
    if len(outputs) != len(instance.outputs):
        expected = len(instance.outputs)
        return [f"{where}: {len(outputs)} outputs, inference says {expected}"]
    problems = []
    for (name, kind), tensor in zip(instance.outputs.items(), outputs, strict=True):
        shape = concrete_shape(instance, kind, sizes)
        if list(tensor.shape) != shape or tensor.dtype != _DTYPES[kind.kind]:
            found = f"{tensor.dtype} {list(tensor.shape)}"
            problems.append(
                f"{where}: {name} is {found}, inference says {kind.kind}{shape}"
            )
    return problems


def _shown(sizes: Sizes) -> str:
    return ", ".join(f"{name}={size}" for name, size in sizes.items()) or "fixed sizes"
