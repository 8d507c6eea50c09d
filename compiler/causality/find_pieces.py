"""What a piece of a sequence holds of each value, what layers keep for the next, and which cannot run in pieces.

A piece of a value with T + e elements along T, at positions p to p + n - 1, has elements p to p + n + e - 1: it is
*new*. The columns of masks and position biases have those of all positions so far: 0 to p + n + e - 1. A layer does to
a piece what it does to the whole, where an element reads elements that are there: its own and those after it, that
padding in front has added, or any of an axis with all so far. What reads earlier elements of a new axis must keep them:
attention its keys, and an op that pairs positions with all so far the operand that is the column.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from compiler.causality.analyze_scope import Analyzer, argument_reads
from compiler.dataclass import dataclass
from compiler.infer.repeats import feeds
from compiler.ir.causal import CallFlow, Causality, NodeFlow, PortAxis, ScopeFlow
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance, LayerCall
from compiler.op.dependence import (
    AxisFlow,
    Dependence,
    MergedAxis,
    Reach,
    parts,
)
from compiler.op.flow import Memory
from compiler.op.op import Op
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import NETWORKS, InputDim
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True)
class Extent:
    """What a piece has along an axis that carries T."""

    so_far: bool = False
    """Whether it has the elements of all positions so far; else it has those of new positions."""
    unknown: int = 0
    """So many of the last elements are not those of the whole: what they read comes with a later piece."""


NEW = Extent()
SO_FAR = Extent(so_far=True)
Extents = tuple[Extent | None, ...]
"""For each axis, what a piece has along T; None where the axis does not carry T."""
LayerRun = tuple[int, str, int]
"""An inferred instance, a layer of it, and the number of a run."""

_SCANNED = Memory("state", ())
_KEPT_BY_ATTENTION = ("key", "value")
_EARLIER = "it needs earlier positions, and cannot go on from a state"
_MIXED = "it combines values of all positions so far with those of new positions"
_NEW_COLUMNS = "it has columns for new positions alone where its key comes in pieces: without a key it has all"
_AHEAD = "it keeps positions that are not complete: what they read ahead of themselves comes with a later piece"
_BY_PLACE = "it counts elements from the first, and cannot run in pieces"
_NOT_ONE_EACH = (
    "its elements are not one for each position, and it cannot run in pieces"
)
_SIZED = "it makes a size of T of all positions so far"
_LONGER = "its input has more elements than positions, and it keeps earlier ones"
_KEPT_TWICE = "it keeps earlier positions of what has all positions so far"
_PAIRS = (
    "it pairs new positions with new ones, and keeps none of those before as columns"
)
_WHOLE_BESIDE = (
    "it pairs new positions with elements of an input that does not come in pieces; "
    "`step` names those that do"
)
_SCANS = "each of its steps reads several positions"


@dataclass
class Pieces:
    """What layers keep between pieces, and why some cannot run in pieces, in any use of an instance."""

    memory: dict[LayerRun, Memory] = field(default_factory=dict)
    refused: dict[LayerRun, str] = field(default_factory=dict)
    columns: dict[LayerRun, dict[str, int | None]] = field(default_factory=dict)
    """The operands that layers keep for all positions so far, and the axis of each; None for others that carry T."""
    so_far: dict[int, set[str]] = field(default_factory=dict)
    """The inputs of each inferred instance that have all positions so far, in some use."""
    outputs: dict[str, str] = field(default_factory=dict)
    """The outputs of the network that cannot be given in pieces, and why."""


def find_pieces(found: Causality) -> Pieces:
    """Work out what each layer has to keep, by the proof that the network is causal."""
    finder = _PieceFinder(found)
    for one in (found, *found.bare):
        finder.network(one)
    return finder.pieces


def layer_run(instance: Instance, layer: str, call: LayerCall) -> LayerRun:
    """The key of a run of a layer."""
    return id(instance.inferred), layer, call.counter


Values = Mapping[str, Extents]


class _PieceFinder:
    def __init__(self, found: Causality) -> None:
        self.length = InputDim(NETWORKS, found.length)
        self.analyzer = Analyzer(self.length)
        self.pieces = Pieces()
        self._known: dict[tuple[int, tuple[tuple[str, Extents], ...]], Values] = {}
        self._scopes: list[ScopeFlow] = []
        """Those that are known, so that their ids stay theirs."""

    def network(self, found: Causality) -> None:
        given = {
            name: _extents(flow)
            for name, flow in found.scope.inputs.items()
            if flow is not None
        }
        values = self._scope(found.scope, given)
        for name, output in found.outputs.items():
            if output.along and (reason := self._unfit(found.scope, name, values)):
                self.pieces.outputs[name] = reason

    def _unfit(self, scope: ScopeFlow, name: str, values: Values) -> str:
        """Why an output cannot be given in pieces that follow one another."""
        kind = scope.instance.outputs[name]
        carrying = [n for n, one in enumerate(values[name]) if one is not None]
        if len(carrying) > 1:
            return "it has pairs of positions"
        if _has_so_far(values[name]):
            return "it has all positions so far"
        return "" if self.is_plain(scope.instance, kind, carrying) else _NOT_ONE_EACH

    def _scope(self, scope: ScopeFlow, given: Values) -> Values:
        """What a piece holds of the outputs of a scope."""
        key = id(scope), tuple(sorted(given.items()))
        if key in self._known:
            return self._known[key]
        self._scopes.append(scope)
        whole = {name for name, one in given.items() if _has_so_far(one)}
        inferred = id(scope.instance.inferred)
        self.pieces.so_far.setdefault(inferred, set()).update(whole)
        values: dict[tuple[str, str], Extents] = {
            (name, ""): one for name, one in given.items()
        }

        def value(ref: Ref) -> Extents:
            node = scope.nodes.get(ref.node)
            port = "" if node is None else ref.port or next(iter(node.outputs))
            return values.get((ref.node, port), ())

        for name, node in scope.nodes.items():
            inputs = {
                f"{port} {n}" if isinstance(ref, tuple) else port: value(one)
                for port, ref in node.node.inputs.items()
                for n, one in enumerate(ref if isinstance(ref, tuple) else (ref,))
            }
            otherwise = node.node.node.otherwise
            passed = None if otherwise is None else value(otherwise)
            for port, one in self._node(scope, node, inputs, passed).items():
                values[name, port] = one
        outputs = scope.instance.scope.outputs
        self._known[key] = {name: value(outputs[name]) for name in scope.outputs}
        return self._known[key]

    def _node(
        self, scope: ScopeFlow, node: NodeFlow, given: Values, otherwise: Extents | None
    ) -> Values:
        if not node.calls:
            first = next(iter(given.values()), ())
            return {"output": first if otherwise is None else otherwise}
        if node.node.scan is not None:
            return self._scan(scope, node, given)
        repeat = node.node.node.layer.repeat
        if repeat is None:
            return self._call(scope, node, node.calls[0], given)
        found: dict[str, Extents] = {}
        copies: list[Values] = []
        layer, each = node.node.node.layer, node.node.each
        for call in node.calls:
            seen: list[Values] = []
            own: list[Values] = []
            while given not in seen and len(own) < call.call.count:
                seen += [] if each else [given]
                taken = _for_copy(given, each, call.call.counter + len(own))
                found = dict(self._call(scope, node, call, taken))
                own.append(found)
                fed = feeds(layer, call.outputs, call.inputs, each)
                given = {**given, **{p: found[n] for n, p in fed.items() if n in found}}
            if repeat.collect:
                turn = len(own) - 1 if given not in seen else seen.index(given)
                copies += _turning(own, turn, call.call.count)
        for name, port in repeat.stack.items():
            found[name] = (None, *found[port])
        for item, (_, copy) in node.node.items.items():
            found[item] = copies[copy][node.node.copy_port(item)]
        return found

    def _scan(self, scope: ScopeFlow, node: NodeFlow, given: Values) -> Values:
        (call,), scan = node.calls, node.node.scan
        assert scan is not None
        if not any(map(any, given.values())):
            return _not_in_pieces(node)
        key = layer_run(scope.instance, node.node.node.name, call.call)
        shared = [one for port, one in given.items() if port not in scan.axes]
        if any(map(_has_so_far, given.values())):
            self.pieces.refused[key] = _SCANS
        if node.scanned:
            self.pieces.memory[key] = _SCANNED
            if not all(given[port][axis] for port, axis in scan.axes.items()):
                self.pieces.refused[key] = _WHOLE_BESIDE
            if any(map(_unknown, given.values())):
                self.pieces.refused[key] = _AHEAD
            if scope.instance.context.value(scan.length) != Dim.symbol(self.length):
                self.pieces.refused[key] = _LONGER
            if any(map(any, shared)):
                self.pieces.refused[key] = _SCANS
        if call.inside is not None and not node.scanned:
            inputs = call.inside.inputs
            self._scope(
                call.inside,
                {n: _extents(f) for n, f in inputs.items() if f is not None},
            )
        return {name: _extents(flow) for name, flow in node.outputs.items()}

    def _call(
        self, scope: ScopeFlow, node: NodeFlow, call: CallFlow, given: Values
    ) -> Values:
        if call.inside is not None:
            inside = {p: e for p, e in given.items() if p in call.inside.inputs}
            return self._scope(call.inside, inside)
        if not any(map(any, given.values())):
            return _not_in_pieces(call)
        key = layer_run(scope.instance, node.node.node.name, call.call)
        run = _Run(self, scope.instance, call, given)
        if run.memory is not None:
            self.pieces.memory[key] = run.memory
        known = self.pieces.columns.setdefault(key, {})
        if any(known.get(port, axis) != axis for port, axis in run.columns.items()):
            run.reasons.append(_MIXED)
        known.update(run.columns)
        if run.reasons:
            self.pieces.refused.setdefault(key, run.reasons[0])
        return run.outputs

    def is_plain(
        self, instance: Instance, kind: TensorType, axes: Iterable[int]
    ) -> bool:
        """Whether axes have one element for each position."""
        sizes = (instance.context.value(kind.shape[n]) for n in axes)
        return all(size == Dim.symbol(self.length) for size in sizes)


def _not_in_pieces(found: CallFlow | NodeFlow) -> Values:
    """What a layer gives that runs once: all of it is there, whatever carries T."""
    return {name: (None,) * len(one.axes) for name, one in found.outputs.items()}


def _for_copy(given: Values, each: Collection[str], copy: int) -> Values:
    """What a copy takes: of a list that goes item by item its own."""
    if not each:
        return given
    items = {f"{port} {copy}": port for port in each}
    return {
        items.get(key, key): value
        for key, value in given.items()
        if key in items or key.partition(" ")[0] not in each
    }


def _turning(found: Sequence[Values], turn: int, count: int) -> Iterator[Values]:
    """What each of `count` copies gives, of which those from number `turn` on come again and again."""
    for number in range(count):
        again = turn + (number - turn) % (len(found) - turn)
        yield found[number if number < len(found) else again]


class _Run:
    """One run of an op on a piece."""

    def __init__(
        self, finder: _PieceFinder, instance: Instance, call: CallFlow, given: Values
    ) -> None:
        assert call.call.op is not None
        self.finder, self.instance, self.call = finder, instance, call
        self.op: Op = call.call.op
        self.given, self.reasons = given, list[str]()
        self.alone = finder.analyzer.alone(instance, call)
        self.memory = self._memory()
        self.covered = self._covered()
        self.came, self.kept = given, self._columns()
        self.columns = {
            port: self.kept.get(port)
            for port, extents in given.items()
            if any(extents) and port not in self.covered
        }
        self.given = {
            port: tuple(one and SO_FAR for one in extents)
            if port in self.kept
            else extents
            for port, extents in given.items()
        }
        self.outputs = {
            name: tuple(self._axis(name, n, one) for n, one in enumerate(flow.axes))
            for name, flow in self.alone.items()
        }
        self.reasons = list(dict.fromkeys((*self._unfit(), *self.reasons)))

    def _memory(self) -> Memory | None:
        """What it keeps; earlier elements that padding in front has added to its input are there."""
        memory = self.call.memory
        if memory is None or memory.kind == "fixed keys":
            return None  # of layers that run once
        if memory.kind == "keys" and not any(self.given.get("key") or self._query):
            return None  # whose positions alone carry T
        return memory if memory.kind != "window" or self._reads_before() else None

    def _reads_before(self) -> bool:
        axes = [axis for flow in self.alone.values() for axis in flow.axes]
        return any(reach.lo < 0 for axis in axes for _, reach in _read(axis))

    def _covered(self) -> Collection[str]:
        """The inputs of which it keeps earlier positions."""
        if self.memory is None:
            return ()
        if self.memory.kind != "keys":
            return self.given.keys()
        kept = [port for port in _KEPT_BY_ATTENTION if self.given.get(port)]
        return kept if "key" in kept else ["query", *kept]

    @property
    def _query(self) -> Extents:
        """What a piece has of the queries of an attention, which are its keys if no others are given."""
        return self.given["query"]

    def _columns(self) -> Mapping[str, int]:
        """The operands that are needed for all positions so far, and the axis of each.

        They meet an axis that has all so far, are summed over with one, or are the second of a pair of positions.
        """
        found: dict[str, int] = {}
        if self.memory is not None and self.memory.kind != "keys":
            return found
        for flow in self.alone.values():
            reads = [list(self._free_reads(axis)) for axis in flow.axes]
            for one in reads:
                at_place = [s for s, reach in one if reach == Reach()]
                if not all(self._is_new((source, Reach())) for source in at_place):
                    found.update(self._keepable(at_place))
                summed = [s for s, reach in one if reach.lo < 0]
                found.update(self._keepable(filter(self._may_be_kept, summed)))
            rows = [one for one in reads if one and all(map(self._is_new, one))]
            if len(rows) == 2:
                row, column = ({source.port for source, _ in one} for one in rows)
                kept = self._keepable(source for source, _ in rows[1])
                if not row & column and kept.keys() == column:
                    found.update(kept)
        return found

    def _free_reads(self, axis: AxisFlow) -> Iterator[tuple[PortAxis, Reach]]:
        """What an axis reads, apart from what is kept anyway."""
        for source, reach in _read(axis):
            if source.port not in self.covered and self._extent(source) is not None:
                yield source, reach

    def _may_be_kept(self, source: PortAxis) -> bool:
        """Whether an op that sums over an axis may be given all positions so far of an input."""
        port, summed = source.port.partition(" ")[0], self.op.column_ports
        wanted = summed is None or port in summed
        return wanted and self.op.can_keep(port, self.call.call.inputs)

    def _is_new(self, read: tuple[PortAxis, Reach]) -> bool:
        extent = self._extent(read[0])
        return extent is not None and not extent.so_far

    def _extent(self, source: PortAxis) -> Extent | None:
        return self.given[source.port][source.axis]

    def _keepable(self, wanted: Iterable[PortAxis]) -> dict[str, int]:
        """Those of some axes that are the only ones of their operands with positions, which are new."""
        return {
            source.port: source.axis
            for source in wanted
            if self._is_new((source, Reach()))
            and sum(map(bool, self.given[source.port])) == 1
        }

    def _axis(self, name: str, number: int, axis: AxisFlow) -> Extent | None:
        """What a piece has along an axis of an output."""
        if axis is None:
            return None
        same: set[bool] = set()
        others: set[bool] = set()
        if any("query" == s.port in self.covered for s, _ in _read(axis)):
            same.add(True)  # a row of queries that are keys as well
        for source, reach in self._free_reads(axis):
            is_new = self._is_new((source, reach))
            if is_new and reach.lo < 0:
                self.reasons.append(_EARLIER)
            (same if reach == Reach() else others).add(is_new)
        found = same or others
        if len(found) > 1:
            self.reasons.append(_MIXED)
        if found == {False} or (not found and number in self.op.column_axes):
            return SO_FAR
        return Extent(unknown=self._unknown(name, number, axis))

    def _unknown(self, name: str, number: int, axis: AxisFlow) -> int:
        """How many of the last elements of an axis read what a piece does not have, or has not as the whole has it.

        Of n + e elements of an input, g of them unknown, element u reads u + hi: of n + f elements, f + hi - (e - g).
        """
        length = self._added(self.call.call.outputs[name], number)
        found = 0
        for source, reach in _read(axis):
            extent = self._extent(source)
            if extent is None or extent.so_far or reach.hi == math.inf:
                continue
            kind = self._type(source.port)
            added = length - (0 if kind is None else self._added(kind, source.axis))
            found = max(found, math.ceil(added + reach.hi + extent.unknown))
        return found

    def _added(self, kind: TensorType, axis: int) -> int:
        """How many elements an axis has besides one for each position; 0 where it has others."""
        size = self.instance.context.value(kind.shape[axis])
        return (size - Dim.symbol(self.finder.length)).constant or 0

    def _unfit(self) -> Iterator[str]:
        """Why its code is wrong for a piece, whatever its elements read."""
        call, so_far = self.call, any(map(_has_so_far, self.given.values()))
        for name, flow in call.outputs.items():
            axes = [axis for axis in flow.axes if axis is not None]
            rows = [
                axis
                for axis, has in zip(flow.axes, self.outputs[name], strict=True)
                if has is not None and not has.so_far
            ]
            rates = {part.rate for axis in axes for part in parts(axis)}
            if flow.start or rates - {1}:
                yield _NOT_ONE_EACH
            if len(rows) > 1 and all(p.needs for axis in rows for p in parts(axis)):
                yield _PAIRS
            if so_far and any(isinstance(axis, MergedAxis) for axis in axes):
                yield _SIZED
        if so_far and argument_reads(self.op, self.instance, self.finder.length):
            yield _SIZED
        column = self.given.get(self.op.column_source, ())
        if any(one is not None and not one.so_far for one in column):
            yield _NEW_COLUMNS
        if self._counts():
            yield _BY_PLACE
        if self._meets_whole():
            yield _WHOLE_BESIDE
        yield from self._unfit_to_keep()

    def _unfit_to_keep(self) -> Iterator[str]:
        """Why it cannot keep what it needs of earlier positions."""
        if self.memory is not None:
            if any(_has_so_far(self.given.get(port, ())) for port in self.covered):
                yield _KEPT_TWICE
            if not self._are_plain(self.given):
                yield _LONGER
        if not self._are_plain(self.kept):
            yield _LONGER
        if any(_unknown(self.came.get(p, ())) for p in {*self.covered, *self.kept}):
            yield _AHEAD

    def _meets_whole(self) -> bool:
        """Whether new positions meet the elements, one by one, of what does not come in pieces."""
        flows = self.finder.analyzer.by_sizes(self.instance, self.call)
        for axis in [axis for flow in (flows or {}).values() for axis in flow.axes]:
            reads = list(_read(axis))
            whole = [reach for source, reach in reads if self._extent(source) is None]
            near = any(r.lo > -math.inf or r.hi < math.inf for r in whole)
            if near and len(whole) < len(reads):
                return True
        return False

    def _are_plain(self, ports: Collection[str]) -> bool:
        """Whether inputs have one element for each position."""
        for port in ports:
            extents, kind = self.came[port], self._type(port)
            carrying = [n for n, one in enumerate(extents) if one is not None]
            if kind and not self.finder.is_plain(self.instance, kind, carrying):
                return False
        return True

    def _type(self, port: str) -> TensorType | None:
        """The type of what is at a port, or at `port n` of a variadic one."""
        name, _, number = port.partition(" ")
        kind = self.call.call.inputs.get(name)
        return kind[int(number)] if isinstance(kind, tuple) else kind

    def _counts(self) -> bool:
        """Whether what it does to new positions depends on their numbers."""
        along = map(self._counts_along, self.given.values())
        in_pieces = {p: any(extents) for p, extents in self.given.items() if extents}
        return self.op.pairs_by_place(in_pieces) or (self.op.by_place and any(along))

    def _counts_along(self, extents: Extents) -> bool:
        """Whether an op that counts elements does so along T."""
        dim = getattr(self.op, "dim", None)
        if isinstance(dim, int):
            return bool(extents) and extents[dim % len(extents)] is not None
        return any(extents)


def _read(axis: AxisFlow) -> Iterator[tuple[PortAxis, Reach]]:
    for part in parts(axis):
        for source, reach in part.needs.items():
            if isinstance(source, PortAxis):
                yield source, reach


def _extents(flow: Dependence) -> Extents:
    return tuple(None if axis is None else NEW for axis in flow.axes)


def _has_so_far(extents: Extents) -> bool:
    return any(one is not None and one.so_far for one in extents)


def _unknown(extents: Extents) -> bool:
    return any(one is not None and one.unknown for one in extents)
