"""What `forward` does: each layer as values that are defined once, with conditions, loops and scans as statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compiler.codegen.python import (
    Compare,
    Conditional,
    Expr,
    Logic,
    Placeholder,
    Unary,
    call,
    lit,
    subscript,
)
from compiler.codegen.traversal import mapped, placeholders
from compiler.elaborate.targets import is_item
from compiler.elaborate.wiring import EXPERTS, WEIGHTS
from compiler.infer.absence import runs_as, takes_none
from compiler.infer.repeats import feeds
from compiler.ir.graph import Ref, Scope, may_lack
from compiler.ir.module import (
    Body,
    Carried,
    Choose,
    Collected,
    InputName,
    Let,
    Local,
    Loop,
    Origin,
    RunScan,
    Stmt,
    target_of,
)
from compiler.ir.typed import TypedNode, item_port
from compiler.language.layers import Repeat
from compiler.lower.begin_states import resumed
from compiler.lower.class_ir import count_code
from compiler.lower.class_plan import Run, refs_of
from compiler.lower.class_steps import operand
from compiler.lower.draft import Draft, member
from compiler.lower.emit import Emitted, LayerCode, joint_types
from compiler.lower.list_operands import ListReads, with_lists
from compiler.lower.scan_start import start_code
from compiler.lower.scope_code import value_code
from compiler.op.arg_types import Formula
from compiler.op.op import Op
from compiler.symbolic.tensor import TensorType

Given = dict[str, Expr | tuple[Expr, ...] | None]
"""The expressions of a layer's inputs by port."""


class Forward:
    """The statements of `forward`, layer by layer."""

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

    def body(self) -> Body:
        """All of it, with the outputs of the scope."""
        refs = self.draft.plan.scope.outputs.values()
        outputs = tuple(map(self._needed, refs))
        statements = tuple(self.statements)
        return Body(tuple(self.inputs), statements, outputs, self.draft.origins)

    def run(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """Run a layer that an output depends on."""
        layer = typed.node.layer
        decided = self.draft.plan.decides(typed.node.name)
        if not runs or decided is False:
            self._pass_on(typed)
        elif layer.scan is not None:
            self._scan(typed, runs)
        elif typed.routed is not None:
            self._routed(typed)
        elif layer.repeat is not None:
            self._loop(typed, runs)
        elif layer.when is not None and decided is None:
            self._choice(typed, runs)
        else:
            emitted = self._apply(
                typed, runs, self._inputs(typed), Placeholder(member(typed))
            )
            self._bind(typed, emitted)

    def _inputs(self, typed: TypedNode) -> Given:
        given: Given = {}
        for port, ref in typed.inputs.items():
            if port in typed.each and isinstance(ref, tuple):
                name, _ = ref[0].item or ("", 0)
                given[port] = self._list(ref[0].node, name)
            elif isinstance(ref, tuple):
                listed = with_lists(typed, ref, self._needed, self._list)
                if self.draft.columns_of(typed.node.name):
                    listed = tuple(map(self._needed, ref))
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

    def _needed(self, ref: Ref) -> Expr:
        value = self._value(ref)
        return lit(None) if value is None else value

    def _list(self, layer: str, name: str) -> Expr:
        """A list that a layer collects."""
        return Placeholder(self.lists[layer, name])

    def _apply(
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

    def _bind(self, typed: TypedNode, emitted: Emitted) -> None:
        """Make the results of a layer values, unless its result is its input."""
        self.statements.extend(emitted.steps)
        value = emitted.value
        assert value is not None
        if len(typed.ports) == 1 and isinstance(value, Placeholder):
            self._remember(typed, (value,))
            return
        target, values = self._results(typed)
        self.statements.append(
            Let(typed.node.name, target, value, tuple(typed.outputs.values()))
        )
        if emitted.overwriting is not None:
            self._note_overwriting(typed, values[0], emitted.overwriting)
        self._remember(typed, tuple(map(Placeholder, values)))

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

    def _results(self, typed: TypedNode) -> tuple[Expr, tuple[Local, ...]]:
        """A new value for each output, and how an assignment takes them."""
        many = len(typed.ports) > 1
        values = tuple(
            self.draft.value(Origin(typed.node.name, port if many else ""))
            for port in typed.ports
        )
        return self._target(typed, values), values

    def _target(self, typed: TypedNode, values: tuple[Local, ...]) -> Expr:
        placeholders: tuple[Expr, ...] = tuple(map(Placeholder, values))
        op = typed.calls[0].op if typed.calls else None
        return op.targets(placeholders) if op is not None else target_of(placeholders)

    def _remember(self, typed: TypedNode, values: Sequence[Expr | None]) -> None:
        for place, (port, value) in enumerate(zip(typed.ports, values, strict=True)):
            self.values[(typed.node.name, port)] = value
            if place == 0:
                self.values[(typed.node.name, "")] = value

    # Layers that are off.

    def _passed(self, typed: TypedNode) -> Expr:
        """What a layer passes on where it is off: its `else`, or its first input."""
        if typed.node.may_be_absent:
            return lit(None)
        if typed.node.otherwise is not None:
            return self._needed(typed.node.otherwise)
        first = next(iter(self._inputs(typed).values()))
        first = first[0] if isinstance(first, tuple) else first
        return lit(None) if first is None else first

    def _pass_on(self, typed: TypedNode) -> None:
        """A layer that no use of the class runs."""
        if typed.node.may_be_absent:
            return
        self._remember(typed, [self._passed(typed)] + [None] * (len(typed.ports) - 1))

    def _test(self, typed: TypedNode) -> Expr:
        """Whether a layer with `when` runs: whether its module is there, else the condition itself.

        A type checker does not know that what is absent under the same condition is there then.
        """
        asked, rest = self._asked(typed)
        if self.draft.built[typed.node.name]:
            always = self.draft.plan.built_when(typed.node.name) is None and asked
            held = Compare("is not", Placeholder(member(typed)), lit(None))
            rest = [] if always else [held]
        refs = list(self._required(typed))
        if not self.draft.built[typed.node.name] and not asked:
            rest = [] if any(self._says(typed, ref) for ref in refs) else rest
        there = (Compare("is not", self._needed(ref), lit(None)) for ref in refs)
        items = tuple(dict.fromkeys((*rest, *asked, *there)))
        return items[0] if len(items) == 1 else Logic("and", items)

    def _asked(self, typed: TypedNode) -> tuple[list[Expr], list[Expr]]:
        """The parts of a condition, of which all must hold: those that ask for inputs, and the others."""
        when = self.draft.plan.condition(typed.node.name)
        code = value_code(when)
        parts = code.items if isinstance(code, Logic) and code.op == "and" else (code,)
        asked: list[Expr] = []
        rest: list[Expr] = []
        for part in parts:
            asks = any(isinstance(key, InputName) for key in placeholders(part))
            (asked if asks else rest).append(self._with_inputs(part))
        return asked, rest

    def _with_inputs(self, code: Expr) -> Expr:
        """A condition as `forward` asks it: `mask is not None`."""
        match code:
            case Unary("not", Unary("not", condition)):
                return self._with_inputs(condition)
            case Placeholder(InputName(name)):
                return Compare("is not", self._needed(Ref(name)), lit(None))
            case Unary("not", Placeholder(InputName(name))):
                return Compare("is", self._needed(Ref(name)), lit(None))
        return mapped(code, self._with_inputs)

    def _says(self, typed: TypedNode, ref: Ref) -> bool:
        """Whether there is a value where a layer runs, and nowhere else."""
        source = self.draft.plan.scope.nodes.get(ref.node)
        if source is None or may_lack(source, ref.port):
            return False
        return source.may_be_absent and runs_as(typed.node, source)

    def _required(self, typed: TypedNode) -> Iterator[Ref]:
        """The values that a layer needs and that may be None where it is off."""
        for port, ref in refs_of(typed):
            needed = port != "else" and not takes_none(typed.target, port)
            if needed and self.draft.may_be_none(ref):
                yield ref

    def _choice(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """`when`: the layer where it holds, else its first input."""
        emitted = self._apply(
            typed, runs, self._inputs(typed), Placeholder(member(typed))
        )
        other = self._passed(typed)
        value = emitted.value
        assert value is not None
        if value == other:
            self._remember(typed, [value])
        elif len(typed.ports) == 1 and not emitted.steps:
            op = runs[0].call.op
            code = Conditional(self._test(typed), value, other)
            after = self.draft.value(Origin(typed.node.name))
            plain = op is None or op.targets((Placeholder(after),)) == Placeholder(
                after
            )
            if plain:
                self.statements.append(
                    Let(
                        typed.node.name,
                        Placeholder(after),
                        code,
                        tuple(typed.outputs.values()),
                    )
                )
                self._remember(typed, [Placeholder(after)])
                return
            self._choose(typed, (), value, other)
        else:
            self._choose(typed, emitted.steps, value, other)

    def _choose(
        self, typed: TypedNode, steps: Sequence[Stmt], value: Expr, other: Expr
    ) -> None:
        kinds = tuple(typed.outputs.values())
        target, values = self._results(typed)
        self._either(
            typed, (*steps, Let(typed.node.name, target, value, kinds)), values, other
        )

    def _either(
        self,
        typed: TypedNode,
        body: tuple[Stmt, ...],
        values: Sequence[Local],
        other: Expr,
    ) -> None:
        """A statement under a condition: its values, or the first input and nothing else."""
        results = []
        for place, value in enumerate(values):
            after = self.draft.value(self.draft.origins[value.number])
            results.append((after, value, other if place == 0 else None))
        kinds = tuple(typed.outputs.values())
        self.statements.append(
            Choose(typed.node.name, self._test(typed), body, tuple(results), kinds)
        )
        self._remember(typed, [Placeholder(after) for after, _, _ in results])

    # Copies.

    def _loop(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """`repeat`: the outputs of a copy are the inputs of the next."""
        repeat = typed.node.layer.repeat
        assert repeat is not None
        name, given = typed.node.name, self._inputs(typed)
        ports = list(typed.of_copy)
        fed = feeds(typed.node.layer, ports, given, typed.each)
        items = tuple(self._items(typed, given))
        self._demand_each(typed, repeat)
        starts = self._enter(typed, fed, given, many=len(ports) > 1)
        copies = self.draft.built[name] and not repeat.share
        holder = self.draft.value(Origin(name, step="copy")) if copies else None
        module = Placeholder(member(typed) if holder is None else holder)
        emitted = self._apply(typed, runs, given, module)
        assert emitted.value is not None
        states = [Placeholder(inside) for _, inside in starts.values()]
        alone = not repeat.stack and not repeat.collect
        if len(ports) == 1 and alone and states and states == [emitted.value]:
            self._remember(typed, [start for start, _ in starts.values()])
            return
        values = {
            port: self.draft.value(Origin(name, port if len(ports) > 1 else ""))
            for port in ports
        }
        kinds = tuple(typed.outputs[port] for port in ports)
        target = self._target(typed, tuple(values.values()))
        body = (*emitted.steps, Let(name, target, emitted.value, kinds))
        carried = tuple(
            Carried(
                source,
                *starts[source],
                values[source],
                self.draft.value(self.draft.origins[starts[source][1].number]),
                _tensor(runs[0].call.inputs.get(port)),
            )
            for source, port in fed.items()
        )
        self._leave(
            typed,
            repeat,
            Loop(
                name,
                holder,
                count_code(typed) if holder is None and not items else None,
                carried,
                (),
                (),
                body,
                _times(repeat),
                items,
            ),
            values,
        )

    def _routed(self, typed: TypedNode) -> None:
        """Copies that are experts: `run_experts(self.experts, x, experts, weights)`."""
        self.draft.library.add("run_experts")
        if typed.routed is not None and not typed.routed.counted:
            name = typed.node.name
            self.draft.demand_copies(typed, f"an expert gives {name} its output")
        value = routed_code(Placeholder(member(typed)), self._inputs(typed))
        self._bind(typed, Emitted(value))

    def _demand_each(self, typed: TypedNode, repeat: Repeat) -> None:
        """Lists that go item by item must have one for each copy, where params decide how many there are."""
        for port in typed.each:
            items = typed.inputs[port]
            assert isinstance(items, tuple)
            source = self.draft.plan.layers[items[0].node].node.layer.repeat
            if source is None or (
                source.at and list(placeholders(value_code(source.at)))
            ):
                continue
            length = lit(len(items)) if source.at else value_code(source.count)
            name, _ = items[0].item or ("", 0)
            reason = f"each copy takes an item of {items[0].node}.{name}"
            self.draft.demand_equal(typed, length, reason)

    def _items(
        self, typed: TypedNode, given: Given
    ) -> Iterator[tuple[str, Local, Expr]]:
        """The items that each copy takes of lists, in place of these."""
        for port in typed.inputs:
            items = given[port]
            if port in typed.each and isinstance(items, Expr):
                repeat = typed.node.layer.repeat
                if repeat is not None and repeat.reverse:
                    items = call("reversed", items)
                item = self.draft.value(Origin(typed.node.name, step="item"))
                given[port] = Placeholder(item)
                yield port, item, items

    def _enter(
        self, typed: TypedNode, fed: Mapping[str, str], given: Given, *, many: bool
    ) -> dict[str, tuple[Expr, Local]]:
        """What goes from copy to copy, by output: what it is before the first, and in a copy, which is given that."""
        states: dict[str, tuple[Expr, Local]] = {}
        for source, port in fed.items():
            start = given[port]
            first = start[0] if isinstance(start, tuple) else start
            inside = self.draft.value(Origin(typed.node.name, source if many else ""))
            states[source] = lit(None) if first is None else first, inside
            state = Placeholder(inside)
            given[port] = (state, *start[1:]) if isinstance(start, tuple) else state
        return states

    def _leave(
        self, typed: TypedNode, repeat: Repeat, loop: Loop, values: Mapping[str, Local]
    ) -> None:
        """Add a loop, and make values of what its last copy gives, and of what all copies do; `values` are a copy's."""
        name = typed.node.name
        after = {one.port: one.after for one in loop.carried}
        last = {
            port: self.draft.value(Origin(name, port if len(values) > 1 else ""))
            for port in values
            if port not in after and (loop.carried or self.read.plain(name, port))
        }
        stacks = tuple(
            Collected(
                stack,
                values[port],
                self.draft.value(Origin(name, stack, step="list")),
                self.draft.value(Origin(name, stack, step="stack")),
                (typed.outputs[stack],),
            )
            for stack, port in repeat.stack.items()
            if stack in typed.outputs
        )
        lists = tuple(self._collected(typed, repeat, values))
        least = self._least_copies(typed, repeat)
        if least > 1:
            reason = f"so many copies of {name} are read"
            self.draft.demand_copies(typed, reason, least)
        elif last or stacks or lists:
            self.draft.demand_copies(typed, f"a copy gives {name} its outputs")
        ends = tuple((end, values[port]) for port, end in last.items())
        found = replace(loop, last=ends, collected=(*stacks, *lists))
        self.statements.append(found)
        results = {**after, **last, **{one.name: one.result for one in stacks}}
        for port, value in results.items():
            self.values[(name, port)] = Placeholder(value)
        first = next(iter(typed.outputs))
        if first in results:
            self.values[(name, "")] = Placeholder(results[first])

    def _collected(
        self, typed: TypedNode, repeat: Repeat, values: Mapping[str, Local]
    ) -> Iterator[Collected]:
        """The lists of a layer that something reads; `values` are those of a copy."""
        name = typed.node.name
        at = None if repeat.at is None else value_code(repeat.at)
        for collected, copies in typed.lists.items():
            if collected not in self.read.of(name):
                continue
            items = self.draft.value(Origin(name, collected, step="list"))
            self.lists[name, collected] = items
            ports = [item_port(collected, number) for number in range(len(copies))]
            kinds = tuple(typed.outputs[port] for port in ports)
            item = values[typed.copy_port(ports[0])]
            yield Collected(collected, item, items, None, kinds, at)

    def _least_copies(self, typed: TypedNode, repeat: Repeat) -> int:
        """How many copies the items need that are read, or that lists are of."""
        read = self.read.of(typed.node.name)
        if repeat.at is None:
            return max(read.values(), default=0)
        if list(placeholders(value_code(repeat.at))):
            return 1  # params are fixed that say which
        return max((typed.lists[name][-1] + 1 for name in read), default=0)

    # Time.

    def _scan(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        scan = typed.scan or runs[0].node.scan
        target = typed.target
        assert scan is not None and isinstance(target, Scope)
        self.draft.library.add("scan")
        given = self._inputs(typed)
        known = {
            port: value
            for port, value in given.items()
            if not isinstance(value, tuple) and value is not None
        }
        apart = [port for port in known if port in scan.axes]
        whole = [port for port in known if port not in scan.axes]
        results = [
            *scan.carry,
            *(port for port in typed.outputs if port not in scan.carry),
        ]
        values = {
            port: self.draft.value(
                Origin(typed.node.name, port if len(results) > 1 else "")
            )
            for port in results
        }
        instance = runs[0].call.instance
        assert instance is not None
        state = self.draft.state_of(typed.node.name)
        self.draft.library |= set() if state is None else {"resume_scan"}
        statement = RunScan(
            typed.node.name,
            tuple(values[port] for port in results),
            tuple(known[port] for port in apart),
            tuple(self._start(typed, name, known) for name in scan.carry),
            tuple(known[port] for port in whole),
            tuple(scan.axes[port] for port in apart),
            typed.node.layer.reverse,
            (*apart, *scan.carry, *whole),
            tuple(results),
            tuple(self.draft.plans.of(instance).ports()),
            tuple(target.outputs),
            tuple(typed.outputs[port] for port in results),
            state,
        )
        ordered = [values[port] for port in typed.outputs]
        if typed.node.layer.when is not None:
            self._either(typed, (statement,), ordered, self._passed(typed))
            return
        self.statements.append(statement)
        self._remember(typed, tuple(map(Placeholder, ordered)))

    def _start(self, typed: TypedNode, name: str, given: Mapping[str, Expr]) -> Expr:
        """What a state is before the first step."""
        carry = typed.node.carry[name]
        if carry.ref is not None:
            return self._needed(carry.ref)
        return start_code(typed, name, given)


def routed_code(module: Expr, given: Mapping[str, Any]) -> Expr:
    """The run of experts on what a layer is given."""
    routing = given[EXPERTS], given[WEIGHTS]
    tokens = (value for port, value in given.items() if port not in (EXPERTS, WEIGHTS))
    (x,) = (value for value in tokens if value is not None)
    return call("run_experts", module, x, *routing)


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


def _tensor(kind: object) -> TensorType | None:
    return kind if isinstance(kind, TensorType) else None


def _times(repeat: Repeat) -> str:
    """How often a layer is repeated, as the spec writes it."""
    count = repeat.count
    return count.text if isinstance(count, Formula) else str(count)
