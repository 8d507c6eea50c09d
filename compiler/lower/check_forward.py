"""What `forward` of a class runs in one use, compared with what the graph says, statement by statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compiler.codegen.python import Call, Expr, Name, Placeholder, lit, subscript
from compiler.codegen.traversal import placeholders
from compiler.infer.repeats import feeds, for_copy
from compiler.ir.graph import Ref
from compiler.ir.module import (
    Choose,
    Collected,
    Let,
    Local,
    Loop,
    RunScan,
    Stmt,
    defined,
)
from compiler.ir.typed import LayerCall, TypedNode
from compiler.lower.class_ir import Construct
from compiler.lower.class_plan import ClassPlan
from compiler.lower.compare_code import Comparison
from compiler.lower.forward import routed_code
from compiler.lower.graph_values import GraphValues, member_of
from compiler.lower.scan_start import start_code
from compiler.lower.values_of_use import NOTHING, Output, Passing, ValuesOfUse


class ForwardCheck:
    """Compares what runs in one use."""

    def __init__(
        self, comparison: Comparison, values: ValuesOfUse, graph: GraphValues
    ) -> None:
        self.comparison, self.values, self.graph = comparison, values, graph
        self.ir, self.use = comparison.ir, comparison.use

    def statement(self, statement: Stmt) -> None:
        """Compare a statement, after those before it.

        Raises:
            Invalid: where it runs something else.
        """
        self.comparison.layer = statement.layer
        if not statement.layer:
            assert isinstance(statement, Let)
            (target,) = defined(statement.target)
            self.values[target] = self.values.folded(statement.value)
            return
        node = self.use.nodes[statement.layer]
        match statement:
            case Let():
                self._let(statement, node)
            case Choose():
                self._choose(statement, node)
            case Loop():
                self._loop(statement, node)
            case RunScan():
                self._scan(statement, node)

    def _let(self, let: Let, node: TypedNode) -> None:
        targets = list(defined(let.target))
        origin = self.ir.body.origins[targets[0].number]
        if origin.step:
            self.values[targets[0]] = (
                self.values.folded(let.value) if node.calls else NOTHING
            )
            return
        value = self.values.folded(let.value)
        if not node.calls:
            self.comparison.same(value, self.graph.first(node), "what is passed on")
            self.values[targets[0]] = value
            return
        if node.routed is not None:
            module = Placeholder(member_of(node))
            self.comparison.same(
                value, routed_code(module, self.graph.given(node)), "what runs"
            )
        elif node.calls[0].op is not None:
            self.comparison.same_code(value, self.graph.code(node), "what runs")
        else:
            module = Placeholder(member_of(node))
            self._same_call(value, node, node.calls[0], self.graph.given(node), module)
        self._results(targets, node)

    def _results(self, targets: Sequence[Local], node: TypedNode) -> None:
        self.comparison.same(len(targets), len(node.ports), "the number of outputs")
        for target, port in zip(targets, node.ports, strict=True):
            self.values[target] = self.graph.token(Ref(node.node.name, port))

    def _same_run(
        self,
        value: Expr,
        node: TypedNode,
        call: LayerCall,
        given: Mapping[str, Any],
        module: Expr,
    ) -> None:
        """Hold the code of a run against what its op, or its block, is to be given."""
        if call.op is not None:
            wanted = self.graph.alone(node, call, given, module)
            self.comparison.same_code(value, wanted, "what runs")
        else:
            self._same_call(value, node, call, given, module)

    def _same_call(
        self,
        value: Expr,
        node: TypedNode,
        call: LayerCall,
        given: Mapping[str, Any],
        module: Expr,
    ) -> None:
        """Hold the call of a block against what it is to be given."""
        if not isinstance(value, Call) or value.func != module:
            raise self.comparison.wrong(f"{module} is not called")
        assert call.instance is not None
        ports = self._callee(node, call).ports()
        found = dict.fromkeys(call.instance.scope.inputs, lit(None))
        found |= dict(zip(ports, value.args, strict=False))
        wanted_ = {
            port: given.get(port) or lit(None) for port in call.instance.scope.inputs
        }
        self.comparison.same(found, wanted_, "what a block is given")

    def _callee(self, node: TypedNode, call: LayerCall) -> ClassPlan:
        held = self.comparison.held.get(node.node.shared or node.node.name)
        for key in placeholders(held.build) if held else ():
            if isinstance(key, Construct) and key.typed.target is node.target:
                return key.plans[0][0]
        assert call.instance is not None
        plan = ClassPlan((), call.instance.scope)
        plan.add(call.instance)
        return plan

    def _choose(self, choose: Choose, node: TypedNode) -> None:
        self.comparison.same(
            self.values.folded(choose.test), lit(bool(node.calls)), "the condition"
        )
        if node.calls:
            for part in choose.body:
                self.statement(part)
            for after, inside, _ in choose.results:
                self.values[after] = self.values[inside]
            return
        for after, _, other in choose.results:
            if other is not None:
                value = self.values.folded(other)
                self.comparison.same(value, self.graph.first(node), "what is passed on")
                self.values[after] = value
            else:
                self.values[after] = NOTHING

    def _loop(self, loop: Loop, node: TypedNode) -> None:
        given = self.graph.given(node)
        repeat = node.node.layer.repeat
        assert repeat is not None
        ports = list(self.comparison.plan.layers[loop.layer].of_copy)
        fed = feeds(node.node.layer, ports, given, node.each)
        if loop.count is not None:
            self.comparison.same(
                self.values.folded(loop.count), lit(node.count), "the number of runs"
            )
        for one in loop.carried:
            start = given[fed[one.port]]
            start = start[0] if isinstance(start, tuple) else start
            self.comparison.same(
                self.values.folded(one.start),
                lit(None) if start is None else start,
                "what goes in",
            )
        for call in node.calls:
            apart = call.count if node.each else min(call.count, 1)
            for copy in range(call.counter, call.counter + apart):
                self._copy(loop, node, call, copy, given, fed)
        for one in loop.carried:
            self.values[one.after] = (
                self.graph.token(Ref(loop.layer, one.port))
                if node.calls
                else self.values.folded(one.start)
            )
        for after, _ in loop.last:
            port = self.ir.body.origins[after.number].port or ports[0]
            self.values[after] = Placeholder(Output(loop.layer, port))
        for one_ in loop.collected:
            self.values[one_.result] = Placeholder(Output(loop.layer, one_.name))
            if one_.after is None and node.calls:
                self._collected(one_, node)

    def _item_of_copy(self, items: Expr, node: TypedNode, copy: int) -> Expr:
        """The item that a copy takes of a list, or of `reversed(list)`."""
        if isinstance(items, Call) and items.func == Name("reversed"):
            (items,), copy = items.args, node.count - 1 - copy
        return subscript(self.values.folded(items), copy)

    def _collected(self, collected: Collected, node: TypedNode) -> None:
        """Hold the copies that a list is of against those that the graph says."""
        copies = tuple(range(node.count))
        if collected.at is not None:
            copies = self.values.value(self.values.folded(collected.at))
        wanted = node.lists.get(collected.name)
        self.comparison.same(copies, wanted, f"the copies of {collected.name}")

    def _copy(
        self,
        loop: Loop,
        node: TypedNode,
        call: LayerCall,
        copy: int,
        every: Mapping[str, Any],
        fed: Mapping[str, str],
    ) -> None:
        given = for_copy(every, node.each, copy)
        for _, item, items in loop.items:
            self.values[item] = self._item_of_copy(items, node, copy)
        for one in loop.carried:
            port = fed[one.port]
            state = Passing(loop.layer, port)
            inside = Placeholder(state)
            kind = call.inputs.get(port)
            self.values.passing[state] = kind[0] if isinstance(kind, tuple) else kind
            self.values[one.inside] = inside
            before = given[port]
            several = isinstance(before, tuple)
            given[port] = (inside, *before[1:]) if several else inside
        module: Expr = Placeholder(member_of(node))
        if loop.holder is not None:
            self.values[loop.holder] = module
        *steps, last = loop.body
        for step in steps:
            assert isinstance(step, Let)
            (target,) = defined(step.target)
            self.values[target] = self.values.folded(step.value, call.counter)
        assert isinstance(last, Let)
        self._same_run(
            self.values.folded(last.value, call.counter), node, call, given, module
        )

    def _scan(self, scan: RunScan, node: TypedNode) -> None:
        assert node.scan is not None
        given = {
            port: value
            for port, value in self.graph.given(node).items()
            if value is not None
        }
        found = dict(
            zip(
                scan.order,
                [*scan.xs, *([None] * len(scan.carry)), *scan.shared],
                strict=True,
            )
        )
        for port, code in found.items():
            if code is not None:
                self.comparison.same(
                    self.values.folded(code),
                    given.get(port) or lit(None),
                    f"the input {port}",
                )
        self.comparison.same(
            [p for p in scan.order if p in node.scan.axes],
            list(node.scan.axes),
            "what is split",
        )
        self.comparison.same(
            scan.axes,
            tuple(node.scan.axes[p] for p in scan.order if p in node.scan.axes),
            "the axes",
        )
        for name, code in zip(node.scan.carry, scan.carry, strict=True):
            carry = node.node.carry[name]
            wanted = (
                self.graph.token(carry.ref)
                if carry.ref
                else self.values.folded(start_code(node, name, given))
            )
            self.comparison.same(
                self.values.folded(code), wanted, f"the start of {name}"
            )
        for port, target in zip(scan.results, scan.target, strict=True):
            if target is not None:
                self.values[target] = Placeholder(Output(scan.layer, port))
