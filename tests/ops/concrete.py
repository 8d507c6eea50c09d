"""Types as real tensors, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from compiler.op.op import Shape
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import Kind, TensorType
from tests.ops.one_layer import Input

DTYPES: dict[Kind, torch.dtype] = {
    "float": torch.float32,
    "int": torch.int64,
    "bool": torch.bool,
}
KINDS = {dtype: kind for kind, dtype in DTYPES.items()}


def values(value: Input, dims: Mapping[str, int]) -> Any:
    """A type in numbers."""
    if isinstance(value, tuple):
        return tuple(values(item, dims) for item in value)
    return value and value.with_shape(*numbers(value.shape, dims))


def numbers(shape: Shape, dims: Mapping[str, int]) -> tuple[int, ...]:
    """A shape in numbers."""
    return tuple(Dim.of(size).evaluate(of_networks(dims)) for size in shape)


def concrete(value: TensorType, dims: Mapping[str, int]) -> tuple[Kind, Any]:
    """What a tensor of the type must be like."""
    return value.kind, numbers(value.shape, dims)


def types(outputs: Any) -> list[tuple[Kind, Any]]:
    """What the tensors are like."""
    found = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    return [(KINDS[value.dtype], tuple(value.shape)) for value in found]


def like(value: Tensor | tuple[Tensor, ...] | None) -> Input:
    """The type of a tensor."""
    if isinstance(value, tuple):
        return tuple(TensorType(k, tuple(map(Dim.of, s))) for k, s in types(value))
    return value if value is None else like((value,))[0]  # type: ignore[index]


def tensors(
    ports: Mapping[str, Input], dims: Mapping[str, int], device: str
) -> list[Any]:
    """Inputs in the order of the ports: zeros, or noise where they are floats.

    There is no noise on the meta device, where torch takes long to make none.
    """
    return [_tensor(value, dims, device) for value in ports.values()]


def _tensor(value: Input, dims: Mapping[str, int], device: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_tensor(item, dims, device) for item in value)
    if value is None:
        return None
    shape = numbers(value.shape, dims)
    zeros = torch.zeros(shape, dtype=DTYPES[value.kind], device=device)
    noisy = value.kind == "float" and device != "meta"
    return torch.randn_like(zeros) if noisy else zeros
