"""How an op passes on what its inputs depend on: the rule `flow` that each op declares beside its shape rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from compiler.op.context import Context
from compiler.op.dependence import Along, AxisFlow, Dependence, Source, sources
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

Operand = tuple[Dependence, TensorType]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a layer has to keep from one step to the next.

    `places` is how many earlier places of the axis that carries T it keeps, of tensors whose one place has these
    shapes; None for all of them. A `state` has one place, whatever came before; `fixed keys` are those of a sequence
    that is there at once, as an encoder's.
    """

    kind: Literal["keys", "fixed keys", "window", "state", "running"]
    shapes: tuple[tuple[Dim, ...], ...]
    places: int | None = 1


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
        return Along(_rate(self.value(size), self.length) or Fraction(1))


def _rate(size: Dim, length: Symbol) -> Fraction | None:
    """How many positions apart neighbours are on an axis of this size: 1 for T + 3, 2 for T // 2."""
    if size.symbols != {length}:
        return None
    near, far = (size.evaluate({length: n * 5040}) for n in (10, 20))
    return Fraction(10 * 5040, far - near) if far > near else None


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
        assert len(flow.outputs) == len(call.outputs), type(op).__name__
        return flow

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
