"""What the classes of a file keep between the pieces of a sequence: which layers, and in what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Protocol

from compiler.dataclass import dataclass
from compiler.ir.graph import Node, Scope
from compiler.ir.typed import Instance, LayerCall
from compiler.language.params import Stepping
from compiler.lower.class_plan import ClassPlan, Plans, Run
from compiler.lower.parted import Parted, Unwritten
from compiler.lower.step_uses import StreamedUses
from compiler.op.arg_types import Formula
from compiler.op.flow import Memory
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

STATE: Mapping[str, str] = {
    "keys": "KeyValues",
    "window": "Recent",
    "state": "StepCarry",
    "running": "Running",
    "extremum": "RunningExtremum",
}
"""The class of the library that keeps each kind of memory."""


METHODS = frozenset({"decode", "init_state", "prepare", "step"})
"""The methods, beside `forward`, of classes that run in pieces."""


@dataclass(frozen=True)
class Stream:
    """The inputs of a network that come in pieces: element t of each belongs to position t."""

    networks: tuple[Instance, ...]
    """The network with all inputs, and without those that are optional."""
    axes: Mapping[str, int]
    """The inputs, and the axis of each that the pieces follow one another along."""
    flows: StepFlows
    step: Stepping
    most: Formula | int | None = None
    """The largest number of positions, as the dims of the spec say."""
    batch: Symbol | None = None
    """The number of sequences that run side by side; None if there is one."""

    @property
    def counted(self) -> tuple[str, int]:
        """An input and its axis along which a piece has as many elements as new positions."""
        kinds = {name: self.networks[0].scope.inputs[name] for name in self.axes}
        required = [one for one, kind in kinds.items() if not (kind and kind.optional)]
        name = (required or list(self.axes))[0]
        return name, self.axes[name]

    @property
    def growing(self) -> frozenset[str]:
        """The names of the dimensions along which the pieces follow one another."""
        sizes = (
            kind.shape[self.axes[name]]
            for one in self.networks
            for name, kind in one.inputs.items()
            if name in self.axes and kind is not None
        )
        return frozenset(str(symbol) for size in sizes for symbol in size.symbols)


class StepFlows(Protocol):
    """What is known of the runs of layers along the stepped dimension."""

    def memory(self, use: Instance, layer: str, call: LayerCall) -> Memory | None:
        """What an op keeps between pieces."""

    def columns(
        self, use: Instance, layer: str, call: LayerCall
    ) -> Mapping[str, int | None]:
        """The operands that carry T, and the axis of those that an op keeps for all positions so far, else None."""

    def refused(self, use: Instance, layer: str, call: LayerCall) -> str:
        """Why a layer cannot run in pieces; "" if it can."""

    def not_given(self, output: str) -> str:
        """Why an output of the network cannot be given in pieces; "" if it can."""

    def so_far(self, use: Instance) -> frozenset[str]:
        """The inputs of an instance that have all positions so far."""

    def counts(self, use: Instance, layer: str, call: LayerCall) -> bool:
        """Whether an op makes positions: an axis of its output carries the dimension, and depends on no input."""


@dataclass(frozen=True)
class LayerMemory:
    """What a layer keeps: the memory of an op, or the state of a block's class."""

    plans: tuple[ClassPlan, ...] = ()
    """The classes of a block, of which some keep something; none for an op."""
    state: str = ""
    """The class of what an op keeps."""
    bounded: bool = False
    """Whether there may be at most a number of positions."""
    batch: int | None = 0
    """The dimension of what an op keeps that is the batch; None if it has none."""
    columns: Mapping[str, int] = field(default_factory=dict)
    """The operands that it keeps for all positions so far, besides keys and values, and the axis of each."""
    axis: int = 0
    """The axis of its input that the windows of an op go along, counted from the last."""


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
    so_far: frozenset[str] = frozenset()
    """The inputs that have all positions so far, and do not say how many are new."""

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
    batches: Mapping[str, int | None] = field(default_factory=dict)
    """Those whose batch is not dimension 0; None if they have none."""
    optional: frozenset[str] = frozenset()
    """Those that may be None."""


class Steps:
    """What each class of a file keeps; each is settled after those that it uses."""

    def __init__(self, plans: Plans, stream: Stream) -> None:
        self.plans, self.flows, self.stream = plans, stream.flows, stream
        self.uses = StreamedUses(stream.networks, stream.axes)
        self._of: dict[int, ClassSteps] = {}
        self._begins: dict[int, Begin] = {}
        self._beside: dict[int, list[ClassPlan]] = {}
        self._limited: set[int] = set()
        """Classes that are begun as others are that hold a limited number of positions."""

    def look_at(self, plan: ClassPlan) -> None:
        """Work out what a class keeps, before it is built and after those that it uses are settled."""
        self._of[id(plan)] = self._steps(plan)

    def keep_only(self, plan: ClassPlan, layers: Collection[str]) -> ClassSteps:
        """Keep nothing for other layers, whose outputs nobody uses."""
        own = self._of[id(plan)]
        kept = {name: one for name, one in own.kept.items() if name in layers}
        self._of[id(plan)] = replace(own, kept=kept)
        return self._of[id(plan)]

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
        """Whether a class that is built keeps anything; a list of modules does not."""
        own = self.of(plan)
        network = plan.scope.kind == "network"  # which keeps the position
        if own is None or id(plan) not in self._begins:
            return False
        return bool(network or own.kept or self.begin(plan).values)

    def remembers(self, plan: ClassPlan) -> bool:
        """Whether a scope needs a class to hand on states or positions, before it is built."""
        own = self._of[id(plan)]
        inner = [
            one for layer in plan.layers for one in self._classes(plan.runs(layer))
        ]
        placed = any(
            id(one) in self._begins and self.begin(one).offset for one in inner
        )
        return bool(own.kept or own.positions) or placed

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
            inside = node.layer.scan is None and typed.routed is None
            if isinstance(typed.target, Scope) and inside:
                classes = tuple(self._classes(runs))
                self._require_no_return(plan, name, classes)
                self._require_alike(plan, name, classes)
                if any(map(self.keeps, classes)):
                    limited = any(self._of[id(one)].bounded for one in classes)
                    kept[name] = LayerMemory(classes, "", limited)
                continue
            memory = self._memory(plan, node, runs)
            if memory is not None:
                kept[name] = memory
            if any(self.flows.counts(run.use, name, run.call) for run in runs):
                positions.add(name)
        if plan.scope.kind == "network":
            self._require_outputs(plan)
        ports = frozenset[str]().union(*(use.ports for use in uses))
        so_far = frozenset[str]().union(*map(self.flows.so_far, plan.uses))
        return ClassSteps(
            plan, kept, frozenset(positions), static, ports, dynamic, so_far
        )

    def _require_no_return(
        self, plan: ClassPlan, layer: str, classes: Sequence[ClassPlan]
    ) -> None:
        """A block that runs itself keeps nothing, and depends on no positions.

        Raises:
            Unwritten: where it does.
        """
        if all(id(one) in self._of for one in classes):
            return
        inside = [plan, *classes]
        for one in inside:
            for name in one.layers:
                runs = one.runs(name)
                inside += (c for c in self._classes(runs) if c not in inside)
                placed = (self.flows.counts(r.use, name, r.call) for r in runs)
                kept = (*self._memories(name, runs), *self._columns(one, name, runs))
                if kept or any(placed):
                    reason = "it runs the block that it is in, which keeps earlier positions or counts them"
                    raise Unwritten(plan, layer, reason)
        for one in (plan, *classes):
            self._of.setdefault(id(one), ClassSteps(one))
            self._begins.setdefault(id(one), Begin(offset=False, ports=(), values=()))

    def _require_alike(
        self, plan: ClassPlan, layer: str, classes: Sequence[ClassPlan]
    ) -> None:
        """The classes of one layer, which is called in one way, go on alike from piece to piece."""
        begun = [one for one in classes if id(one) in self._begins]
        ways = {
            (
                self._of[id(one)].state_argument,
                self.begin(one).offset,
                self.begin(one).ports if self.keeps(one) else (),
            )
            for one in begun
        }
        keeping = [one for one in begun if self.keeps(one)]
        streamed = all(self.of(one) is not None for one in begun)
        if not keeping:
            return
        if len(ways) > 1 or not streamed or len(begun) < len(classes):
            reason = "some of what it may be goes on from earlier positions otherwise than the rest"
            raise Unwritten(plan, layer, reason)
        for one in begun:
            if one not in keeping:
                self._beside.setdefault(id(one), []).extend(keeping)
        if any(self._of[id(one)].bounded for one in begun):
            self._limited.update(map(id, begun))

    def beside(self, plan: ClassPlan) -> Sequence[ClassPlan]:
        """Classes that keep something, in whose place one stands that keeps nothing: it is called as they are."""
        return self._beside.get(id(plan), ())

    def takes_capacity(self, plan: ClassPlan) -> bool:
        """Whether `init_state` takes the largest number of positions: of all classes of a layer where it is of one."""
        own = self._of[id(plan)]
        return own.bounded or id(plan) in self._limited

    def _memory(
        self, plan: ClassPlan, node: Node, runs: Sequence[Run]
    ) -> LayerMemory | None:
        """What an op, or a scan, keeps."""
        name = node.name
        for run in runs:
            reason = self.flows.refused(run.use, name, run.call)
            if reason:
                raise Unwritten(plan, name, reason)
        memories = list(self._memories(name, runs))
        kinds = {memory.kind for memory in memories}
        columns = self._columns(plan, name, runs)
        if not kinds:
            return self._of_columns(plan, name, runs, columns) if columns else None
        axes = {memory.past_axis for memory in memories}
        if not all(self._can_resume(node, runs, axis) for axis in axes):
            reason = "it needs earlier positions, and cannot go on from a state"
            raise Unwritten(plan, name, reason)
        state = STATE[kinds.pop()]
        batch = self.batch_axis(plan, name, _kept_types(runs, state))
        if batch is None and state == "KeyValues":
            raise Unwritten(plan, name, "it keeps keys that have no batch")
        if state == "Recent" and len(axes) > 1:
            raise Unwritten(plan, name, "it keeps earlier positions of several axes")
        return LayerMemory((), state, state == "KeyValues", batch, columns, axes.pop())

    def _columns(
        self, plan: ClassPlan, layer: str, runs: Sequence[Run]
    ) -> dict[str, int]:
        """The operands that an op keeps for all positions so far, as all of its runs have it."""
        found: dict[str, int | None] = {}
        for run in runs:
            for port, axis in self.flows.columns(run.use, layer, run.call).items():
                if found.setdefault(port, axis) != axis:
                    reason = "it keeps earlier positions of an input in one use alone"
                    raise Unwritten(plan, layer, reason)
        return {port: axis for port, axis in found.items() if axis is not None}

    def _of_columns(
        self,
        plan: ClassPlan,
        layer: str,
        runs: Sequence[Run],
        columns: Mapping[str, int],
    ) -> LayerMemory:
        """What an op keeps that pairs positions, or sums over them."""
        if len(columns) > 1:
            raise Unwritten(plan, layer, "it keeps earlier positions of several inputs")
        (port,) = columns
        kinds = [(run.use, operand(run.call.inputs, port)) for run in runs]
        batch = self.batch_axis(plan, layer, kinds)
        return LayerMemory((), "SoFar", True, batch, columns)

    def batch_axis(
        self, plan: ClassPlan, layer: str, kept: Iterable[tuple[Instance, TensorType]]
    ) -> int | None:
        """The dimension of kept tensors that is the batch, in the uses that they are of; None if they have none."""
        symbol = self.stream.batch
        if symbol is None:
            return 0
        found: set[int | None] = set()
        for use, kind in kept:
            sizes = [use.context.value(size) for size in kind.shape]
            axes = [n for n, size in enumerate(sizes) if symbol in size.symbols]
            if len(axes) > 1 or any(sizes[n] != Dim.symbol(symbol) for n in axes):
                reason = "it keeps values in which the batch is part of a dimension"
                raise Unwritten(plan, layer, reason)
            found.add(axes[0] if axes else None)
        if len(found) > 1:
            raise Unwritten(plan, layer, "it keeps values with different batches")
        return next(iter(found), 0)

    def _require_outputs(self, plan: ClassPlan) -> None:
        """Outputs of the network that come in pieces follow one another."""
        for name, ref in plan.scope.outputs.items():
            reason = self.flows.not_given(name)
            if reason:
                layer = ref.node if ref.node in plan.layers else ""
                raise Unwritten(plan, layer, f"{reason} (output {name})")

    def _can_resume(self, node: Node, runs: Sequence[Run], axis: int) -> bool:
        """Whether the code of a layer can keep what it needs of earlier positions, along an axis of its input."""
        if node.layer.scan is not None:
            return not node.layer.reverse
        return all(run.call.op and run.call.op.can_resume(axis) for run in runs)

    def _part(self, plan: ClassPlan) -> None:
        """Uses that compute other layers once need classes of their own; uses that are not streamed join any."""
        groups: dict[frozenset[str], list[Instance]] = {}
        others: list[Instance] = []
        streamed = [use for one in plan.uses for use in self.uses.of(one)]
        dynamic = frozenset[str]().union(*(use.layers for use in streamed))
        for one in plan.uses:
            running = {name for name, node in one.inferred.nodes.items() if node.calls}
            found = {
                self._costly(plan, (dynamic & running) - use.layers)
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
            if run.call.instance is not None:
                plan = self.plans.of(run.call.instance)
                found[id(plan)] = plan
        return iter(found.values())

    def _memories(self, layer: str, runs: Sequence[Run]) -> Iterator[Memory]:
        for run in runs:
            memory = self.flows.memory(run.use, layer, run.call)
            if memory is not None:
                yield memory


def operand(inputs: Mapping[str, Any], port: str) -> Any:
    """What is at a port, or at `port n` of a variadic one."""
    name, _, number = port.partition(" ")
    return inputs[name][int(number)] if number else inputs[name]


def _kept_types(
    runs: Sequence[Run], state: str
) -> Iterator[tuple[Instance, TensorType]]:
    """The types of what a layer keeps, or of what it keeps places of, and the uses that they are of."""
    for run in runs:
        if run.node.scan is not None:
            kinds: Iterable[object] = run.node.scan.carry.values()
        elif state == "StepCarry":
            kinds = list(run.call.outputs.values())[1:]
        elif state == "KeyValues":
            inputs = run.call.inputs
            key = inputs.get("key") or inputs["query"]
            kinds = (key, inputs.get("value") or key)
        else:
            kinds = run.call.inputs.values()
        yield from ((run.use, kind) for kind in kinds if isinstance(kind, TensorType))


_TAKEN = frozenset(
    {
        "batches",
        "position",
        "select",
        "clone",
        "reserve",
        "rewind",
        "check_rewind",
        "size",
    }
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
