"""The `__init__` of a class: what it refuses, what it keeps, what it builds and what it ties."""

from __future__ import annotations

import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from compiler.codegen.python import (
    Call,
    Compare,
    Comprehension,
    Conditional,
    Expr,
    Logic,
    Name,
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
    Stmt,
)
from compiler.codegen.traversal import used_names
from compiler.expr.syntax import Variable
from compiler.infer.param_values import param_type
from compiler.ir.typed import LayerCall, TypedNode
from compiler.lower.class_ir import ClassIR, Demand, Held, count_code
from compiler.lower.class_text import ClassText
from compiler.lower.constructors import (
    Constructors,
    annotation,
    counter_name,
    either_none,
    in_constructor,
    is_computed,
)
from compiler.lower.late_params import asks_for, late_params
from compiler.lower.member_code import (
    copies,
    is_there,
    member,
    tensor_attribute,
    tensor_path,
)
from compiler.lower.names import UNUSED
from compiler.lower.scope_code import value_code
from compiler.lower.state_types import either
from compiler.op.arg_types import Formula
from compiler.op.op import arguments as argument_types


class ConstructorPrinter:
    """Prints the `__init__` of one class; `conditions` are those that it keeps, by their layers."""

    def __init__(
        self,
        ir: ClassIR,
        constructors: Constructors,
        text: ClassText,
        conditions: Mapping[str, Expr],
    ) -> None:
        self.ir, self.plan, self.constructors = ir, ir.plan, constructors
        self.kept, self.flags, self.conditions = text.kept, text.flags, conditions

    def function(self, calls_reset: bool) -> Function:
        """`__init__`, which may end in a call of `reset_parameters`."""
        body: list[Stmt] = [ExprStatement(method(call("super"), "__init__"))]
        start = len(body)
        late = late_params(self.constructors.of(self.plan).defaults)
        early = [x for x in self.ir.demands if late and not asks_for(x[0], late)]
        body += map(self._refused, early)
        body += self._defaults()
        body += [self._refused(x) for x in self.ir.demands if x not in early]
        arguments = self.constructors.of(self.plan).names
        body += [
            Assign((Name(f"self.{kept}"),), Name(arguments[name]))
            for name, kept in self.kept.items()
        ]
        body += [
            Assign((Name(f"self.{flag}"),), self._init(self.conditions[layer]))
            for layer, flag in self.flags.items()
        ]
        for held in self.ir.held:
            self._declare(held, body)
        body += self._ties()
        body[start:start] = self._lists(body)
        if calls_reset:
            body.append(ExprStatement(call("self.reset_parameters")))
        return Function(
            "__init__",
            (FunctionParameter("self"), *self._parameters()),
            lit(None),
            tuple(body),
        )

    def _init(self, code: Expr) -> Expr:
        return in_constructor(code, self.ir, self.constructors)

    def _parameters(self) -> list[FunctionParameter]:
        signature = self.constructors.of(self.plan)
        found = [
            FunctionParameter(signature.names[name], Name("int"))
            for name in signature.dims
        ]
        for name in signature.params:
            default, kind = signature.defaults[name], self._annotation(name)
            argument = signature.names[name]
            if is_computed(default):
                found.append(FunctionParameter(argument, either_none(kind), lit(None)))
            else:
                shown = None if default is None else self._init(value_code(default))
                found.append(FunctionParameter(argument, kind, shown))
        return found

    def _annotation(self, name: str) -> Expr:
        """The type of a param; where an op takes it whole that of the op: a list of so many, one of several words."""
        kind = self._type(name)
        if kind != "str" and not kind.endswith("[]"):
            return annotation(kind)
        calls = [
            (typed, [run.call for run in self.plan.runs(layer)])
            for layer, typed in self.plan.layers.items()
        ]
        taken = list(_taken_whole(calls, name, set()))
        lengths = {len(value) for _, value in taken if isinstance(value, tuple)}
        if kind.endswith("[]") and len(lengths) == 1:
            return subscript(Name("tuple"), *[Name(kind[:-2])] * lengths.pop())
        words = {hint for hint, _ in taken if typing.get_origin(hint) is typing.Literal}
        if kind == "str" and len(words) == 1:
            every = typing.get_args(words.pop())
            chosen = self.plan.scope.environment.params[name].choices or every
            return subscript(Name("Literal"), *map(lit, chosen))
        return annotation(kind)

    def _type(self, name: str) -> str:
        scope = self.plan.scope.environment
        return param_type(scope.params[name], self.plan.first.params[name])

    def _lists(self, body: Sequence[Stmt]) -> Iterator[Stmt]:
        """`widths = (8, 16)`: the lists that are no arguments, and of which code works out which items it reads."""
        signature, used = self.constructors.of(self.plan), used_names(body)
        for name, value in self.plan.fixed.items():
            argument = signature.names[name]
            if isinstance(value, tuple) and argument in used:
                yield Assign((Name(argument),), value_code(value))

    def _refused(self, demand: Demand) -> Stmt:
        """The statement that refuses arguments."""
        test, message = demand
        return If(self._init(test), (Raise(call("ValueError", message)),))

    def _defaults(self) -> list[Stmt]:
        """`if hidden is None: hidden = 4 * d`, for defaults that are expressions."""
        signature = self.constructors.of(self.plan)
        lines: list[Stmt] = []
        for name in signature.params:
            default = signature.defaults[name]
            if is_computed(default):
                place = Name(signature.names[name])
                line = Assign((place,), self._init(value_code(default)))
                lines.append(If(Compare("is", place, lit(None)), (line,)))
        return lines

    def _declare(self, held: Held, body: list[Stmt]) -> None:
        name = held.typed.node.name
        counter = ""
        if held.copies:
            counter = counter_name(held, self.ir, self.constructors)
        built = in_constructor(held.build, self.ir, self.constructors, counter)
        if held.copies:
            counter = counter if counter in used_names(built) else UNUSED
            count = self._init(count_code(held.typed))
            each = Comprehension(built, Name(counter), call("range", count))
            body.append(self._set(name, call("nn.ModuleList", each)))
        elif held.present:
            kind = _module_type(built) if name in self._of_several() else None
            body.append(self._set(name, built, kind))
        else:
            self._declare_optional(held, built, body)

    def _of_several(self) -> Collection[str]:
        """The layers of which each class that they may be begins a state."""
        kept = {} if self.ir.steps is None else self.ir.steps.kept
        return [name for name, one in kept.items() if len(one.plans) > 1]

    def _set(self, layer: str, value: Expr, kind: Expr | None = None) -> Stmt:
        target = member(self.plan, layer)
        if isinstance(target, Call):
            return ExprStatement(call("setattr", Name("self"), layer, value))
        annotated = kind if isinstance(target, Name) else None
        return Assign((target,), value, annotation=annotated)

    def _absent(self, layer: str, kind: Expr) -> list[Stmt]:
        """`self.conv: nn.Conv2d | None = None`; what is not there has no number in a list."""
        target = member(self.plan, layer)
        if not isinstance(target, Name):
            return []
        return [Assign((target,), lit(None), annotation=either_none(kind))]

    def _declare_optional(self, held: Held, built: Expr, body: list[Stmt]) -> None:
        """A module that is there only where `when` holds; several share one `if`."""
        name, layer = held.typed.node.name, held.typed.node.layer
        plain = layer.parametrize is None
        kind = (_module_type(built) if plain else None) or Name("nn.Module")
        none = self._absent(name, kind)
        test = self._init(value_code(held.when))
        line = self._set(name, built)
        last = body[-1]
        if isinstance(last, If) and last.test == test:
            body[-1:] = [*none, If(test, (*last.body, line))]
        else:
            body += [*none, If(test, (line,))]

    def _ties(self) -> list[Stmt]:
        """`self.lm_head.weight = self.wte.weight`, in an `if` where params decide."""
        lines: list[Stmt] = []
        for node, _ in self.plan.ordered():
            if node.layer.tie is None or not self.plan.runs(node.name) or node.shared:
                continue
            tensors = node.layer.tie.tensors
            repeat = node.layer.repeat
            each = repeat is not None and not repeat.share
            place = Name("layer") if each else member(self.plan, node.name)
            tied: tuple[Stmt, ...] = tuple(
                Assign((tensor_attribute(place, name),), tensor_path(self.plan, path))
                for name, path in tensors.items()
            )
            if each:
                tied = (For(place, copies(self.plan, node.name), tied),)
            ends = (node.name, *(path.split(".")[0] for path in tensors.values()))
            lines += self._where(dict.fromkeys(ends), node.layer.tie.when, tied)
        return lines

    def _where(
        self, layers: Iterable[str], condition: Any, lines: tuple[Stmt, ...]
    ) -> tuple[Stmt, ...]:
        """Statements under a condition, and where all the layers are there."""
        nodes = self.plan.scope.nodes
        tests: list[Expr] = [
            is_there(self.plan, name)
            for name in layers
            if self.plan.built_when(name) is not None
            and nodes[name].layer.repeat is None
        ]
        if condition is not None:
            tests.append(self._init(value_code(condition)))
        if lit(False) in tests:  # the value of a fixed param
            return ()
        tests = [one for one in tests if one != lit(True)]
        if not tests:
            return lines
        return (If(tests[0] if len(tests) == 1 else Logic("and", tuple(tests)), lines),)


def _module_type(built: Expr) -> Expr | None:
    """The class of what code builds: `A | B` of what is one or the other; None if it cannot be told."""
    if isinstance(built, Conditional):
        both = [_module_type(built.body), _module_type(built.orelse)]
        known = [one for one in both if one is not None]
        return either(known) if len(known) == 2 else None
    return built.func if isinstance(built, Call) else None


def _taken_whole(
    layers: Iterable[tuple[TypedNode, Sequence[LayerCall]]],
    name: str,
    seen: set[tuple[int, str]],
) -> Iterator[tuple[Any, Any]]:
    """The arguments of ops that are a param: what the op says that they are, and their values; in blocks, too.

    `seen` are the params of instances, by identity, that were looked into.
    """
    for typed, calls in layers:
        whole = [
            argument
            for argument, value in typed.arguments.items()
            if isinstance(value, Formula) and value.expr == Variable(id=name)
        ]
        for one in calls:
            inside = one.instance
            if one.op is not None:
                types = argument_types(type(one.op))
                yield from ((types[x][0], getattr(one.op, x)) for x in whole)
            elif inside is not None:
                for inner in [name] if inside.scope.kind == "group" else whole:
                    if (id(inside.inferred), inner) not in seen:
                        seen.add((id(inside.inferred), inner))
                        nodes = [(node, node.calls) for node in inside.nodes.values()]
                        yield from _taken_whole(nodes, inner, seen)
