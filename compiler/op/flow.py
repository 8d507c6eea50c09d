"""How an op passes on what its inputs depend on: the rule `flow` that each op declares beside its shape rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from compiler.dataclass import dataclass, replace
from compiler.op.context import Context
from compiler.op.dependence import (
    Along,
    AxisFlow,
    Dependence,
    MergedAxis,
    Source,
    sources,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

Operand = tuple[Dependence, TensorType]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a layer has to keep from one step to the next.

    `places` is how many earlier places of the axis that carries T it keeps, of tensors whose one place has these
    shapes; None for all of them. A `state` has one place, whatever came before; `fixed keys` are those of a sequence
    that is there at once, as an encoder's. `columns` are an input that is paired with later positions, or summed over.
    """

    kind: Literal[
        "keys", "fixed keys", "window", "state", "running", "extremum", "columns"
    ]
    shapes: tuple[tuple[Dim, ...], ...]
    places: int | None = 1
    axis: int = 0
    """The axis of the input that a window, or a running value, goes along."""

    @property
    def past_axis(self) -> int:
        """`axis` counted from the last; 0 of what has none."""
        return self.axis - len(self.shapes[0]) - 1 if self.shapes else 0


@dataclass(frozen=True, slots=True)
class Flow:
    """What the outputs of an op depend on, and what it has to keep between steps."""

    outputs: tuple[Dependence, ...]
    memory: Memory | None = None


@dataclass(frozen=True)
class FlowCall:
    """One run of an op, as its rule sees it."""

    context: Context
    length: Symbol
    """The symbol T of the network's inputs."""
    types: Mapping[str, TensorType | tuple[TensorType, ...] | None]
    flows: Mapping[str, Dependence | tuple[Dependence, ...] | None]
    outputs: tuple[TensorType, ...]

    def __getitem__(self, port: str) -> Dependence:
        """What the only tensor at a port depends on; one that is absent depends on nothing."""
        found = self.flows.get(port)
        assert not isinstance(found, tuple)
        return Dependence() if found is None else found

    def type(self, port: str) -> TensorType:
        """The type of the only tensor at a port."""
        found = self.types.get(port)
        assert isinstance(found, TensorType)
        return found

    def has(self, port: str) -> bool:
        """Whether there is an input at a port."""
        return self.flows.get(port) is not None

    def operand(self, port: str) -> Operand:
        """The only tensor at a port."""
        return self[port], self.type(port)

    def operands(self, *ports: str) -> Iterator[Operand]:
        """The tensors at some ports, or at all of them."""
        for port in ports or self.flows:
            flow, kind = self.flows.get(port), self.types.get(port)
            if isinstance(flow, tuple) and isinstance(kind, tuple):
                yield from zip(flow, kind, strict=True)
            elif isinstance(flow, Dependence) and isinstance(kind, TensorType):
                yield flow, kind

    def value(self, size: Dim | int) -> Dim:
        """A size in the symbols of the network."""
        return self.context.value(Dim.of(size))

    def number(self, size: Dim | int) -> int | None:
        """A size as a number; None where it depends on the inputs."""
        return self.value(size).constant

    def equal(self, left: Dim | int, right: Dim | int) -> bool:
        """Whether two sizes are equal for every size of the inputs."""
        left, right = self.value(left), self.value(right)
        return left == right or self.context.domain.equal(left, right)

    def reads(self, size: Dim | int) -> bool:
        """Whether a size depends on T."""
        return self.length in self.value(size).symbols

    def axis_of(self, size: Dim | int) -> AxisFlow:
        """The axis that a size makes: one that carries T, and needs no input, if the size reads T."""
        if not self.reads(size):
            return None
        found = self._line(size)
        return Along() if found is None else Along(found[0], end=found[1])

    def ended(self, flow: Dependence, kind: TensorType) -> Dependence:
        """The same, where the sizes of axes say which elements are there."""
        axes = map(self._ended, flow.axes, kind.shape)
        return replace(flow, axes=tuple(axes))

    def _ended(self, axis: AxisFlow, size: Dim) -> AxisFlow:
        if isinstance(axis, MergedAxis):
            factors = map(self._ended, axis.factors, axis.sizes)
            kept = (f if isinstance(f, Along) else None for f in factors)
            return replace(axis, factors=tuple(kept))
        found = axis and self._line(size)
        if axis is None or not found or found[0] != axis.rate:
            return axis
        return replace(axis, end=found[1])

    def _line(self, size: Dim | int) -> tuple[Fraction, Fraction] | None:
        """The rate and the end of an axis by its size; where T is a multiple, positions come in groups."""
        found = _by_size(self.value(size), self.length)
        if found is None:
            return None
        rate, end = found
        group = self.context.domain.constraint(self.length).multiple_of
        return rate, rate * (end // rate) if group % rate == 0 else end


@lru_cache(maxsize=4096)
def _by_size(size: Dim, length: Symbol) -> tuple[Fraction, Fraction] | None:
    """The rate of an axis of a size in T, and its end: (1, 0) for T, (1, 2) for T - 2, (2, 1) for T // 2.

    None where it is no line in T, but for roundings.
    """
    if size.symbols != {length}:
        return None
    base = 5040  # many sizes divide it
    near, far = (size.evaluate({length: n * base}) for n in (10, 20))
    if far <= near:
        return None
    rate = Fraction(10 * base, far - near)
    first = 10 * base - math.ceil(rate)
    least = next(
        (t for t in range(first, 10 * base + 1) if size.evaluate({length: t}) >= near),
        10 * base,
    )
    return rate, least - 1 - rate * (near - 1)


Outcome = Flow | Dependence | tuple[Dependence, ...]


@dataclass(frozen=True)
class FlowRule:
    """A rule that ops share, or that one op declares by a method `flow`."""

    group: str
    """Its name, by which the reference lists ops."""
    function: Callable[[Any, FlowCall], Outcome]
    reads_sizes: bool = False
    """Whether it looks itself at arguments that are sizes, and may read T."""

    def __call__(self, op: Any, call: FlowCall) -> Flow:
        """What the outputs of one run of an op depend on."""
        found = self.function(op, call)
        if isinstance(found, Dependence):
            found = (found,)
        flow = found if isinstance(found, Flow) else Flow(found)
        outputs = zip(flow.outputs, call.outputs, strict=True)
        ended = (call.ended(one, kind) for one, kind in outputs)
        return replace(flow, outputs=tuple(ended))

    @property
    def own(self) -> bool:
        """Whether it is a method of an op."""
        return "." in self.function.__qualname__

    @property
    def text(self) -> str:
        """What the rule says, in a sentence."""
        return " ".join((self.function.__doc__ or "").split())


def flow_rule(
    group: str, *, reads_sizes: bool = False
) -> Callable[[Callable[[Any, FlowCall], Outcome]], FlowRule]:
    """Make a rule of a function of an op and a run, or of an op's method."""

    def decorate(function: Callable[[Any, FlowCall], Outcome]) -> FlowRule:
        return FlowRule(group, function, reads_sizes)

    return decorate


def every_source(call: FlowCall) -> frozenset[Source]:
    """All that the inputs depend on."""
    found: set[Source] = set()
    for flow, _ in call.operands():
        found |= {*flow.whole, *flow.start}
        for axis in flow.axes:
            found |= sources(axis)
    return frozenset(found)


def sized_axes(call: FlowCall, output: TensorType) -> tuple[AxisFlow, ...]:
    """Axes that carry T where their sizes read it, and need no input."""
    return tuple(map(call.axis_of, output.shape))


def unknown(call: FlowCall, reason: str) -> tuple[Dependence, ...]:
    """Outputs each of whose elements may depend on all of the inputs."""
    found = every_source(call)
    return tuple(
        Dependence(sized_axes(call, output)).also(found, reason)
        for output in call.outputs
    )


@flow_rule("later")
def no_rule(op: Any, call: FlowCall) -> tuple[Dependence, ...]:
    """Every element may depend on all positions."""
    return unknown(call, f"{op.name} has no rule")
