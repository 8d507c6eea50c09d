"""What the graph says that each layer is given and gives, in one use of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compiler.codegen.python import Expr, Literal, Placeholder, subscript
from compiler.ir.graph import Ref, may_lack
from compiler.ir.module import Let, Member, defined
from compiler.ir.typed import LayerCall, TypedNode
from compiler.lower.ask_op import Asked, LastWritten
from compiler.lower.class_plan import first_ref
from compiler.lower.list_operands import with_lists
from compiler.lower.values_of_use import NOTHING, Output, Passing, ValuesOfUse


class GraphValues:
    """What layers are given and give in one use; values that ops write are added to those of `forward`."""

    def __init__(self, values: ValuesOfUse, written: LastWritten) -> None:
        self.values, self.written, self.use = values, written, values.use
        self._aliases: dict[str, Expr | None] = {}
        self._passed: dict[str, Expr] = {}
        self._codes: dict[str, Expr] = {}
        """What the op of a layer writes that runs once, by its name."""

    def token(self, ref: Ref) -> Expr:
        """What a reference stands for in this use: an output of a layer that runs, or an input."""
        node = self.use.nodes.get(ref.node)
        if node is None:
            there = self.use.inputs.get(ref.node) is not None
            return Placeholder(Output(ref.node, "")) if there else NOTHING
        if not node.calls:
            return self.first(node)
        if ref.port in node.items:
            return self._item(ref)
        if may_lack(node.node, ref.port) and ref.port not in node.outputs:
            return NOTHING
        module = self._alias(node)
        if module is not None:
            return module
        return Placeholder(Output(ref.node, ref.port or next(iter(node.outputs))))

    def first(self, node: TypedNode) -> Expr:
        """What a layer passes on where it is off, behind others that are off."""
        steps: list[str] = []
        while node.node.name not in self._passed:
            steps.append(node.node.name)
            ref = node.node.otherwise or first_ref(node)
            assert ref is not None, "what passes nothing on has no output"
            before = self.use.nodes.get(ref.node)
            if before is None or before.calls:
                self._passed[node.node.name] = self.token(ref)
                break
            node = before
        found = self._passed[node.node.name]
        self._passed |= dict.fromkeys(steps, found)
        return found

    def given(self, node: TypedNode) -> dict[str, Any]:
        """The inputs of a layer by port; None for one that is absent."""
        given: dict[str, Any] = {}
        for port, ref in node.inputs.items():
            if port in node.each and isinstance(ref, tuple):
                given[port] = tuple(map(self.token, ref))
            elif isinstance(ref, tuple):
                given[port] = with_lists(node, ref, self.token, self._list)
            else:
                token = self.token(ref)
                given[port] = None if token == NOTHING else token
        return given

    def code(self, node: TypedNode) -> Expr:
        """What the op of a layer that runs once writes, asked alone."""
        name = node.node.name
        if name not in self._codes:
            module = Placeholder(member_of(node))
            self._codes[name] = self.alone(
                node, node.calls[0], self.given(node), module
            )
        return self._codes[name]

    def alone(
        self, node: TypedNode, call: LayerCall, given: Mapping[str, Any], module: Expr
    ) -> Expr:
        """What the op of one run writes for it, asked alone."""
        value, steps = self.written.of(Asked(node, call, module, given), self.use)
        assert value is not None
        return self._fold_steps(steps, value, own_copy(node, call))

    def _item(self, ref: Ref) -> Expr:
        """An item of a list that a layer collects."""
        name, number = ref.item or ("", 0)
        return subscript(Placeholder(Output(ref.node, name)), number)

    def _alias(self, node: TypedNode) -> Expr | None:
        """What a layer gives that gives a value as it is, or a tensor that is the layer itself."""
        name = node.node.name
        if name not in self._aliases:
            self._aliases[name] = self._found_alias(node)
        return self._aliases[name]

    def _found_alias(self, node: TypedNode) -> Expr | None:
        call = node.calls[0]
        layer = node.node.layer
        if call.op is None or layer.scan is not None or len(node.outputs) > 1:
            return None
        if layer.repeat is not None and (node.each or not layer.repeat.chained):
            return None
        if layer.repeat is not None:
            starts = self.given(node)
            port, start = next(iter(starts.items()), ("", None))
            state = Placeholder(Passing(node.node.name, port))
            several = isinstance(start, tuple)
            inside = (state, *start[1:]) if several and start else state
            alone = self.alone(node, call, {**starts, port: inside}, state)
            first = start[0] if several and start else start
            return first if alone == state else None
        code = self.code(node)
        return code if isinstance(code, Placeholder | Literal) else None

    def _list(self, layer: str, name: str) -> Expr:
        """A list that a layer collects."""
        return Placeholder(Output(layer, name))

    def _fold_steps(self, steps: Sequence[Let], value: Expr, copy: int | None) -> Expr:
        for step in steps:
            (target,) = defined(step.target)
            self.values[target] = self.values.folded(step.value, copy)
        return self.values.folded(value, copy)


def member_of(node: TypedNode) -> Member:
    """The member that a layer is, or whose weights it shares."""
    return Member(node.node.shared or node.node.name)


def own_copy(node: TypedNode, call: LayerCall) -> int | None:
    """The number of the first copy that a run stands for; None if the layer is not repeated."""
    return call.counter if node.node.layer.repeat is not None else None
