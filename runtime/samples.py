"""Sample sizes and input tensors for a network: small, and allowed by its `dims`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import torch
from torch import Tensor

from compiler.ir.typed import Instance
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

DTYPES: Final = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}
_SAMPLES: Final = 4
"""How many sizes of each symbol are tried."""
_MORE: Final = (4, 5, 6, 8, 9, 10, 11, 12)
"""By how many steps the sizes that take the place of others are above the smallest."""
SymbolSizes = Mapping[Symbol, int]
"""The value of each symbol."""


def sample_sizes(instance: Instance) -> Iterator[dict[Symbol, int]]:
    """Several small allowed values for every symbol of a network's inputs.

    Symbols have different sizes, which the network has nowhere else, so that confusing two of them shows, and nothing
    that an op tells apart by its size is equal by chance. The smallest size, often 1, is tried even so.
    """
    constraints = symbol_constraints(instance)
    fixed = _fixed_sizes(instance)
    choices = [_sample(constraint, fixed) for constraint in constraints.values()]
    samples = max((len(choice[:_SAMPLES]) for choice in choices), default=1)
    for number in range(samples):
        sizes: list[int] = []
        for k, choice in enumerate(choices):
            first = (number + k) % len(choice[:_SAMPLES])
            wanted = (choice[first], *choice[_SAMPLES:], *choice[:_SAMPLES])
            free = (size for size in wanted if size not in sizes)
            sizes.append(next(free, wanted[0]))
        yield dict(zip(constraints, sizes, strict=True))


def _fixed_sizes(instance: Instance) -> set[int]:
    """The sizes that tensors of a network have whatever its inputs are."""
    found: set[int] = set()
    seen: set[Instance] = set()
    pending = [instance]
    while pending:
        one = pending.pop()
        if one in seen:
            continue
        seen.add(one)
        for call in (call for node in one.nodes.values() for call in node.calls):
            for kind in (*call.inputs.values(), *call.outputs.values()):
                for tensor in kind if isinstance(kind, tuple) else (kind,):
                    shape = () if tensor is None else tensor.shape
                    values = (one.context.value(size).constant for size in shape)
                    found.update(size for size in values if size is not None)
            if call.instance is not None:
                pending.append(call.instance)
    return found


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


def _sample(constraint: Constraint, fixed: Collection[int]) -> list[int]:
    """A few values that a constraint allows, then more of them; of those that are not `fixed` where it allows some."""
    step, limit = constraint.multiple_of, constraint.max
    smallest = _smallest(constraint)
    sizes = [smallest + number * step for number in (2, 3, 7, *_MORE)]
    sizes = [size for size in sizes if limit is None or size <= limit]
    sizes = [size for size in sizes if size not in fixed] or sizes
    return [*sizes[:2], smallest, *sizes[2:]]


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
