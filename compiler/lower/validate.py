"""Whether a class does in a use what inference says of it: the module run on types, statement by statement.

Every value of `forward` is followed to the layer and port that it is of, for one use at a time: which branch a
condition takes, what each size comes to, which class a copy has and with what arguments. What an op is given is held
against what the op writes when it is asked for that one run alone. Nothing here decides anything: it only refuses.
"""

from __future__ import annotations

from collections.abc import Mapping

from compiler.codegen.python import Placeholder
from compiler.ir.typed import Instance
from compiler.lower.ask_op import LastWritten
from compiler.lower.check_built import BuiltCheck, CheckClass
from compiler.lower.check_forward import ForwardCheck
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan, chosen
from compiler.lower.compare_code import Comparison, Invalid
from compiler.lower.constructors import Constructors
from compiler.lower.graph_values import GraphValues
from compiler.lower.values_of_use import NOTHING, Output, ValuesOfUse


class Validator:
    """Holds classes against uses; each pair once."""

    def __init__(
        self, classes: Mapping[int, ClassIR], constructors: Constructors
    ) -> None:
        self.classes, self.constructors = classes, constructors
        self._done: dict[tuple[int, int], Invalid | None] = {}
        """What was found of a pair; None where it holds, and while it is looked at."""
        self._written = LastWritten()

    def check(self, ir: ClassIR, use: Instance) -> None:
        """Hold a class against a use, and the classes that it builds there against theirs.

        Raises:
            Invalid: where it does something else.
        """
        use = use.inferred
        key = id(ir.plan), id(use)
        if key not in self._done:
            self._done[key] = None
            try:
                comparison = Comparison(ir, use)
                _Check(
                    comparison, self.constructors, self._written, self._check_built
                ).run()
            except Invalid as error:
                self._done[key] = error
        known = self._done[key]
        if known is not None:
            raise known

    def _check_built(self, plan: ClassPlan, use: Instance) -> None:
        self.check(self.classes[id(plan)], use)


class _Check:
    """Holds one class against one use."""

    def __init__(
        self,
        comparison: Comparison,
        constructors: Constructors,
        written: LastWritten,
        check_class: CheckClass,
    ) -> None:
        self.comparison = comparison
        self.values = ValuesOfUse(comparison)
        self.graph = GraphValues(self.values, written)
        self.built = BuiltCheck(
            comparison, self.values, constructors, written, check_class
        )
        self.forward = ForwardCheck(comparison, self.values, self.graph)

    def run(self) -> None:
        comparison = self.comparison
        use, plan = comparison.use, comparison.plan
        if len(use.nodes) < len(plan.scope.nodes):
            raise comparison.wrong("a layer of it is wrong here")
        if [*chosen(use)] != [*chosen(plan.first)]:
            raise comparison.wrong("a layer is another thing")
        body = comparison.ir.body
        for port, value in body.inputs:
            there = use.inputs.get(port) is not None
            self.values[value] = Placeholder(Output(port, "")) if there else NOTHING
        for node in plan.scope.nodes.values():
            comparison.layer = node.name
            if not node.shared:
                self.built.check(use.nodes[node.name])
        for statement in body.statements:
            self.forward.statement(statement)
        comparison.layer = ""
        for output, ref in zip(body.outputs, plan.scope.outputs.values(), strict=True):
            found = self.values.folded(output)
            comparison.same(found, self.graph.token(ref), "an output")
