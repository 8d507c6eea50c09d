"""Parameters as formulas in the names of a scope: `12 * width * width + 13 * width`."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.ir.counts import copies, own_elements
from compiler.ir.typed import Call, Instance, TypedNode
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim, DimOverflow, sum_of
from compiler.symbolic.evaluate import ExpressionError, evaluate


class FormulaCounter:
    """Counts parameters in the names of a scope; None where there is no polynomial.

    A formula says what the number is made of for the switches that are on (`when`) and
    the copies that differ; its value is always the number that `Counter` gives.
    """

    def __init__(self) -> None:
        self._known: dict[int, Dim | None] = {}
        self._nodes: dict[int, Dim | None] = {}

    def instance(self, instance: Instance) -> Dim | None:
        """The parameters of a scope, in its own names."""
        if id(instance) not in self._known:
            parts = (self.node(instance, node) for node in instance.nodes.values())
            self._known[id(instance)] = added(parts)
        return self._known[id(instance)]

    def node(self, instance: Instance, node: TypedNode) -> Dim | None:
        """The parameters of a layer, in the names of the scope where it stands."""
        if id(node) not in self._nodes:
            self._nodes[id(node)] = self._node(instance, node)
        return self._nodes[id(node)]

    def _node(self, instance: Instance, node: TypedNode) -> Dim | None:
        runs = list(copies(node))
        done, parts = 0, []
        for position, (count, call) in enumerate(runs):
            last = position == len(runs) - 1
            number = _rest(instance, node, count, done) if last else Dim.of(count)
            parts.append(times(self.call(instance, node, call), number))
            done += count
        return added(parts)

    def call(self, instance: Instance, node: TypedNode, call: Call) -> Dim | None:
        """The parameters of one copy, in the names of the scope where it stands."""
        if call.instance is None:
            return own_elements(node, call)
        inside = self.instance(call.instance)
        try:
            return None if inside is None else inside.substitute(call.binding)
        except DimOverflow:
            return None


def added(parts: Iterable[Dim | None]) -> Dim | None:
    """The sum; None where a part is missing, or the sum grows beyond use."""
    known = list(parts)
    try:
        found = [part for part in known if part is not None]
        return sum_of(found) if len(found) == len(known) else None
    except DimOverflow:
        return None


def times(part: Dim | None, count: Dim | int) -> Dim | None:
    """The product; None where there is nothing to multiply, or it grows beyond use."""
    try:
        return None if part is None else part * count
    except DimOverflow:
        return None


def _rest(instance: Instance, node: TypedNode, count: int, done: int) -> Dim:
    """The copies in the last run: all but those before, `depth - 1`.

    One copy alone is no sign that more would be like it.
    """
    repeat = node.node.layer.repeat
    if repeat is None or repeat.share or (done and count == 1):
        return Dim.of(count)
    return _named_count(instance, repeat.count, count + done) - done


def _named_count(instance: Instance, written: object, value: int) -> Dim:
    """The number of copies in the names of the scope, where that is a polynomial."""
    if not isinstance(written, Formula):
        return Dim.of(value)
    try:
        named = evaluate(written.expr, instance.names)
    except ExpressionError:
        return Dim.of(value)
    return Dim.of(named) if isinstance(named, int | Dim) else Dim.of(value)
