"""The Module IR as text: every class with its members, and `forward` as values that are defined once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from compiler.codegen.expression_layout import flat
from compiler.codegen.python import Expr, Name, Placeholder, lit
from compiler.codegen.traversal import filled
from compiler.infer.param_values import param_type
from compiler.ir.columns import as_text, section, written
from compiler.ir.module import (
    Choose,
    Let,
    Local,
    Loop,
    Member,
    RunScan,
    ScopeName,
    ScopeNumber,
    Stmt,
)
from compiler.lower.class_ir import ClassIR, Construct, Held, count_code
from compiler.lower.constructors import Constructors, environment
from compiler.lower.scope_code import value_code
from compiler.lower.sizes import Kept
from compiler.symbolic.symbols import CopyNumber
from compiler.symbolic.tensor import TensorType


def print_module_ir(
    name: str, classes: Sequence[ClassIR], constructors: Constructors
) -> str:
    """The classes of a spec, each before those that it builds.

    A value is `v3`, a member `self.conv`, a param that `forward` reads `kept.heads`; `: float[B, T]` after a statement
    are the types of what it defines, and `#` the layer that it is of.
    """
    lines = [f"module {name}"]
    for ir in reversed(classes):
        lines += ("", *_ClassLines(ir, constructors).lines())
    return as_text(lines)


class _ClassLines:
    def __init__(self, ir: ClassIR, constructors: Constructors) -> None:
        self.ir, self.plan, self.constructors = ir, ir.plan, constructors

    def lines(self) -> Iterator[str]:
        scope, uses = self.plan.scope, len(self.plan.uses)
        place = scope.place.span(key=True).at
        number = "1 use" if uses == 1 else f"{uses} uses"
        yield f"class {self.plan.name}  {scope.kind} {scope.name}, {number}, at {place}"
        yield from section("params", self._params())
        yield from section("dims", self._dims())
        yield from section("raises", self._demands())
        yield from section("members", map(self._member, self.ir.held))
        yield from section("ties", self._ties())
        yield from self._forward()

    # What `__init__` takes and builds.

    def _params(self) -> Iterator[tuple[str, ...]]:
        plan, signature = self.plan, self.constructors.of(self.plan)
        for name, param in plan.scope.environment.params.items():
            kind = param_type(param, plan.first.params[name])
            if name in plan.fixed:
                yield name, kind, f"= {written(plan.fixed[name])}", "fixed"
            elif name in signature.params:
                default = signature.defaults[name]
                shown = "" if default is None else f"= {written(default)}"
                yield name, kind, shown, "argument"
            else:
                yield name, kind, "", "not needed"

    def _dims(self) -> Iterator[tuple[str, ...]]:
        plan, given = self.plan, self.constructors.of(self.plan).dims
        for name in environment(plan):
            if name not in plan.scope.environment.params:
                yield name, "argument" if name in given else "read in forward"

    def _demands(self) -> Iterator[tuple[str, ...]]:
        for test, message in self.ir.demands:
            yield message, f"if {self._text(test)}"

    def _member(self, held: Held) -> tuple[str, ...]:
        built = f"= {self._text(held.build)}"
        if held.copies:
            built += f"  for i in range({self._text(count_code(held.typed))})"
        elif not held.present:
            built += f"  if {self._text(value_code(held.when))}"
        return held.typed.node.name, built

    def _ties(self) -> Iterator[tuple[str, ...]]:
        for name, node in self.plan.scope.nodes.items():
            tie = node.layer.tie
            if tie is None or not self.plan.runs(name):
                continue
            when = "" if tie.when is None else f"if {self._text(value_code(tie.when))}"
            for tensor, origin in tie.tensors.items():
                yield f"{name}.{tensor}".rstrip("."), f"= {origin}", when

    # What `forward` does.

    def _forward(self) -> Iterator[str]:
        inputs = (self._input(port, value) for port, value in self.ir.body.inputs)
        yield f"  forward({', '.join(inputs)})"
        yield from self._body(self.ir.body.statements, 2)
        outputs = ", ".join(map(self._text, self.ir.body.outputs))
        types = self.plan.given()
        named = ", ".join(f"{name}: {kind}" for name, kind in types.items())
        yield f"    return {outputs} : {named}"

    def _input(self, port: str, value: Local) -> str:
        kind = next(
            (use.inputs[port] for use in self.plan.uses if use.inputs[port]), ""
        )
        if port not in self.plan.ports():
            return f"{_name(value)} {port}: absent"
        mark = "?" if self.plan.is_optional(port) else ""
        return f"{_name(value)} {port}: {kind}{mark}"

    def _body(self, statements: Iterable[Stmt], depth: int) -> Iterator[str]:
        for statement in statements:
            for line in self._statement(statement):
                yield f"{'  ' * depth}{line}"

    def _statement(self, statement: Stmt) -> Iterator[str]:
        match statement:
            case Let(layer, target, value, kinds):
                text = f"{self._text(target)} = {self._text(value)}"
                yield f"{text}{_typed(kinds)}{_layer(layer)}"
            case Choose():
                yield from self._choose(statement)
            case Loop():
                yield from self._loop(statement)
            case RunScan():
                yield from self._scan(statement)

    def _choose(self, choose: Choose) -> Iterator[str]:
        after = ", ".join(_name(value) for value, _, _ in choose.results)
        head = f"{after} = if {self._text(choose.test)}"
        yield f"{head}{_typed(choose.kinds)}{_layer(choose.layer)}"
        yield from self._body(choose.body, 1)
        yield f"  yield {', '.join(_name(inside) for _, inside, _ in choose.results)}"
        others = (
            "nothing" if other is None else self._text(other)
            for _, _, other in choose.results
        )
        yield f"else yield {', '.join(others)}"

    def _loop(self, loop: Loop) -> Iterator[str]:
        if loop.holder is not None:
            copies = self._text(Placeholder(Member(loop.layer)))
            head = f"for {_name(loop.holder)} in {copies}"
        elif loop.items:
            head = "for each item"
        else:
            head = f"for i in range({self._text(loop.count or lit(1))})"
        yield f"{head}{_layer(loop.layer)}"
        for one in loop.carried:
            kinds = () if one.kind is None else (one.kind,)
            start = f"carry {_name(one.inside)} = {self._text(one.start)}"
            yield f"  {start}{_typed(kinds)}"
        for port, item, items in loop.items:
            yield f"  {_name(item)} = item of {self._text(items)}{_layer(loop.layer, port)}"
        yield from self._body(loop.body, 1)
        for one in loop.carried:
            yield f"  next {_name(one.inside)} = {_name(one.following)}"
        for one in loop.carried:
            last = f"{_name(one.after)} = last {_name(one.inside)}"
            yield f"{last}{_layer(loop.layer, one.port)}"
        for after, inside in loop.last:
            origin = self.ir.body.origins[after.number]
            last = f"{_name(after)} = last {_name(inside)}"
            yield f"{last}{_layer(origin.layer, origin.port)}"
        for each in loop.collected:
            how = "list" if each.after is None else "stack"
            made = f"{_name(each.result)} = {how} {_name(each.item)}"
            kept = made if each.after is None else f"{made} in {_name(each.items)}"
            at = "" if each.at is None else f" of copies {self._text(each.at)}"
            told = "" if each.after is None else _typed(each.kinds)
            yield f"{kept}{at}{told}{_layer(loop.layer, each.name)}"

    def _scan(self, scan: RunScan) -> Iterator[str]:
        after = ", ".join("_" if one is None else _name(one) for one in scan.target)
        step = self._text(Placeholder(Member(scan.layer)))
        head = f"{after} = scan {step}{' backwards' if scan.reverse else ''}"
        yield f"{head}{_typed(scan.kinds)}{_layer(scan.layer)}"
        for value, axis in zip(scan.xs, scan.axes, strict=True):
            yield f"  slice {self._text(value)} along {axis}"
        for value in scan.carry:
            yield f"  carry {self._text(value)}"
        for value in scan.shared:
            yield f"  whole {self._text(value)}"
        yield f"  step({', '.join(scan.order)}) -> {', '.join(scan.results)}"

    # Expressions.

    def _text(self, code: Expr) -> str:
        return flat(filled(code, self._fill))

    def _fill(self, key: Hashable) -> Expr:
        match key:
            case Local():
                return Name(_name(key))
            case Member(layer):
                return Name(f"self.{_attribute(layer)}")
            case Kept(name):
                return Name(f"kept.{name}")
            case ScopeName(name):
                return Name(name)
            case ScopeNumber(symbol):
                if isinstance(symbol, CopyNumber):
                    return Name("group.i")
                return Name(f"dim.{symbol.port or 'rest'}_{symbol.position}")
            case Construct():
                built = self.constructors.construction(key, self.ir)
                return filled(built, self._fill)
        raise AssertionError(key)


def _name(value: Local) -> str:
    return f"v{value.number}"


def _attribute(layer: str) -> str:
    return f"layer_{layer}" if layer.isdigit() else layer


def _typed(kinds: Sequence[TensorType]) -> str:
    return f" : {', '.join(map(str, kinds))}" if kinds else ""


def _layer(layer: str, port: str = "") -> str:
    return f"  # {layer}{'.' if port else ''}{port}" if layer else ""
