"""Sample sizes and input tensors for a network: small, and allowed by its `dims`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import torch
from torch import Tensor

from compiler.ir.typed import Instance
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

DTYPES: Final = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}
SymbolSizes = Mapping[Symbol, int]
"""The value of each symbol."""


def sample_sizes(instance: Instance) -> Iterator[dict[Symbol, int]]:
    """Several small allowed values for every symbol of a network's inputs."""
    constraints = symbol_constraints(instance)
    choices = list(map(_sample, constraints.values()))
    samples = max((len(choice) for choice in choices), default=1)
    for number in range(samples):
        # Symbols have different sizes, so that confusing two of them shows.
        sizes = [c[(number + k) % len(c)] for k, c in enumerate(choices)]
        yield dict(zip(constraints, sizes, strict=True))


def smallest_sizes(instance: Instance) -> dict[Symbol, int]:
    """The smallest allowed value of every symbol of a network's inputs."""
    constraints = symbol_constraints(instance).items()
    return {symbol: _smallest(constraint) for symbol, constraint in constraints}


def symbol_constraints(instance: Instance) -> dict[Symbol, Constraint]:
    """The symbols of a network's inputs, sorted, and which values they may have."""
    shapes = input_shapes(instance)
    symbols = {symbol for shape in shapes for size in shape for symbol in size.symbols}
    domain = instance.context.domain
    return {symbol: domain.constraint(symbol) for symbol in sorted(symbols)}


def input_shapes(instance: Instance) -> list[list[Dim]]:
    """The shape of each input in symbols, all inputs present."""
    value = instance.context.value
    return [[value(size) for size in one.shape] for one in _input_types(instance)]


def _sample(constraint: Constraint) -> list[int]:
    """A few values that a constraint allows."""
    step, limit = constraint.multiple_of, constraint.max
    smallest = _smallest(constraint)
    sizes = [smallest + 2 * step, smallest + 3 * step, smallest, smallest + 7 * step]
    return [size for size in sizes if limit is None or size <= limit] or [smallest]


def _smallest(constraint: Constraint) -> int:
    """The smallest value that a constraint allows."""
    step = constraint.multiple_of
    return -(-constraint.min // step) * step


def _input_types(instance: Instance) -> list[TensorType]:
    return [found for found in instance.inputs.values() if found is not None]


def concrete_shape(
    instance: Instance, tensor_type: TensorType, sizes: SymbolSizes
) -> list[int]:
    """The shape of a type, with values for its symbols."""
    return [instance.context.value(size).evaluate(sizes) for size in tensor_type.shape]


def input_elements(instance: Instance, sizes: SymbolSizes) -> int:
    """The number of elements of all inputs together."""
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
            ones = torch.ones(shape, device=device, dtype=DTYPES[found.kind])
            inputs.append(ones)
    return inputs


def random_inputs(
    instance: Instance, sizes: SymbolSizes, limit: int, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Random tensors for a network's inputs, by name; the same ones every time.

    Args:
        instance: the network.
        sizes: the value of each symbol.
        limit: integers are from 0 to `limit - 1`; 0: all are 1.
        dtype: dtype of floats.
    """
    inputs: dict[str, Tensor] = {}
    generator = torch.Generator().manual_seed(1)
    for port, found in instance.inputs.items():
        if found is None:
            continue
        shape = concrete_shape(instance, found, sizes)
        if found.kind == "float":
            inputs[port] = torch.randn(shape, generator=generator, dtype=dtype)
        elif found.kind == "bool":  # mostly true
            inputs[port] = torch.rand(shape, generator=generator) < 0.7
        elif not limit:
            inputs[port] = torch.ones(shape, dtype=torch.int64)
        else:
            inputs[port] = torch.randint(limit, shape, generator=generator)
    return inputs
