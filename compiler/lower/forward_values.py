"""The values of layers in `forward`, each defined once: what a layer is given, the code of a run, and its results."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.codegen.python import Expr, Placeholder, call, lit, subscript
from compiler.elaborate.targets import is_item
from compiler.ir.graph import Ref, Scope, may_lack
from compiler.ir.module import Let, Local, Origin, Stmt, target_of
from compiler.ir.typed import TypedNode
from compiler.lower.begin_states import resumed
from compiler.lower.class_plan import Run
from compiler.lower.class_steps import operand
from compiler.lower.draft import Draft
from compiler.lower.emit import Emitted, LayerCode, joint_types
from compiler.lower.list_operands import ListReads, with_lists
from compiler.op.op import Op

Given = dict[str, Expr | tuple[Expr, ...] | None]
"""The expressions of a layer's inputs by port."""


class ForwardValues:
    """The values and the statements of `forward` so far."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.values: dict[tuple[str, str], Expr | None] = {}
        self.statements: list[Stmt] = []
        self.overwriting: dict[int, tuple[Local, Expr]] = {}
        self.inputs: list[tuple[str, Local]] = []
        self.touched: dict[str, None] = {}
        self.lists: dict[tuple[str, str], Local] = {}
        """The lists that layers collect, by their names."""
        self.read = ListReads(draft.plan)
        self.given: dict[str, Given] = {}
        """The inputs of the blocks."""
        present = draft.plan.ports()
        for port in draft.plan.scope.inputs:
            value = draft.value(Origin("", port))
            self.inputs.append((port, value))
            self.values[(port, "")] = Placeholder(value) if port in present else None

    def inputs_of(self, typed: TypedNode) -> Given:
        """What a layer is given, by port."""
        given: Given = {}
        for port, ref in typed.inputs.items():
            if port in typed.each and isinstance(ref, tuple):
                name, _ = ref[0].item or ("", 0)
                given[port] = self._list(ref[0].node, name)
            elif isinstance(ref, tuple):
                listed = with_lists(typed, ref, self.needed, self._list)
                if self.draft.columns_of(typed.node.name):
                    listed = tuple(map(self.needed, ref))
                given[port] = listed
            else:
                given[port] = self._value(ref)
        return given

    def _value(self, ref: Ref) -> Expr | None:
        """A value; None for one that no use has."""
        item, node = ref.item, self.draft.plan.scope.nodes.get(ref.node)
        if item is not None and node is not None and is_item(node, ref):
            return subscript(self._list(ref.node, item[0]), item[1])
        if node is not None and (node.may_be_absent or may_lack(node, ref.port)):
            return self.values.get((ref.node, ref.port))
        return self.values[(ref.node, ref.port)]

    def needed(self, ref: Ref) -> Expr:
        """A value, or the code `None` where no use has it."""
        value = self._value(ref)
        return lit(None) if value is None else value

    def _list(self, layer: str, name: str) -> Expr:
        """A list that a layer collects."""
        return Placeholder(self.lists[layer, name])

    def apply(
        self, typed: TypedNode, runs: Sequence[Run], given: Given, module: Expr
    ) -> Emitted:
        """The code of one run of a layer's target."""
        if isinstance(typed.target, Scope):
            instance = runs[0].call.instance
            assert instance is not None
            ports = self.draft.plans.of(instance).ports()
            name, calls = typed.node.name, (run.call for run in runs)
            self.given[name] = given
            plans = [self.draft.plans.of(c.instance) for c in calls if c.instance]
            arguments = arguments_in_order(ports, given)
            options = resumed(self.draft, name, plans)
            return Emitted(call(module, *arguments, **options))
        types = joint_types(runs)

        def apply(op: Op, code: LayerCode) -> Expr:
            self.draft.library |= {op.carries(code)} - {""}
            values = {
                port.name: given.get(port.name)
                if types.get(port.name) is not None
                else None
                for port in op.inputs
            }
            if self.draft.columns_of(typed.node.name):
                self.draft.library.add(op.column_library)
            if not op.state_library:
                values |= self._so_far(typed, code, values)
            return op.apply(code, **values)

        emitted = self.draft.emit(typed, runs, apply, module)
        self.touched.update(dict.fromkeys(emitted.touched))
        return emitted

    def _so_far(self, typed: TypedNode, code: LayerCode, given: Given) -> Given:
        """The operand that a layer keeps for all positions so far: `so_far(state, key)`."""
        found: Given = {}
        for port in self.draft.columns_of(typed.node.name):
            name, _, number = port.partition(" ")
            one, ref, n = given[name], typed.inputs[name], int(number or 0)
            items = one if isinstance(one, tuple) else ()
            kind = operand(code.types, port)
            whole = call("so_far", code.state(), items[n] if number else one)
            source = ref[n] if isinstance(ref, tuple) else ref
            value = code.let(whole, kind.shape, f"all_{source.node}")
            found[name] = (*items[:n], value, *items[n + 1 :]) if items else value
        return found

    def bind(self, typed: TypedNode, emitted: Emitted) -> None:
        """Make the results of a layer values, unless its result is its input."""
        self.statements.extend(emitted.steps)
        value = emitted.value
        assert value is not None
        if len(typed.ports) == 1 and isinstance(value, Placeholder):
            self.remember(typed, (value,))
            return
        target, values = self.results(typed)
        self.statements.append(
            Let(typed.node.name, target, value, tuple(typed.outputs.values()))
        )
        if emitted.overwriting is not None:
            self._note_overwriting(typed, values[0], emitted.overwriting)
        self.remember(typed, tuple(map(Placeholder, values)))

    def _note_overwriting(self, typed: TypedNode, value: Local, code: Expr) -> None:
        first = next(iter(typed.inputs.values()))
        # An item of a list is in the list, too: it is none of the values, and stays as it is.
        source = (
            self.values.get((first.node, first.port))
            if isinstance(first, Ref)
            else None
        )
        if isinstance(source, Placeholder) and isinstance(source.key, Local):
            self.overwriting[value.number] = source.key, code

    def results(self, typed: TypedNode) -> tuple[Expr, tuple[Local, ...]]:
        """A new value for each output, and how an assignment takes them."""
        many = len(typed.ports) > 1
        values = tuple(
            self.draft.value(Origin(typed.node.name, port if many else ""))
            for port in typed.ports
        )
        return self.target(typed, values), values

    def target(self, typed: TypedNode, values: tuple[Local, ...]) -> Expr:
        """How an assignment takes the results of a layer."""
        placeholders: tuple[Expr, ...] = tuple(map(Placeholder, values))
        op = typed.calls[0].op if typed.calls else None
        return op.targets(placeholders) if op is not None else target_of(placeholders)

    def remember(self, typed: TypedNode, values: Sequence[Expr | None]) -> None:
        """Make values the outputs of a layer, the first of which stands for the layer."""
        for place, (port, value) in enumerate(zip(typed.ports, values, strict=True)):
            self.values[(typed.node.name, port)] = value
            if place == 0:
                self.values[(typed.node.name, "")] = value


def arguments_in_order(order: Sequence[str], given: Given) -> list[Expr]:
    """The inputs of a block by position; None before one that is given."""
    values = [given.get(port) for port in order]
    while values and values[-1] is None:
        values.pop()
    found: list[Expr] = []
    for value in values:
        assert not isinstance(value, tuple)
        found.append(lit(None) if value is None else value)
    return found
