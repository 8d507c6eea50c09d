"""Run a generated module, and compare its shapes, dtypes and parameter count with the compiler's.

The module runs on the meta device, where only shapes are computed, with several values for every
symbol; a small one also runs on the CPU. Every output must have the inferred shape and dtype, and
the parameters must be as many as the compiler counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import torch
from torch import Tensor, nn

from compiler import Program
from compiler.ir.counts import ParameterCounter
from compiler.ir.typed import Instance
from compiler.symbolic.domain import Constraint
from compiler.symbolic.tensor import TensorType
from runtime.load import constructor_arguments, load_program

MAX_CPU_PARAMETERS: Final = 5_000_000
"""Networks with at most this number of parameters also run on the CPU."""
MAX_CPU_ELEMENTS: Final = 2**22
"""Maximum number of elements of all inputs together, to run on the CPU."""

RAISED_BY_TORCH: Final = (
    ArithmeticError,
    AttributeError,
    IndexError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)

_DTYPES: Final = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}
SymbolSizes = Mapping[str, int]
"""The value of each symbol."""


def verify(program: Program) -> list[str]:
    """The differences between the generated module and what the compiler inferred, as messages."""
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
    if ParameterCounter().instance(instance) <= MAX_CPU_PARAMETERS:
        on_cpu = network(**constructor_arguments(network, instance)).eval()
        sizes = next(sample_sizes(instance))
        if _input_elements(instance, sizes) <= MAX_CPU_ELEMENTS:
            problems += _verify_forward(on_cpu, instance, sizes, "cpu")
    return problems


def sample_sizes(instance: Instance) -> Iterator[dict[str, int]]:
    """Several small allowed values for every symbol of a network's inputs."""
    symbols = sorted(
        {
            symbol
            for tensor_type in _input_types(instance)
            for size in tensor_type.shape
            for symbol in instance.context.value(size).symbols
        }
    )
    domain = instance.context.domain.constraints
    choices = [_sample(domain.get(symbol, Constraint())) for symbol in symbols]
    samples = max((len(choice) for choice in choices), default=1)
    for number in range(samples):
        # Symbols have different sizes, so that confusing two of them shows.
        sizes = [c[(number + k) % len(c)] for k, c in enumerate(choices)]
        yield dict(zip(symbols, sizes, strict=True))


def _sample(constraint: Constraint) -> list[int]:
    """A few values that a constraint allows."""
    step, limit = constraint.multiple_of, constraint.max
    smallest = -(-constraint.min // step) * step
    sizes = [smallest + 2 * step, smallest + 3 * step, smallest, smallest + 7 * step]
    return [size for size in sizes if limit is None or size <= limit] or [smallest]


def _input_types(instance: Instance) -> list[TensorType]:
    return [found for found in instance.inputs.values() if found is not None]


def concrete_shape(
    instance: Instance, tensor_type: TensorType, sizes: SymbolSizes
) -> list[int]:
    """The shape of a type, with values for its symbols."""
    return [instance.context.value(size).evaluate(sizes) for size in tensor_type.shape]


def _input_elements(instance: Instance, sizes: SymbolSizes) -> int:
    types = _input_types(instance)
    shapes = [concrete_shape(instance, found, sizes) for found in types]
    return sum(torch.Size(shape).numel() for shape in shapes)


def sample_inputs(instance: Instance, sizes: SymbolSizes, device: str) -> list[Tensor]:
    """Tensors for a network's inputs: random floats; integers are 1, which every embedding has as an index."""
    inputs = []
    for found in _input_types(instance):
        shape = concrete_shape(instance, found, sizes)
        if found.kind == "float":
            inputs.append(torch.randn(shape, device=device))
        else:
            ones = torch.ones(shape, device=device, dtype=_DTYPES[found.kind])
            inputs.append(ones)
    return inputs


def _verify_parameters(module: nn.Module, instance: Instance) -> list[str]:
    expected = ParameterCounter().instance(instance)
    actual = sum(parameter.numel() for parameter in module.parameters())
    if actual == expected:
        return []
    name = instance.scope.name
    return [f"{name} has {actual} parameters, but the compiler counts {expected}"]


def _verify_forward(
    module: nn.Module, instance: Instance, sizes: SymbolSizes, device: str
) -> list[str]:
    where = f"{instance.scope.name} at {_format_sizes(sizes)} on {device}"
    inputs = sample_inputs(instance, sizes, device)
    with torch.no_grad():
        try:
            output = module(*inputs)
        except RAISED_BY_TORCH as error:
            return [f"{where}: {error}"]
    outputs = output if isinstance(output, tuple) else (output,)
    if len(outputs) != len(instance.outputs):
        expected = len(instance.outputs)
        return [f"{where}: {len(outputs)} outputs, but inference says {expected}"]
    problems = []
    for (name, found), tensor in zip(instance.outputs.items(), outputs, strict=True):
        shape = concrete_shape(instance, found, sizes)
        if list(tensor.shape) != shape or tensor.dtype != _DTYPES[found.kind]:
            actual = f"{tensor.dtype} {list(tensor.shape)}"
            inferred = f"{found.kind}{shape}"
            message = f"{where}: {name} is {actual}, but inference says {inferred}"
            problems.append(message)
    return problems


def _format_sizes(sizes: SymbolSizes) -> str:
    return ", ".join(f"{name}={size}" for name, size in sizes.items()) or "fixed sizes"
