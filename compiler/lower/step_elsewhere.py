"""Whether a network goes on from piece to piece at other values of the params as its code does at the first ones.

What the classes do of a whole sequence is compared with inference by `validate.py`. Here it is what they do of pieces:
the network must be causal there, each layer must be able to run in pieces, and must keep what its class keeps.
"""

from __future__ import annotations

from operator import ge
from typing import Any

from compiler.causality.prove import prove
from compiler.dataclass import dataclass
from compiler.ir.causal import Causality
from compiler.ir.typed import Instance, LayerCall, TypedGraph, TypedNode
from compiler.lower.class_steps import Stream
from compiler.lower.same_steps import batch_places, kept_by
from compiler.lower.step_flows import stream
from compiler.lower.step_uses import StreamedUse, StreamedUses


@dataclass(frozen=True)
class _FlowRun:
    """What a run of a layer asks of the code of its class."""

    memory: tuple[Any, ...] | None = None
    """What an op, or a scan, keeps between pieces, apart from sizes."""
    columns: frozenset[tuple[str, int]] = frozenset()
    """The operands that it keeps for all positions so far, and the axis of each."""
    counts: bool = False
    """Whether it makes positions, or a block has a layer that does."""
    block: bool = False
    keeps: bool = False
    """Whether it is a block that has a layer which keeps something."""
    once: bool = False
    """Whether it does not depend on what comes in pieces."""
    batches: tuple[Any, ...] = ()
    """Where the values of one that keeps something have the batch."""

    @property
    def is_plain(self) -> bool:
        """Whether it keeps nothing, wherever its piece begins."""
        return not (self.memory or self.columns or self.counts or self.keeps)


_Layer = tuple[int, str]
"""A scope, by identity, and a layer of it."""


class StepElsewhere:
    """Compares graphs of one spec at other values of its params with the one whose classes run in pieces."""

    def __init__(self, typed: TypedGraph, first: Stream) -> None:
        self._first, self._demands = first, _FlowDemands(first)
        self._found = _proof(typed, first)

    def holds(self, typed: TypedGraph) -> bool:
        """Whether the network at the values of another graph goes on as the code says."""
        found = stream(typed, self._first.step)
        if found is None or not self._is_as_causal(_proof(typed, found)):
            return False
        one, two = self._first, found
        outputs = one.networks[0].scope.outputs
        return (
            one.axes == two.axes
            and (one.batch is None) == (two.batch is None)
            and not any(
                two.flows.not_given(name) and not one.flows.not_given(name)
                for name in outputs
            )
            and self._demands.cover(_FlowDemands(two))
        )

    def _is_as_causal(self, other: Causality) -> bool:
        """Whether the same outputs come in pieces, and none has become dependent on later positions."""
        known = {name for name, _ in self._found.leaks}
        along = {name: one.along for name, one in self._found.outputs.items()}
        return {name for name, _ in other.leaks} <= known and along == {
            name: one.along for name, one in other.outputs.items()
        }


def _proof(typed: TypedGraph, found: Stream) -> Causality:
    """What was proved of the network before its steps were derived."""
    name = next(n for n in typed.networks if typed.each_way(n) == found.networks)
    return prove(typed, found.step.dimension, [*found.axes], name)


class _FlowDemands:
    """What the layers of a graph that depend on what comes in pieces ask of their classes."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._inside: dict[int, tuple[bool, bool]] = {}
        self.refused = False
        """Whether a layer cannot run in pieces."""
        self.so_far: dict[int, set[str]] = {}
        """The inputs of each scope that have all positions so far."""
        self.in_pieces: set[_Layer] = set()
        """The layers that depend, in some use, on what comes in pieces."""
        self.runs: dict[_Layer, set[_FlowRun]] = {}
        uses = StreamedUses(stream.networks, stream.axes).uses.values()
        for use in uses:
            self._add(use)

    def cover(self, other: _FlowDemands) -> bool:
        """Whether classes that do what is asked here do what another graph asks."""
        return (
            not other.refused
            and other.in_pieces <= self.in_pieces
            and all(
                ports <= self.so_far.get(key, set())
                for key, ports in other.so_far.items()
            )
            and all(
                self._covers(layer, run)
                for layer, runs in other.runs.items()
                for run in runs
            )
        )

    def _covers(self, layer: _Layer, run: _FlowRun) -> bool:
        known = self.runs.get(layer, set())
        if run in known:
            return True
        if run.block:  # which may be given a state that its layers need not use
            ways = ((one.keeps, one.counts) for one in known)
            asked = run.keeps, run.counts
            return run.is_plain or any(all(map(ge, way, asked)) for way in ways)
        # A window of one element keeps nothing, and its code the none that it reads.
        idle = (one.is_plain or _is_window(one) for one in known)
        return run.is_plain and all(idle)

    def _add(self, use: StreamedUse) -> None:
        instance = use.instance
        scope = id(instance.scope)
        self.so_far.setdefault(scope, set()).update(self._stream.flows.so_far(instance))
        self.in_pieces |= {(scope, name) for name in use.layers}
        for name, node in instance.nodes.items():
            found = self.runs.setdefault((scope, name), set())
            if name not in use.layers:
                found |= {_FlowRun(once=True)} if node.calls else set()
            elif node.routed is None:
                found |= {self._run(instance, node, call) for call in node.calls}

    def _run(self, use: Instance, node: TypedNode, call: LayerCall) -> _FlowRun:
        if call.instance is not None and node.scan is None:
            keeps, counts = self._of_block(call.instance.inferred)
            return _FlowRun(block=True, keeps=keeps, counts=counts)
        memory, columns, refused, counts = kept_by(
            self._stream, use, node.node.name, call
        )
        self.refused |= bool(refused)
        held = {port: axis for port, axis in columns.items() if axis is not None}
        places: tuple[Any, ...] = ()
        if memory is not None or held:
            places = tuple(map(repr, batch_places(self._stream, use, call.inputs)))
        return _FlowRun(memory, frozenset(held.items()), counts, batches=places)

    def _of_block(self, instance: Instance) -> tuple[bool, bool]:
        """Whether something in a block keeps what a piece leaves, and whether something makes positions."""
        key = id(instance)
        if key not in self._inside:
            self._inside[key] = False, False  # where blocks are recursive
            runs = [
                self._run(instance, node, call)
                for node in instance.nodes.values()
                if node.routed is None
                for call in node.calls
            ]
            keeps = any(one.memory or one.columns or one.keeps for one in runs)
            self._inside[key] = keeps, any(one.counts for one in runs)
        return self._inside[key]


def _is_window(run: _FlowRun) -> bool:
    return run.memory is not None and run.memory[0] == "window" and not run.columns
