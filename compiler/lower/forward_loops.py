"""Layers of `forward` that are repeated: loops, what goes from copy to copy, and the lists that copies fill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from compiler.codegen.python import Expr, Placeholder, call, lit
from compiler.codegen.traversal import placeholders
from compiler.infer.repeats import feeds
from compiler.ir.module import Carried, Collected, Let, Local, Loop, Origin
from compiler.ir.typed import TypedNode, item_port
from compiler.language.layers import Repeat
from compiler.lower.class_ir import count_code
from compiler.lower.class_plan import Run
from compiler.lower.draft import member
from compiler.lower.forward_values import ForwardValues, Given
from compiler.lower.scope_code import value_code
from compiler.op.arg_types import Formula
from compiler.symbolic.tensor import TensorType


class ForwardLoops:
    """Runs copies of layers one after another."""

    def __init__(self, layers: ForwardValues) -> None:
        self.layers, self.draft = layers, layers.draft

    def loop(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """`repeat`: the outputs of a copy are the inputs of the next."""
        repeat = typed.node.layer.repeat
        assert repeat is not None
        name, given = typed.node.name, self.layers.inputs_of(typed)
        ports = list(typed.of_copy)
        fed = feeds(typed.node.layer, ports, given, typed.each)
        items = tuple(self._items(typed, given))
        self._demand_each(typed, repeat)
        starts = self._enter(typed, fed, given, many=len(ports) > 1)
        copies = self.draft.built[name] and not repeat.share
        holder = self.draft.value(Origin(name, step="copy")) if copies else None
        module = Placeholder(member(typed) if holder is None else holder)
        emitted = self.layers.apply(typed, runs, given, module)
        assert emitted.value is not None
        states = [Placeholder(inside) for _, inside in starts.values()]
        alone = not repeat.stack and not repeat.collect
        if len(ports) == 1 and alone and states and states == [emitted.value]:
            self.layers.remember(typed, [start for start, _ in starts.values()])
            return
        values = {
            port: self.draft.value(Origin(name, port if len(ports) > 1 else ""))
            for port in ports
        }
        kinds = tuple(typed.outputs[port] for port in ports)
        target = self.layers.target(typed, tuple(values.values()))
        varies = any(call.outputs != typed.calls[0].outputs for call in typed.calls)
        body = (*emitted.steps, Let(name, target, emitted.value, kinds, varies))
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
            if port not in after
            and (loop.carried or self.layers.read.plain(name, port))
        }
        lists = tuple(self._collected(typed, repeat, values))
        of_all = {one.item: one.items for one in lists if one.at is None}
        stacks = tuple(
            Collected(
                stack,
                values[port],
                of_all.get(values[port])
                or self.draft.value(Origin(name, stack, step="list")),
                self.draft.value(Origin(name, stack, step="stack")),
                (typed.outputs[stack],),
            )
            for stack, port in repeat.stack.items()
            if stack in typed.outputs
        )
        least = self._least_copies(typed, repeat)
        if least > 1:
            reason = f"so many copies of {name} are read"
            self.draft.demand_copies(typed, reason, least)
        elif last or stacks or lists:
            self.draft.demand_copies(typed, f"a copy gives {name} its outputs")
        ends = tuple((end, values[port]) for port, end in last.items())
        found = replace(loop, last=ends, collected=(*lists, *stacks))
        self.layers.statements.append(found)
        results = {**after, **last, **{one.name: one.result for one in stacks}}
        for port, value in results.items():
            self.layers.values[(name, port)] = Placeholder(value)
        first = next(iter(typed.outputs))
        if first in results:
            self.layers.values[(name, "")] = Placeholder(results[first])

    def _collected(
        self, typed: TypedNode, repeat: Repeat, values: Mapping[str, Local]
    ) -> Iterator[Collected]:
        """The lists of a layer that something reads; `values` are those of a copy."""
        name = typed.node.name
        at = None if repeat.at is None else value_code(repeat.at)
        for collected, copies in typed.lists.items():
            if collected not in self.layers.read.of(name):
                continue
            items = self.draft.value(Origin(name, collected, step="list"))
            self.layers.lists[name, collected] = items
            ports = [item_port(collected, number) for number in range(len(copies))]
            kinds = tuple(typed.outputs[port] for port in ports)
            item = values[typed.copy_port(ports[0])]
            yield Collected(collected, item, items, None, kinds, at)

    def _least_copies(self, typed: TypedNode, repeat: Repeat) -> int:
        """How many copies the items need that are read, or that lists are of."""
        read = self.layers.read.of(typed.node.name)
        if repeat.at is None:
            return max(read.values(), default=0)
        if list(placeholders(value_code(repeat.at))):
            return 1  # params are fixed that say which
        return max((typed.lists[name][-1] + 1 for name in read), default=0)


def _tensor(kind: object) -> TensorType | None:
    return kind if isinstance(kind, TensorType) else None


def _times(repeat: Repeat) -> str:
    """How often a layer is repeated, as the spec writes it."""
    count = repeat.count
    return count.text if isinstance(count, Formula) else str(count)
