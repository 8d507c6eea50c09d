"""What the classes of a file keep between the pieces of a sequence: which layers, and in what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from compiler.dataclass import dataclass
from compiler.ir.graph import Node, Scope
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.lower.class_plan import ClassPlan, Plans, Run
from compiler.lower.emit import Parted, Unwritten
from compiler.lower.step_uses import StreamedUses
from compiler.op.arg_types import Formula
from compiler.op.flow import Memory

STATE: Mapping[str, str] = {
    "keys": "KeyValues",
    "window": "Recent",
    "state": "StepCarry",
    "running": "StepCarry",
}
"""The class of the library that keeps each kind of memory."""


@dataclass(frozen=True)
class Stream:
    """The inputs of a network that come in pieces: element t of each belongs to position t."""

    network: Instance
    axes: Mapping[str, int]
    """The inputs, and the axis of each that the pieces follow one another along."""
    flows: StepFlows
    most: Formula | int | None = None
    """The largest number of positions, as the dims of the spec say."""


class StepFlows(Protocol):
    """What is known of the runs of layers along the stepped dimension."""

    def memory(self, use: Instance, layer: str, call: LayerCall) -> Memory | None:
        """What an op keeps between pieces."""

    def refused(self, use: Instance, layer: str, call: LayerCall) -> str:
        """Why an op cannot run in pieces; "" if it can."""

    def counts(self, use: Instance, layer: str, call: LayerCall) -> bool:
        """Whether an op makes positions: its output carries the dimension, and depends on no input along it."""


@dataclass(frozen=True)
class LayerMemory:
    """What a layer keeps: the memory of an op, or the state of a block's class."""

    plans: tuple[ClassPlan, ...] = ()
    """The classes of a block, of which some keep something; none for an op."""
    state: str = ""
    """The class of what an op keeps."""
    bounded: bool = False
    """Whether there may be at most a number of positions."""


@dataclass(frozen=True, eq=False)
class ClassNames:
    """The classes of a block, as `isinstance` takes them."""

    plans: tuple[ClassPlan, ...]


@dataclass(frozen=True)
class ClassSteps:
    """What a class keeps, by layer, which of its layers depend on positions, and which run once for all pieces."""

    plan: ClassPlan
    kept: Mapping[str, LayerMemory] = field(default_factory=dict)
    positions: frozenset[str] = frozenset()
    """The ops that make positions."""
    static: frozenset[str] = frozenset()
    """The layers that do not depend on what is streamed; none where all of them are cheap."""
    streamed: frozenset[str] = frozenset()
    """The inputs that depend on what is streamed."""
    dynamic: frozenset[str] = frozenset()
    """The layers that do."""

    @property
    def bounded(self) -> bool:
        """Whether it keeps keys and values, of which there may be at most a number."""
        return any(one.bounded for one in self.kept.values())

    @property
    def state_argument(self) -> str:
        """What `forward` calls what it goes on from."""
        return _free("state", self.plan.scope.inputs)

    @property
    def offset_argument(self) -> str:
        """What `forward` calls the first position of a piece."""
        return _free("offset", self.plan.scope.inputs)

    def is_copied(self, layer: str) -> bool:
        """Whether a layer keeps something for each of its copies."""
        return self.plan.layers[layer].node.layer.repeat is not None


@dataclass(frozen=True)
class Begin:
    """How a class begins a sequence, once it is built."""

    offset: bool
    """Whether `forward` takes the first position of a piece."""
    ports: tuple[str, ...]
    """The inputs that `init_state` takes."""
    values: tuple[str, ...]
    """The names of the static values that its state holds."""


class Steps:
    """What each class of a file keeps; each is settled after those that it uses."""

    def __init__(self, plans: Plans, stream: Stream) -> None:
        self.plans, self.flows, self.stream = plans, stream.flows, stream
        self.uses = StreamedUses(stream.network, stream.axes)
        self._of: dict[int, ClassSteps] = {}
        self._begins: dict[int, Begin] = {}

    def look_at(self, plan: ClassPlan) -> None:
        """Work out what a class keeps, before it is built and after those that it uses are settled."""
        self._of[id(plan)] = self._steps(plan)

    def state_name(self, plan: ClassPlan) -> str:
        """The name of the class of what a class keeps."""
        return _free(f"{plan.name}State", {one.name for one in self.plans.order})

    def of(self, plan: ClassPlan) -> ClassSteps | None:
        """What a class keeps; None if nothing that it does depends on what is streamed."""
        found = self._of.get(id(plan))
        return found if found is not None and found.streamed else None

    def settle(self, plan: ClassPlan, begin: Begin) -> None:
        """Say how a class begins, for those that use it."""
        self._begins[id(plan)] = begin

    def begin(self, plan: ClassPlan) -> Begin:
        """How a class begins that is built."""
        return self._begins[id(plan)]

    def keeps(self, plan: ClassPlan) -> bool:
        """Whether a class that is built keeps anything."""
        own = self.of(plan)
        return own is not None and bool(own.kept or self.begin(plan).values)

    def members(self, plan: ClassPlan) -> tuple[str, ...]:
        """What the state of a class holds: values that are computed once, then what layers keep."""
        own = self.of(plan)
        layers = () if own is None else tuple(map(field_name, own.kept))
        return (*map(field_name, self.begin(plan).values), *layers)

    def is_wrapped(self, plan: ClassPlan) -> bool:
        """Whether the state of a class is a class of its own, and not the only thing that it keeps."""
        return len(self.members(plan)) > 1 or plan.scope.kind == "network"

    def _steps(self, plan: ClassPlan) -> ClassSteps:
        uses = [use for one in plan.uses for use in self.uses.of(one)]
        if not uses:
            return ClassSteps(plan)
        self._part(plan)
        dynamic = frozenset[str]().union(*(use.layers for use in uses))
        static = frozenset(plan.layers) - dynamic
        if not self._costly(plan, static):
            static = frozenset()
        kept: dict[str, LayerMemory] = {}
        positions: set[str] = set()
        for node, typed in plan.ordered():
            name, runs = node.name, plan.runs(node.name)
            if name not in dynamic:
                continue
            if isinstance(typed.target, Scope) and node.layer.scan is None:
                classes = tuple(self._classes(runs))
                if any(map(self.keeps, classes)):
                    limited = any(self._of[id(one)].bounded for one in classes)
                    kept[name] = LayerMemory(classes, "", limited)
                continue
            for run in runs:
                reason = self.flows.refused(run.use, name, run.call)
                if reason:
                    raise Unwritten(plan, name, reason)
            kinds = {memory.kind for memory in self._memories(name, runs)}
            if kinds and not self._can_resume(node, typed):
                reason = "it needs earlier positions, and cannot go on from a state"
                raise Unwritten(plan, name, reason)
            if kinds:
                state = STATE[kinds.pop()]
                kept[name] = LayerMemory((), state, state == "KeyValues")
            if any(self.flows.counts(run.use, name, run.call) for run in runs):
                positions.add(name)
        ports = frozenset[str]().union(*(use.ports for use in uses))
        return ClassSteps(plan, kept, frozenset(positions), static, ports, dynamic)

    def _can_resume(self, node: Node, typed: TypedNode) -> bool:
        """Whether the code of a layer can keep what it needs of earlier positions."""
        if isinstance(typed.target, Scope):
            return node.layer.scan is not None and not node.layer.reverse
        return bool(typed.target.state_library)

    def _part(self, plan: ClassPlan) -> None:
        """Uses that compute other layers once need classes of their own; uses that are not streamed join any."""
        groups: dict[frozenset[str], list[Instance]] = {}
        others: list[Instance] = []
        for one in plan.uses:
            found = {
                self._costly(plan, frozenset(plan.layers) - use.layers)
                for use in self.uses.of(one)
            }
            if len(found) > 1:
                reason = (
                    "its steps compute other layers once in one place than in another"
                )
                raise Unwritten(plan, "", reason)
            if found:
                groups.setdefault(found.pop(), []).append(one)
            else:
                others.append(one)
        if len(groups) > 1:
            fewest = min(groups, key=len)
            groups[fewest] += others
            raise Parted(plan, "", list(groups.values()))

    def _costly(self, plan: ClassPlan, layers: frozenset[str]) -> frozenset[str]:
        return frozenset(name for name in layers if self._costs(plan, name))

    def _costs(self, plan: ClassPlan, layer: str) -> bool:
        """Whether running a layer again for each piece would cost more than a view."""
        target = plan.layers[layer].target
        return isinstance(target, Scope) or (
            bool(target.module) and bool(target.inputs)
        )

    def _classes(self, runs: Sequence[Run]) -> Iterator[ClassPlan]:
        found = {}
        for run in runs:
            assert run.call.instance is not None
            plan = self.plans.of(run.call.instance)
            found[id(plan)] = plan
        return iter(found.values())

    def _memories(self, layer: str, runs: Sequence[Run]) -> Iterator[Memory]:
        for run in runs:
            memory = self.flows.memory(run.use, layer, run.call)
            if memory is not None:
                yield memory


_TAKEN = frozenset(
    {"position", "select", "clone", "reserve", "rewind", "check_rewind", "size"}
)
"""What a field of a state cannot be called."""


def field_name(wanted: str) -> str:
    """What the state of a class calls a value, or what a layer keeps."""
    name = f"layer_{wanted}" if wanted.isdigit() else wanted
    return f"{name}_" if name in _TAKEN else name


def _free(wanted: str, taken: Collection[str]) -> str:
    while wanted in taken:
        wanted += "_"
    return wanted
