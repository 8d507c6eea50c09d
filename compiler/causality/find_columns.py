"""Which axes are columns: read as a whole up to the row's position, by softmax or a sum of products.

An axis that carries T is a row or a column. A step makes n new elements of a row, and all so far of a column: scores
[B, heads, T, T] have a row, of the queries, and a column, of the keys. A value with a column alone, as keys, has to be
kept between steps where it is read so, unless it depends on no input; one with rows and columns is made anew, and what
it is made of is read as a column, too. Keys and values of the attention ops are not among them: these ops keep them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import field

from compiler.causality.analyze_scope import Analyzer
from compiler.dataclass import dataclass
from compiler.infer.repeats import feeds
from compiler.ir.causal import CallFlow, Causality, NodeFlow, PortAxis, ScopeFlow
from compiler.ir.graph import Ref
from compiler.op.dependence import SIZE, Dependence, Reach, parts
from compiler.symbolic.symbols import NETWORKS, InputDim

Axes = frozenset[int]
ValueName = tuple[str, str]
"""A layer or an input of a scope, and a port of it; "" for an input."""
Columns = Mapping[ValueName, Axes]

_READERS = {"contraction", "other axes", "reduction", "attention"}
"""Groups of ops that read along an axis without keeping it by themselves."""


def find_columns(found: Causality) -> Mapping[ScopeFlow, Columns]:
    """The axes of values that are columns, for each scope: those of its inputs and of its layers' outputs."""
    finder = _Finder(Analyzer(InputDim(NETWORKS, found.length)))
    finder.inputs(found.scope, ())
    return {
        scope: {name: frozenset(axes) for name, axes in columns.items()}
        for scope, columns in finder.found.items()
    }


@dataclass
class _Finder:
    analyzer: Analyzer
    found: dict[ScopeFlow, dict[ValueName, set[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    _known: dict[tuple[ScopeFlow, object], Mapping[str, Axes]] = field(
        default_factory=dict
    )

    def inputs(
        self, scope: ScopeFlow, outputs: tuple[tuple[str, Axes], ...]
    ) -> Mapping[str, Axes]:
        """The columns of a scope's inputs, where these axes of its outputs are read as columns."""
        key = scope, outputs
        if key in self._known:
            return self._known[key]
        self._known[key] = {}
        columns = self.found[scope]
        for name, axes in outputs:
            self._mark(scope, columns, scope.instance.scope.outputs[name], axes)
        for node in reversed(tuple(scope.nodes.values())):
            self._node(scope, node, columns)
        given = {name: frozenset(columns.get((name, ""), ())) for name in scope.inputs}
        self._known[key] = {name: axes for name, axes in given.items() if axes}
        return self._known[key]

    def _mark(
        self,
        scope: ScopeFlow,
        columns: dict[ValueName, set[int]],
        ref: Ref,
        axes: Axes,
    ) -> None:
        node = scope.nodes.get(ref.node)
        port = "" if node is None else ref.port or next(iter(node.outputs))
        columns[ref.node, port] |= axes

    def _node(
        self, scope: ScopeFlow, node: NodeFlow, columns: dict[ValueName, set[int]]
    ) -> None:
        name = node.node.node.name
        wanted = {
            port: frozenset(columns.get((name, port), ())) for port in node.outputs
        }
        for item in node.node.items:
            wanted[node.node.copy_port(item)] |= wanted[item]
        for call in reversed(node.calls):
            given = self._call(scope, node, call, wanted)
            for port, ref in node.node.inputs.items():
                refs = ref if isinstance(ref, tuple) else (ref,)
                for n, one in enumerate(refs):
                    key = f"{port} {n}" if isinstance(ref, tuple) else port
                    key = port if port in node.node.each else key
                    if given.get(key):
                        self._mark(scope, columns, one, given[key])
            layer, each = node.node.node.layer, node.node.each
            wanted |= {
                output: wanted.get(output, frozenset()) | given[port]
                for output, port in feeds(
                    layer, call.outputs, call.inputs, each
                ).items()
                if given.get(port)
            }

    def _call(
        self,
        scope: ScopeFlow,
        node: NodeFlow,
        call: CallFlow,
        wanted: Mapping[str, Axes],
    ) -> Mapping[str, Axes]:
        """The axes of a run's inputs that are columns."""
        if call.inside is not None:
            inner = () if node.node.scan else tuple(sorted(wanted.items()))
            known = tuple(
                (p, axes) for p, axes in inner if p in call.inside.outputs and axes
            )
            return self.inputs(call.inside, known)
        found: dict[str, set[int]] = defaultdict(set)
        for port, axis in self._read(scope, call, wanted):
            found[port].add(axis)
        return {port: frozenset(axes) for port, axes in found.items()}

    def _read(
        self, scope: ScopeFlow, call: CallFlow, wanted: Mapping[str, Axes]
    ) -> Iterator[tuple[str, int]]:
        """What an op reads as a column: along what it mixes, and of free values what it gives as a column."""
        op = call.call.op
        assert op is not None
        outputs = self.analyzer.alone(scope.instance, call)
        kept = {"key", "value"} if op.flow.group == "attention" else set()
        for name, output in outputs.items():
            actual = call.outputs[name]
            for n, axis in enumerate(output.axes):
                for part in parts(axis):
                    for source, reach in part.needs.items():
                        if not isinstance(source, PortAxis) or source == SIZE:
                            continue
                        mixed = reach != Reach() and op.flow.group in _READERS
                        passed = n in wanted.get(name, ()) and _is_made_anew(actual)
                        if (mixed and source.port not in kept) or passed:
                            yield source.port, source.axis


def _is_made_anew(flow: Dependence) -> bool:
    """Whether a step makes the columns of a value anew: it has rows, too, or depends on no input."""
    if sum(axis is not None for axis in flow.axes) > 1:
        return True
    needs = {s for axis in flow.axes for part in parts(axis) for s in part.needs}
    return not (needs - {SIZE}) and not flow.whole
