"""The graph with types, the result of inference.

Every scope is inferred once for each set of values that it is used with: an `Instance`. Its types are in the names of
the scope (`4 * width`); its context knows the values behind them (3072, or `(H + 1) // 2` of the network's inputs).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

from compiler.dataclass import dataclass, replace
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.ir.graph import Graph, Node, Ref, Scope
from compiler.op.context import Context
from compiler.op.op import Op, Shape
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

NONE = Dim.of(0)

Types = Mapping[str, TensorType | tuple[TensorType, ...] | None]
"""Types by port: a tuple for a variadic port, None for an optional input that is absent."""


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One run of a layer's target: an op bound to its arguments, or an instance of a block or group.

    `count` equal runs follow one another where the layer repeats. All types are in the names of the caller.
    """

    inputs: Types
    outputs: Mapping[str, TensorType]
    op: Op | None = None
    weights: Mapping[str, Shape] = field(default_factory=dict)
    buffers: Mapping[str, Shape] = field(default_factory=dict)
    flops: Dim | None = NONE
    """None where the formula is too large."""
    instance: Instance | None = None
    binding: Mapping[Symbol, Dim] = field(default_factory=dict)
    """What each dimension and number of the block is, in the names of the caller."""
    counter: int = 0
    count: int = 1

    def times(self, count: int) -> LayerCall:
        """The same run, `count` times."""
        return self if count == self.count else replace(self, count=count)

    def same_as(self, other: LayerCall) -> bool:
        """Whether another run is the same, on the same types."""
        return (
            self.instance is other.instance
            and self.binding == other.binding
            and self.inputs == other.inputs
            and (
                self.op is None
                or (other.op is not None and vars(self.op) == vars(other.op))
            )
        )


@dataclass(frozen=True, slots=True)
class Scan:
    """How a layer runs along a dimension: which inputs are split, along which axes, and which states are carried."""

    length: Dim
    axes: Mapping[str, int]
    axis: int
    carry: Mapping[str, TensorType]


@dataclass(frozen=True, slots=True)
class Routed:
    """How the copies of a layer are experts, which run on the tokens that are sent to them."""

    per_token: Dim
    """The experts that a token has."""
    alone: Instance
    """An expert on a number of tokens that nothing else has."""
    counted: bool = False
    """Whether the layer that chooses experts chooses from as many as there are copies, which is a size."""


def item_port(name: str, number: int) -> str:
    """The port of an item of a list: `features.2`."""
    return f"{name}.{number}"


@dataclass(frozen=True, eq=False)
class TypedNode:
    """A layer with its runs; none if it is switched off or repeated 0 times, and passes on its input."""

    node: Node
    target: type[Op] | Scope
    inputs: Mapping[str, Ref | tuple[Ref, ...]]
    calls: tuple[LayerCall, ...]
    outputs: Mapping[str, TensorType]
    arguments: Mapping[str, Any]
    """The arguments as written, for the target that a param of type `op` chose too."""
    active: bool = True
    scan: Scan | None = None
    speculative: tuple[LayerCall, ...] = ()
    """Runs that other values of the params would add; for the code alone."""
    ties: Mapping[str, str] = field(default_factory=dict)
    """The tensors that are one with others, and the paths of those."""
    lists: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The lists that it collects, and the copies that each item is of; `outputs` has the items."""
    each: frozenset[str] = frozenset()
    """The inputs at which it takes a list item by item: copy k takes item k. `inputs` has all items."""
    routed: Routed | None = None
    outcomes: frozenset[bool] = frozenset()
    """What may come out of a condition that asks for inputs, whichever are given when the network runs."""
    idle: tuple[LayerCall, ...] = ()
    """Its run as it would be, where it does not run and is built: another set of inputs runs it."""

    @property
    def ports(self) -> tuple[str, ...]:
        """The outputs that its code gives, those too that are absent here."""
        target, own = self.target, tuple(self.outputs)
        if not isinstance(target, Scope) or not target.optional or not self.calls:
            return own
        return tuple(target.outputs)

    @property
    def without_items(self) -> dict[str, TensorType]:
        """The outputs without the items of lists."""
        items, outputs = self.items, self.outputs
        return {port: kind for port, kind in outputs.items() if port not in items}

    @property
    def of_copy(self) -> dict[str, TensorType]:
        """The outputs that the last copy gives, without stacks and items of lists."""
        repeat, outputs = self.node.layer.repeat, self.without_items
        more = {} if repeat is None else repeat.stack
        return {port: kind for port, kind in outputs.items() if port not in more}

    @cached_property
    def items(self) -> Mapping[str, tuple[str, int]]:
        """The ports of the items of its lists, each with the list and the copy that it is of."""
        return {
            item_port(name, number): (name, copy)
            for name, copies in self.lists.items()
            for number, copy in enumerate(copies)
        }

    def copy_port(self, port: str) -> str:
        """The output of a copy that an output of the layer is, or is made of."""
        repeat = self.node.layer.repeat
        if repeat is None or not self.calls:
            return port
        name, _ = self.items.get(port, (port, 0))
        inside = {**repeat.stack, **repeat.collect}.get(name, name)
        return inside or next(iter(self.calls[0].outputs))

    @property
    def built(self) -> tuple[LayerCall, ...]:
        """The runs for which something is built: its own, or those that other inputs would make."""
        return self.calls or self.idle

    @property
    def is_built(self) -> bool:
        """Whether what it needs is built in this use, be it to run with other inputs."""
        return bool(self.calls) or True in self.outcomes

    @property
    def shown(self) -> TypedNode:
        """The layer as code shows it: as it would run, where it is off."""
        runs = self.idle or self.speculative
        if self.calls or not runs:
            return self
        return replace(
            self, calls=runs, outputs=runs[-1].outputs, speculative=(), idle=()
        )

    @property
    def count(self) -> int:
        """How many copies run."""
        return sum(call.count for call in self.calls)


@dataclass(frozen=True, eq=False)
class Instance:
    """A scope with its values: every layer typed. A layer that failed, or needs one that did, is missing."""

    scope: Scope
    params: Mapping[str, Value]
    context: Context
    inputs: Mapping[str, TensorType | None]
    nodes: Mapping[str, TypedNode]
    outputs: Mapping[str, TensorType]
    names: SymbolTable
    values: Mapping[str, Value]
    given: frozenset[str] = frozenset()
    """The params of a network that a variant or a setting gives a value."""
    open: frozenset[str] = frozenset()
    """The inputs that may be there or not when the network runs, where layers ask for that."""
    types_of: Instance | None = None
    """The instance that was inferred for this one, where the two differ only in values that no type depends on."""

    @property
    def absent(self) -> list[str]:
        """The inputs that are not there."""
        return [name for name, kind in self.inputs.items() if kind is None]

    @property
    def inferred(self) -> Instance:
        """The instance that was inferred: the same for all that differ only in values."""
        return self.types_of or self

    def type_of(self, ref: Ref) -> TensorType | None:
        """The type of a value in this scope; None if it could not be inferred."""
        return type_of(ref, self.scope, self.inputs, self.nodes)


def type_of(
    ref: Ref,
    scope: Scope,
    inputs: Mapping[str, TensorType | None],
    nodes: Mapping[str, TypedNode],
) -> TensorType | None:
    """The type of a value in a scope of which some layers are typed; None where it is not, or is absent."""
    if ref.node in scope.inputs and ref.node not in nodes:
        return inputs.get(ref.node)
    typed = nodes.get(ref.node)
    if typed is None or not typed.outputs:
        return None
    if ref.port:
        return typed.outputs.get(ref.port)
    return next(iter(typed.outputs.values()))


@dataclass(frozen=True, eq=False)
class TypedGraph:
    """The result of `infer`: an instance of each network, and the errors."""

    graph: Graph
    params: Mapping[str, Value]
    networks: Mapping[str, Instance]
    diagnostics: tuple[Diagnostic, ...] = ()
    adjusted: bool = False
    """Whether a variant or a setting gives some param another value than the spec."""
    bare: Mapping[str, tuple[Instance, ...]] = field(default_factory=dict)
    """The networks that have optional inputs, without these; then, where layers ask for them, without other sets."""

    def each_way(self, network: str) -> tuple[Instance, ...]:
        """A network with all of its inputs, and without optional ones."""
        return self.networks[network], *self.bare.get(network, ())

    def with_inputs(self, network: str, given: Collection[str]) -> Instance:
        """A network with these inputs; with all of them where no layer asks which of several are there."""
        for one in self.bare.get(network, ()):
            if all(
                (kind is None) is (port not in given)
                for port, kind in one.inputs.items()
            ):
                return one
        return self.networks[network]

    @property
    def failed(self) -> bool:
        """Whether there are errors; the types are then incomplete."""
        return any(item.severity == "error" for item in self.diagnostics)

    @property
    def roots(self) -> tuple[Instance, ...]:
        """The networks, and what they are without optional inputs."""
        without = (one for ways in self.bare.values() for one in ways)
        return *self.networks.values(), *without

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """What was inferred: the instances of the networks and those they use, each once."""
        return tuple(walk_instances(self.networks.values(), inferred=True))


class BlockName(str):
    """The value of a param of type `op` that names a block: its name, and the file that it is in.

    Files may have blocks of the same name. Text for all that prints it; `hashable` tells two of them apart.
    """

    file: str

    def __new__(cls, name: str, file: str) -> BlockName:
        """A name with its file."""
        made = super().__new__(cls, name)
        made.file = file
        return made


def hashable(value: Any) -> Any:
    """A value as part of a key: 1, 1.0 and True are three different ones."""
    if isinstance(value, BlockName):
        return (BlockName.__name__, str(value), value.file)
    if isinstance(value, tuple | list):
        return tuple(hashable(item) for item in value)
    return (type(value).__name__, value)


def is_whole(instance: Instance, dropped: Collection[int] = ()) -> bool:
    """Whether all layers of an instance could be inferred, those inside it too, and none is of what was dropped."""
    pending, seen = [instance], {id(instance)}
    while pending:
        one = pending.pop()
        if id(one) in dropped or len(one.nodes) < len(one.scope.nodes):
            return False
        for node in one.nodes.values():
            for call in node.calls:
                if call.instance is not None and id(call.instance) not in seen:
                    seen.add(id(call.instance))
                    pending.append(call.instance)
    return True


def walk_instances(
    starts: Iterable[Instance], *, inferred: bool = False
) -> Iterator[Instance]:
    """The instances that others use, each once, those that use before those used.

    With `inferred`, of those that differ only in values the one that was inferred.
    """
    seen: set[int] = set()
    pending = list(starts)
    while pending:
        instance = pending.pop()
        instance = instance.inferred if inferred else instance
        if id(instance) in seen:
            continue
        seen.add(id(instance))
        yield instance
        inside = [
            call.instance
            for node in instance.nodes.values()
            for call in node.built
            if call.instance is not None
        ]
        pending.extend(reversed(inside))
