"""Parameter counts as formulas in the names of a scope: `12 * width * width + 13 * width`."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.ir.counts import own_elements, runs_with_weights
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim, DimOverflow, sum_of
from compiler.symbolic.evaluate import ExpressionError, evaluate


class FormulaCounter:
    """Counts parameters in the names of a scope; None if the count is no polynomial in them.

    A formula holds for the `when` conditions and the differences between copies that the
    given params lead to. Its value always equals the number of `ParameterCounter`.
    """

    def __init__(self) -> None:
        self._instances: dict[int, Dim | None] = {}
        self._nodes: dict[int, Dim | None] = {}

    def instance(self, instance: Instance) -> Dim | None:
        """The number of parameters of a scope, in its own names."""
        instance = instance.inferred
        if id(instance) not in self._instances:
            parts = (self.node(instance, node) for node in instance.nodes.values())
            self._instances[id(instance)] = sum_or_none(parts)
        return self._instances[id(instance)]

    def node(self, instance: Instance, node: TypedNode) -> Dim | None:
        """The number of parameters of a layer with all its copies, in the names of the scope around it."""
        if id(node) not in self._nodes:
            self._nodes[id(node)] = self._node(instance, node)
        return self._nodes[id(node)]

    def _node(self, instance: Instance, node: TypedNode) -> Dim | None:
        runs = list(runs_with_weights(node))
        done, terms = 0, []
        for position, (count, call) in enumerate(runs):
            last = position == len(runs) - 1
            copies = _last_count(instance, node, count, done) if last else Dim.of(count)
            terms.append(product_or_none(self.call(instance, node, call), copies))
            done += count
        return sum_or_none(terms)

    def call(self, instance: Instance, node: TypedNode, call: LayerCall) -> Dim | None:
        """The number of parameters of one copy, in the names of the scope around it."""
        if call.instance is None:
            return own_elements(node, call)
        inside = self.instance(call.instance)
        try:
            return None if inside is None else inside.substitute(call.binding)
        except DimOverflow:
            return None


def sum_or_none(terms: Iterable[Dim | None]) -> Dim | None:
    """The sum of formulas; None if a term is None or the sum grows too large."""
    terms = list(terms)
    if len(terms) == 1:
        return terms[0]
    try:
        known = [term for term in terms if term is not None]
        return sum_of(known) if len(known) == len(terms) else None
    except DimOverflow:
        return None


def product_or_none(formula: Dim | None, count: Dim | int) -> Dim | None:
    """The product of a formula and a count; None if the formula is None or the product grows too large."""
    try:
        return None if formula is None else formula * count
    except DimOverflow:
        return None


def _last_count(instance: Instance, node: TypedNode, count: int, done: int) -> Dim:
    """The number of copies in the last of several runs, as all copies minus those before: `depth - 1`.

    A last run of a single copy stays 1: with a greater `depth`, the copies after it need not equal it.
    """
    repeat = node.node.layer.repeat
    if repeat is None or repeat.share or (done and count == 1):
        return Dim.of(count)
    return _named_count(instance, repeat.count, count + done) - done


def _named_count(instance: Instance, declared: object, value: int) -> Dim:
    """The number of copies in the names of the scope, if it is a polynomial in them."""
    if not isinstance(declared, Formula):
        return Dim.of(value)
    try:
        named = evaluate(declared.expr, instance.names)
    except ExpressionError:
        return Dim.of(value)
    return Dim.of(named) if isinstance(named, int | Dim) else Dim.of(value)
