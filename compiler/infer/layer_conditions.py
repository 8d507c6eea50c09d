"""Whether the layers of one instance run, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.diagnostics.diagnostic import InstancePath
from compiler.expr.syntax import BooleanLiteral
from compiler.infer.engine import Engine, Skip
from compiler.infer.instances import InstanceBuilder
from compiler.infer.open_inputs import given_values, hopeful
from compiler.infer.param_values import formula_value, shown
from compiler.ir.graph import Alternatives, Node, Place
from compiler.language.layers import Repeat
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value

NO_ANSWERS: Mapping[str, Value] = {}


class LayerConditions:
    """The conditions and numbers of copies of the layers of one instance; `path` leads to it, for diagnostics.

    A method raises Skip where what is written has no value that is right, which is reported.
    """

    def __init__(
        self, engine: Engine, instance: InstanceBuilder, path: InstancePath
    ) -> None:
        self.instance, self.path = instance, path
        self.report, self.most = engine.report, engine.limits.repeat

    def choose(self, node: Node) -> Node:
        """What a layer is that may be one thing or another."""
        if not isinstance(node.target, Alternatives):
            return node
        pairs = zip(node.target.conditions, node.target.nodes, strict=True)
        origin = self.instance.scope.nodes[node.shared] if node.shared else node
        for number, (condition, one) in enumerate(pairs):
            place = origin.place.at("choose", number, "when")
            if self._holds(node, condition, place):
                return one
        raise AssertionError("the last alternative has no condition")

    def runs(self, node: Node) -> bool:
        """Whether a layer runs with the inputs of the instance."""
        if node.layer.when is None:
            return True
        answers = given_values(node, self.instance.inputs)
        return self._holds(node, node.layer.when, node.place.at("when"), answers)

    def outcomes(self, node: Node) -> frozenset[bool]:
        """What may come out of a condition that asks for inputs that may be there or not when the network runs."""
        if node.layer.when is None:
            return frozenset()
        ends = [self._answered(node, hope) for hope in (True, False)]
        place = node.place.at("when")
        return frozenset(self._holds(node, one, place) for one in ends if one)

    def is_settled(self, node: Node) -> bool:
        """Whether other values of the params would not run a layer that is off: inputs decide that it is."""
        best = self._answered(node, hope=True)
        if best is None:
            return False
        settled = best.expr == BooleanLiteral(False)
        return settled or True in self.outcomes(node)

    def ties(self, node: Node) -> Mapping[str, str]:
        """The ties of a layer, where they hold."""
        tie = node.layer.tie
        if tie is None or not self._holds(node, tie.when, node.place.at("tie", "when")):
            return {}
        return tie.tensors

    def count(self, node: Node) -> int:
        """How many copies a layer has; one where it is not repeated."""
        repeat = node.layer.repeat
        if repeat is None:
            return 1
        place = node.place.at("repeat")
        value = formula_value(repeat.count, self.instance.values, place, self.report)
        if value is None:
            raise Skip
        fault = _count_fault(value, repeat, self.most)
        if fault is not None:
            code, message = fault
            path = self.path.to(node.name)
            self.report.error(code, place.span(), message, path=path)
            raise Skip
        assert isinstance(value, int)
        return value

    def _answered(self, node: Node, hope: bool) -> Formula | None:
        """A condition without questions for inputs; None for one that has none."""
        when = node.layer.when
        if not node.layer.asks_given:
            return None
        one = hopeful(when.expr, self.instance.inputs, self.instance.open, hope)
        return Formula(one, when.text)

    def _holds(
        self,
        node: Node,
        condition: Any,
        place: Place,
        answers: Mapping[str, Value] = NO_ANSWERS,
    ) -> bool:
        if condition is None:
            return True
        values = (
            {**self.instance.values, **answers} if answers else self.instance.values
        )
        value = formula_value(condition, values, place, self.report)
        if value is None:
            raise Skip
        if not isinstance(value, bool):
            message = f"`when` is true or false, and this is {shown(value)}"
            path = self.path.to(node.name)
            self.report.error("bad-when", place.span(), message, path=path)
            raise Skip
        return value


def _count_fault(value: Value, repeat: Repeat, most: int) -> tuple[str, str] | None:
    """What is wrong with a number of copies: the code and the message."""
    least = min(len(repeat.stack) + len(repeat.collect) + repeat.routed, 1)
    if isinstance(value, Dim):
        must = "must be known to build the network"
        return "not-constant", f"`repeat` {must}, and is {shown(value)}"
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"`repeat` is a number of copies, and this is {shown(value)}"
        return "bad-repeat", message
    if value < least:
        what = "is a number of copies"
        if least:
            doing = "stack" if repeat.stack else "collect"
            what = f"needs a copy to {'route to' if repeat.routed else doing}"
        return "bad-repeat", f"`repeat` {what}, and this is {shown(value)}"
    if value > most:
        return "too-large", f"{value} copies are more than {most}"
    return None
