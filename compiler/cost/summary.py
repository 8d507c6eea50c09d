"""A network in numbers and formulas: what `measure` gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.evaluate import Value
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True, slots=True)
class Typed:
    """The type of a port: in the names of its scope, and in values."""

    port: str
    names: TensorType
    values: TensorType


@dataclass(frozen=True, slots=True)
class Size:
    """How large something is.

    `parameters` is a number, `formula` the same in the names of the scope where the
    layer stands (None where no polynomial says it); `flops` and `activations` are as
    in `compiler.cost.costs.Cost`.
    """

    parameters: int
    formula: Dim | None
    flops: Dim | None
    activations: Dim | None


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A layer; or of a repeated layer the copies that are alike, `layer1[1:3]`."""

    name: str
    op: str
    """The op or block that it runs; "group" for a group."""
    count: int
    """How many copies run; 0 where it is switched off."""
    outputs: tuple[Typed, ...]
    size: Size
    """Of all copies together, and of all steps of a scan."""
    notes: tuple[str, ...] = ()
    inside: Section | None = None
    """One copy of the block or group that it runs, or its different copies."""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A scope with its values. Layers that run the same one have the same object."""

    name: str
    kind: str
    """`network`, `block`, `group`; `copies` for those of a layer that differ."""
    inputs: tuple[Typed, ...]
    outputs: tuple[Typed, ...]
    rows: tuple[Row, ...]
    size: Size


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Everything that is counted, for all networks of a spec."""

    name: str
    params: Mapping[str, Value]
    networks: Mapping[str, Section]
    symbols: Mapping[str, Constraint]
    """The symbols of the inputs, and which sizes they admit."""
    at: Mapping[str, int] = field(default_factory=dict)
    """The sizes at which it was evaluated; the formulas hold the other symbols."""
