"""A network in numbers and formulas: what `measure` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.evaluate import Value
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True, slots=True)
class PortType:
    """The type of a port: in the names of its scope, and by value."""

    port: str
    names: TensorType
    values: TensorType


@dataclass(frozen=True, slots=True)
class Size:
    """The number of parameters, FLOPs and activations of a layer or scope.

    `flops` and `activations` are those of `compiler.cost.costs.Cost`.
    """

    parameters: int
    formula: Dim | None
    """The number of parameters in the names of the scope that the layer is in; None if it is no polynomial in them."""
    flops: Dim | None
    activations: Dim | None


@dataclass(frozen=True, slots=True, eq=False)
class LayerSummary:
    """A layer, or the equal copies of a repeated layer: `layer1[1:3]`."""

    name: str
    op: str
    """The op or block that it runs; "group" for a group."""
    count: int
    """How many copies run; 0 if the layer is inactive."""
    outputs: tuple[PortType, ...]
    size: Size
    """The size of all copies together, over all steps of a scan."""
    notes: tuple[str, ...] = ()
    inside: ScopeSummary | None = None
    """One copy of the block or group that the layer runs; or its copies, if they differ."""


@dataclass(frozen=True, slots=True, eq=False)
class ScopeSummary:
    """A network, block or group with its layers. Layers that run the same instance have the same object."""

    name: str
    kind: Literal["network", "block", "group", "copies"]
    """`copies`: the different copies of one layer."""
    inputs: tuple[PortType, ...]
    outputs: tuple[PortType, ...]
    layers: tuple[LayerSummary, ...]
    size: Size


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """The summaries of all networks of a spec."""

    name: str
    params: Mapping[str, Value]
    networks: Mapping[str, ScopeSummary]
    symbols: Mapping[str, Constraint]
    """The symbols in the inputs' shapes, with the sizes that each admits."""
    at: Mapping[str, int] = field(default_factory=dict)
    """The sizes that were substituted for symbols."""
