"""The statements of `forward` as Python: values, branches, loops over copies, scans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from compiler.codegen.namespace import Namespace
from compiler.codegen.python import (
    Compare,
    Comprehension,
    Conditional,
    Expr,
    ListExpr,
    Name,
    Placeholder,
    TupleExpr,
    call,
    lit,
    method,
    subscript,
)
from compiler.codegen.statements import (
    Assign,
    ExprStatement,
    For,
    Function,
    FunctionParameter,
    If,
    Raise,
    Return,
    Stmt,
)
from compiler.codegen.traversal import placeholders
from compiler.ir import module as ir_module
from compiler.ir.graph import Ref, Scope
from compiler.ir.module import Choose, Collected, Let, Local, Loop, Member, RunScan
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_text import ClassText
from compiler.lower.constructors import either_none
from compiler.lower.member_code import copies, member
from compiler.lower.names import UNUSED, counts_copies, steps_plainly
from compiler.lower.static_types import TENSOR
from compiler.symbolic.symbol_table import COUNTER


class StatementPrinter:
    """Prints the statements of one body of a class."""

    def __init__(self, ir: ClassIR, text: ClassText) -> None:
        self.body, self.plan, self.text = ir.body, ir.plan, text
        self.names = text.names

    def lines(self, statement: ir_module.Stmt) -> list[Stmt]:
        """The lines of a statement."""
        match statement:
            case Let():
                return [_kept_or_changed(self._let(statement))]
            case Choose():
                return self._choose(statement)
            case Loop():
                return self._loop(statement)
            case RunScan():
                return self._scan(statement)

    def _let(self, let: Let) -> Assign:
        target = self.text.assigned(let.target)
        return Assign((target,), self.text.code(let.value), comment=self.text.told(let))

    def _choose(self, choose: Choose) -> list[Stmt]:
        lines: list[Stmt] = []
        for after, _, other in choose.results:
            name = self.names[after]
            if name != UNUSED:
                value = lit(None) if other is None else self.text.code(other)
                absent = other is None or other == lit(None)
                kind = either_none(TENSOR) if absent else None
                lines.append(Assign((Name(name),), value, annotation=kind))
        body = [line for part in choose.body for line in self.lines(part)]
        return [*lines, If(self.text.code(choose.test), tuple(body))]

    def _loop(self, loop: Loop) -> list[Stmt]:
        lines: list[Stmt] = []
        for one in loop.carried:
            name, start = Name(self.names[one.inside]), self.text.code(one.start)
            if start != name:
                tensor = isinstance(one.start, Placeholder) and isinstance(
                    one.start.key, Member
                )
                comment = self.text.comment([one.kind]) if tensor and one.kind else ""
                kind = either_none(TENSOR) if self._starts_absent(one.start) else None
                lines.append(Assign((name,), start, kind, comment))
        used = [one for one in loop.collected if self.names[one.items] != UNUSED]
        lists = list({one.items: one for one in reversed(used)}.values())[::-1]
        if made := self._comprehension(loop, lists):
            return [*lines, *made, *self._stacks(used)]
        for collected in lists:
            kind = subscript(Name("list"), TENSOR)
            items = Name(self.names[collected.items])
            contents = self._contents(collected, loop)
            lines.append(Assign((items,), ListExpr(()), kind, contents))
        body = [line for part in loop.body for line in self.lines(part)]
        body += map(self._append, lists)
        lines.append(self._for(loop, tuple(body)))
        lines += self._ran(loop)
        return [*lines, *self._stacks(used)]

    def _starts_absent(self, start: Expr) -> bool:
        """Whether what goes into the first copy is an optional input, or a layer's output that may be absent."""
        if not isinstance(start, Placeholder) or not isinstance(start.key, Local):
            return False
        for port, value in self.body.inputs:
            if value.number == start.key.number:
                return self.plan.is_optional(port)
        origin = self.body.origins[start.key.number]
        return not origin.step and self.plan.may_be_none(
            Ref(origin.layer, origin.port, ())
        )

    def _ran(self, loop: Loop) -> Iterator[Stmt]:
        """That copies gave a value, where there may be none before the first: a type checker asks."""
        target = self.plan.layers[loop.layer].target
        absent = target.optional if isinstance(target, Scope) else ()
        for one in loop.carried:
            if self._starts_absent(one.start) and one.port not in absent:
                message = f"{loop.layer} has no copies"
                line = Raise(call("ValueError", message))
                missing = Compare("is", Name(self.names[one.after]), lit(None))
                yield If(missing, (line,))

    def _stacks(self, used: Sequence[Collected]) -> Iterator[Stmt]:
        """`states = torch.stack(states_list)`, for the lists that are read as one tensor."""
        for collected in used:
            if collected.after is not None:
                value = call("torch.stack", Name(self.names[collected.items]))
                name = Name(self.names[collected.after])
                comment = self.text.comment(collected.kinds)
                yield Assign((name,), value, comment=comment)

    def _append(self, collected: Collected) -> Stmt:
        """`features.append(x)`, perhaps for some copies only."""
        items, item = (self.names[one] for one in (collected.items, collected.item))
        line = ExprStatement(method(Name(items), "append", Name(item)))
        if collected.at is None:
            return line
        return If(Compare("in", Name(COUNTER), self.text.code(collected.at)), (line,))

    def _for(self, loop: Loop, body: tuple[Stmt, ...]) -> Stmt:
        target, places = self._runs(loop)
        alone = loop.holder is None and not loop.items
        return For(target, places, body, comment="" if alone else f"{loop.times} times")

    def _runs(self, loop: Loop) -> tuple[Expr, Expr]:
        """What a loop goes through, and what it calls that: modules, and items of lists."""
        parts: list[tuple[Expr, Expr]] = []
        if loop.holder is not None:
            shared = self.plan.layers[loop.layer].node.shared
            place = copies(self.plan, shared or loop.layer)
            parts.append((Name(self.names[loop.holder]), place))
        for _, item, items in loop.items:
            parts.append((Name(self.names[item]), self.text.code(items)))
        counter = Name(COUNTER if counts_copies(loop) else UNUSED)
        if not parts:
            assert loop.count is not None
            return counter, call("range", self.text.code(loop.count))
        (target, place), *others = parts
        if others:
            target = TupleExpr(tuple(one for one, _ in parts))
            place = call("zip", *(one for _, one in parts), strict=True)
        if counts_copies(loop):
            target, place = TupleExpr((counter, target)), call("enumerate", place)
        return target, place

    def _comprehension(self, loop: Loop, lists: Sequence[Collected]) -> list[Stmt]:
        """`outputs = [layer(x) for layer in self.layers]`, where a loop does no more; else nothing."""
        alone = not loop.carried and not loop.last
        if not alone or len(lists) != 1 or len(loop.body) != 1:
            return []
        ((one,), (let,)) = lists, loop.body
        if one.at or not isinstance(let, Let) or let.target != Placeholder(one.item):
            return []
        items = Name(self.names[one.items])
        made = Comprehension(self.text.code(let.value), *self._runs(loop), is_list=True)
        given = (key for code in self.body.outputs for key in placeholders(code))
        kind = subscript(Name("list"), TENSOR) if one.items in given else None
        return [Assign((items,), made, kind, self._contents(one, loop))]

    def _contents(self, collected: Collected, loop: Loop) -> str:
        """`depth of [B, T, D]`, for the items of a list."""
        if collected.after is not None:
            (stacked,) = collected.kinds
            count, *shape = stacked.shape
            number = self.text.comment([stacked.with_shape(count)]).strip("[]")
            return f"{number} of {self.text.comment([stacked.with_shape(*shape)])}"
        times = loop.times if collected.at is None else len(collected.kinds)
        shapes = list(
            dict.fromkeys(self.text.comment([kind]) for kind in collected.kinds)
        )
        if len(shapes) > 1:
            return f"{times} of several shapes"
        return f"{times} of {shapes[0]}"

    def _scan(self, scan: RunScan) -> list[Stmt]:
        options: dict[str, Expr] = {
            "xs": TupleExpr(tuple(map(self.text.code, scan.xs))),
            "carry": TupleExpr(tuple(map(self.text.code, scan.carry))),
        }
        if scan.shared:
            options["shared"] = TupleExpr(tuple(map(self.text.code, scan.shared)))
        axes = list(scan.axes)
        if axes != [1] * len(axes):
            options["dim"] = lit(axes[0]) if len(set(axes)) == 1 else lit(tuple(axes))
        if scan.reverse:
            options["reverse"] = lit(True)
        lines: list[Stmt] = []
        step: Expr = member(
            self.plan, self.plan.layers[scan.layer].node.shared or scan.layer
        )
        if not steps_plainly(scan):
            name = self.names.steps[scan.layer]
            lines.append(self._step(name, step, scan))
            step = Name(name)
        names = [
            Name(UNUSED if value is None else self.names[value])
            for value in scan.target
        ]
        kinds = [
            k for name, k in zip(names, scan.kinds, strict=True) if name != Name(UNUSED)
        ]
        target = TupleExpr(tuple(names))
        value = call("scan", step, **options)
        if scan.state is not None:
            value = call("resume_scan", self.text.code(scan.state), step, **options)
        lines.append(Assign((target,), value, comment=self.text.comment(kinds)))
        return lines

    def _step(self, name: str, holder: Expr, scan: RunScan) -> Stmt:
        """The block as a step: its ports in another order."""
        optional = {port for port in scan.order if self._may_be_none(scan, port)}
        params = tuple(
            FunctionParameter(port, either_none(TENSOR) if port in optional else TENSOR)
            for port in scan.order
        )
        given = [Name(port) if port in scan.order else lit(None) for port in scan.ports]
        while given and given[-1] == lit(None):
            given.pop()
        value = call(holder, *given)
        outputs = {
            port: Name(f"{port}_" if port in scan.order else port)
            for port in scan.outputs
        }
        body: tuple[Stmt, ...] = (
            Assign((TupleExpr(tuple(outputs.values())),), value),
            Return(TupleExpr(tuple(outputs[port] for port in scan.results))),
        )
        several = subscript(Name("tuple"), *[TENSOR] * len(scan.results))
        kind = several if len(scan.results) > 1 else TENSOR
        if scan.outputs == scan.results:  # what a module returns has no type
            result = Name(Namespace(scan.order).fresh("results"))
            body = (Assign((result,), value, annotation=kind), Return(result))
        return Function(name, params, kind, body)

    def _may_be_none(self, scan: RunScan, port: str) -> bool:
        place = scan.order.index(port) - len(scan.xs) - len(scan.carry)
        if place < 0:
            return False
        value = scan.shared[place]
        inputs = {value: port for port, value in self.body.inputs}
        return (
            isinstance(value, Placeholder)
            and value.key in inputs
            and self.plan.is_optional(inputs[value.key])
        )


def _kept_or_changed(line: Assign) -> Stmt:
    """`if test: x = f(x)` for `x = f(x) if test else x`."""
    match line:
        case Assign((Name() as target,), Conditional(test, body, orelse)):
            if target == orelse:
                return If(test, (replace(line, value=body),))
    return line
