"""From the IR of a class to its Python: the last pass, in which every hole is filled."""

from __future__ import annotations

import typing
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from compiler.codegen.expression_layout import flat
from compiler.codegen.line_breaks import INDENT
from compiler.codegen.namespace import Namespace
from compiler.codegen.printer import WIDTH
from compiler.codegen.python import (
    Call,
    Compare,
    Comprehension,
    Conditional,
    Expr,
    ListExpr,
    Literal,
    Logic,
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
    Class,
    ExprStatement,
    For,
    Function,
    FunctionParameter,
    If,
    Raise,
    Return,
    Stmt,
)
from compiler.codegen.traversal import (
    filled,
    map_line,
    mapped,
    placeholders,
    used_names,
)
from compiler.expr.syntax import Variable
from compiler.infer.param_values import param_type
from compiler.ir import module as ir_module
from compiler.ir.graph import Ref, Scope
from compiler.ir.module import (
    Body,
    Capacity,
    Choose,
    Collected,
    LayerState,
    Let,
    Local,
    Loop,
    Member,
    Offset,
    RunScan,
    ScopeName,
    defined,
    reads,
)
from compiler.language.identifiers import MODULE_ATTRIBUTES
from compiler.language.spec import Spec
from compiler.lower.class_ir import ClassIR, Demand, Held, count_code
from compiler.lower.class_steps import ClassNames, Steps
from compiler.lower.constructors import (
    Constructors,
    annotation,
    counter_name,
    either_none,
    in_constructor,
    is_computed,
)
from compiler.lower.demands import asks_for, late_params
from compiler.lower.documentation import class_docstring
from compiler.lower.evaluate_code import folded_numbers, number_code
from compiler.lower.initialization import names_in_reset
from compiler.lower.join_conditions import join_conditions
from compiler.lower.member_code import (
    copies,
    holds_numbers,
    is_there,
    member,
    tensor_attribute,
    tensor_path,
)
from compiler.lower.name_conditions import Flag, name_conditions
from compiler.lower.names import (
    UNUSED,
    Names,
    check_names,
    counts_copies,
    name_values,
    steps_plainly,
)
from compiler.lower.print_steps import (
    CAPACITY,
    StepPrinter,
    either,
    layer_state,
    state_type,
    tensors,
)
from compiler.lower.scope_code import value_code
from compiler.lower.shape_names import ShapeNames
from compiler.lower.sizes import Kept
from compiler.lower.static_types import TENSOR, is_tensor, returning, typed_calls
from compiler.lower.tidy import tidy
from compiler.op.arg_types import Formula
from compiler.op.op import arguments as argument_types
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.tensor import TensorType

_DICTIONARY_ATTRIBUTES = frozenset(
    ["clear", "items", "keys", "pop", "update", "values"]
)
"""The attributes that nn.ModuleDict has beside those of nn.Module."""


def print_class(
    ir: ClassIR,
    constructors: Constructors,
    spec: Spec,
    reset: Sequence[Stmt],
    calls_reset: bool,
    steps: Steps | None = None,
    *,
    every_line: bool = False,
) -> Class:
    """The definition of a class. `reset` are the lines of its `reset_parameters`."""
    asked = names_in_reset(reset)
    printer = ClassPrinter(ir, constructors, spec, steps, asked, every_line=every_line)
    constructor = printer.constructor(calls_reset)
    empty = len(constructor.body) == 1 and len(constructor.params) == 1
    base = "nn.ModuleDict" if holds_numbers(ir) else "nn.Module"
    body: list[Stmt] = [] if empty else [constructor]
    if reset:
        body.append(
            Function(
                "reset_parameters",
                (FunctionParameter("self"),),
                lit(None),
                tuple(printer.reset(reset)),
            )
        )
    body += printer.methods()
    signature = constructors.of(ir.plan)
    docstring = class_docstring(ir.plan, spec, signature, printer.shapes)
    return Class(ir.plan.name, (Name(base),), docstring, tuple(body))


class ClassPrinter:
    """Prints one class."""

    def __init__(
        self,
        ir: ClassIR,
        constructors: Constructors,
        spec: Spec,
        steps: Steps | None,
        asked: Iterable[str] = (),
        *,
        every_line: bool = False,
    ) -> None:
        self.steps, self.every_line = steps, every_line
        known = constructors.of(ir.plan).all
        before = ir.before
        ir, self.conditions = name_conditions(ir, known)
        if before is not None:
            _, more = name_conditions(replace(ir, body=before), known)
            self.conditions = {**self.conditions, **more}
        ir = join_conditions(ir)
        self.ir, self.plan = ir, ir.plan
        self.constructors, self.spec = constructors, spec
        self.names: Names = name_values(ir)
        self.shapes = ShapeNames(ir.plan)
        attributes = Namespace(
            {*MODULE_ATTRIBUTES, *_DICTIONARY_ATTRIBUTES, *self.plan.scope.nodes}
            if holds_numbers(ir)
            else {*MODULE_ATTRIBUTES, *self.plan.scope.nodes}
        )
        names = self._kept() | {n: None for n in asked if n not in self.plan.fixed}
        self.kept = {name: attributes.fresh(name.lower()) for name in names}
        self.flags = {
            layer: attributes.fresh(f"has_{layer}") for layer in self.conditions
        }
        if not every_line:
            self.ir = tidy(ir, self, WIDTH - 2 * INDENT)
        check_names(self.ir, self.names)

    def _kept(self) -> dict[str, None]:
        """The params that `forward` uses, in the order in which it asks for them."""
        before = () if self.ir.before is None else self.ir.before.statements
        statements = (*before, *self.ir.body.statements)
        keys = [key for statement in statements for key in reads(statement)]
        keys += [key for code in self.ir.initial.values() for key in placeholders(code)]
        keys += [] if self.ir.limit is None else placeholders(self.ir.limit)
        read = dict.fromkeys(key.name for key in keys if isinstance(key, Kept))
        ordered = [name for name in self.ir.touched if name in read] + list(read)
        return dict.fromkeys(ordered)

    # How wide a statement is.

    def line(self, let: Let) -> int:
        """The columns of a statement on one line, with its comment, and its type where `forward` returns it."""
        value = self.code(let.value)
        start = self.target(let) + len(" = ")
        if let.target in self.ir.body.outputs:
            typed = is_tensor(value, set())
            start = len("return ") if typed else start + len(": Tensor")
        return start + len(flat(value)) + len(f"  # {self.told(let)}")

    def value(self, let: Let) -> int:
        """The columns of what a statement assigns."""
        return len(flat(self.code(let.value)))

    def target(self, let: Let) -> int:
        """The columns of what a statement assigns to."""
        if isinstance(let.target, Placeholder) and isinstance(let.target.key, Local):
            return len(self.names[let.target.key])
        target = _collapsed(self.code(let.target))
        brackets = len("()") if isinstance(target, TupleExpr) else 0
        return len(flat(target)) - brackets

    # __init__

    def constructor(self, calls_reset: bool) -> Function:
        body: list[Stmt] = [ExprStatement(method(call("super"), "__init__"))]
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
        if calls_reset:
            body.append(ExprStatement(call("self.reset_parameters")))
        return Function(
            "__init__",
            (FunctionParameter("self"), *self._parameters()),
            lit(None),
            tuple(body),
        )

    def reset(self, lines: Iterable[Stmt]) -> Iterator[Stmt]:
        """The lines of `reset_parameters` with every name as the object keeps it."""
        known = self.plan.fixed

        def fill(key: Hashable) -> Expr:
            assert isinstance(key, ScopeName), key
            kept = Kept(key.name)
            return (
                number_code(known[kept.name])
                if kept.name in known
                else self._fill(kept)
            )

        def one(code: Expr) -> Expr:
            asks = bool(placeholders(code))
            done = filled(code, fill)
            return folded_numbers(done) if asks and known else done

        return (map_line(line, one) for line in lines)

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
        taken = list(self._taken_whole(name))
        lengths = {len(value) for _, value in taken if isinstance(value, tuple)}
        if kind.endswith("[]") and len(lengths) == 1:
            return subscript(Name("tuple"), *[Name(kind[:-2])] * lengths.pop())
        words = {hint for hint, _ in taken if typing.get_origin(hint) is typing.Literal}
        if kind == "str" and len(words) == 1:
            return subscript(Name("Literal"), *map(lit, typing.get_args(words.pop())))
        return annotation(kind)

    def _taken_whole(self, name: str) -> Iterator[tuple[Any, Any]]:
        """The arguments of ops that are a param: what the op says that they are, and their values."""
        for typed in self.plan.layers.values():
            for argument, value in typed.arguments.items():
                if isinstance(value, Formula) and value.expr == Variable(id=name):
                    ops = [run.call.op for run in self.plan.runs(typed.node.name)]
                    for op in (op for op in ops if op is not None):
                        yield (
                            argument_types(type(op))[argument][0],
                            getattr(op, argument),
                        )

    def _type(self, name: str) -> str:
        scope = self.plan.scope.environment
        return param_type(scope.params[name], self.plan.first.params[name])

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

    # forward

    def methods(self) -> list[Function]:
        """`forward`, and those for running a sequence in pieces."""
        if self.steps is None or not self.steps.keeps(self.plan):
            settings = (*self._no_state(), *self._offset_argument())
            forward = self.function("forward", self.inputs(), settings)
            return [*self._begin_nothing(), forward]
        return StepPrinter(self, self.steps).methods()

    def function(
        self,
        name: str,
        inputs: Sequence[FunctionParameter],
        settings: Iterable[FunctionParameter] = (),
        begin: Iterable[Stmt] = (),
        optional: Collection[int] | None = None,
    ) -> Function:
        """The body as a method; `optional` are the results that may be None, by default those of the scope."""
        lines = list(begin)
        for statement in self.ir.body.statements:
            lines += self._statement(statement)
        outputs = [self.code(output) for output in self.ir.body.outputs]
        known = {self.names[value] for _, value in self.ir.body.inputs}
        if optional is None:
            names = enumerate(self.plan.scope.outputs)
            optional = [n for n, name in names if name in self.plan.scope.optional]
        returning(lines, outputs, known, either_none(TENSOR) if optional else TENSOR)
        return Function(
            name,
            (FunctionParameter("self"), *inputs, *settings),
            tensors(len(outputs), optional),
            tuple(typed_calls(lines)),
        )

    def of_body(self, body: Body) -> ClassPrinter:
        """The printer of another body of the same class."""
        ir = replace(self.ir, body=body, before=None)
        other = ClassPrinter(
            ir,
            self.constructors,
            self.spec,
            self.steps,
            every_line=self.every_line,
        )
        other.kept, other.flags = self.kept, self.flags
        return other

    def _no_state(self) -> Iterator[FunctionParameter]:
        """`state: KeyValues | None = None`, where a class keeps nothing and others in its place do."""
        kind = self._state_beside()
        if kind is not None and self.ir.steps is not None:
            yield FunctionParameter(self.ir.steps.state_argument, kind, lit(None))

    def _begin_nothing(self) -> Iterator[Function]:
        """`init_state`, where a class keeps nothing and others in its place do."""
        kind = self._state_beside()
        if kind is None or self.steps is None:
            return
        params = [FunctionParameter("self")]
        if self.steps.takes_capacity(self.plan):
            whole = either_none(Name("int"))
            params.append(FunctionParameter(CAPACITY, whole, lit(None)))
        yield Function("init_state", tuple(params), kind, (Return(lit(None)),))

    def _state_beside(self) -> Expr | None:
        """The type of what is kept by classes in whose place this one stands."""
        others = () if self.steps is None else self.steps.beside(self.plan)
        if not others or self.steps is None:
            return None
        return either([*(state_type(one, self.steps) for one in others), lit(None)])

    def _offset_argument(self) -> Iterator[FunctionParameter]:
        """`offset: int = 0`, where a class keeps nothing, and depends on positions."""
        own = self.ir.steps
        if own is None or self.steps is None or not self.steps.begin(self.plan).offset:
            return
        yield FunctionParameter(own.offset_argument, Name("int"), lit(0))

    def inputs(self, ports: Collection[str] | None = None) -> list[FunctionParameter]:
        """The inputs of `forward` as its parameters, or some of them."""
        made = self.ir.prepared
        values = {port: v for port, v in self.ir.body.inputs if v not in made}
        found = []
        for port in self.plan.ports():
            if port not in values or (ports is not None and port not in ports):
                continue
            optional = self.plan.is_optional(port)
            kind = either_none(TENSOR) if optional else TENSOR
            name = self.names[values[port]]
            default = lit(None) if optional else None
            found.append(FunctionParameter(name, kind, default))
        return found

    def code(self, code: Expr) -> Expr:
        """An expression with its holes filled."""
        match code:
            case Compare("is not", Placeholder(Member(layer)), Literal(None)):
                return is_there(self.plan, layer)
            case Placeholder(key):
                return self._fill(key)
        return mapped(code, self.code)

    def _fill(self, key: Hashable) -> Expr:
        match key:
            case Local():
                return Name(self.names[key])
            case Member(layer):
                return member(self.plan, layer)
            case Kept(name):
                return Name(f"self.{self.kept[name]}")
            case Flag(layer):
                return Name(f"self.{self.flags[layer]}")
            case ScopeName(name):
                return Name(name)
            case LayerState() if self.ir.steps is not None and self.steps is not None:
                return layer_state(self.ir.steps, self.steps, key)
            case Offset() if self.ir.steps is not None:
                return Name(self.ir.steps.offset_argument)
            case ClassNames(plans):
                return either(Name(plan.name) for plan in plans)
            case Capacity():
                return Name(CAPACITY)
        raise AssertionError(key)

    def _statement(self, statement: ir_module.Stmt) -> list[Stmt]:
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
        target = _collapsed(self.code(let.target))
        return Assign((target,), self.code(let.value), comment=self.told(let))

    def told(self, let: Let) -> str:
        """The shapes of what a statement computes, without what nobody needs."""
        values = list(defined(let.target))
        if len(values) != len(let.kinds) or len(values) < 2:
            return self.comment(let.kinds)
        pairs = zip(let.kinds, values, strict=True)
        kinds = [kind for kind, value in pairs if self.names[value] != UNUSED]
        return self.comment(kinds or let.kinds)

    def _choose(self, choose: Choose) -> list[Stmt]:
        lines: list[Stmt] = []
        for after, _, other in choose.results:
            name = self.names[after]
            if name != UNUSED:
                value = lit(None) if other is None else self.code(other)
                absent = other is None or other == lit(None)
                kind = either_none(TENSOR) if absent else None
                lines.append(Assign((Name(name),), value, annotation=kind))
        body = [line for part in choose.body for line in self._statement(part)]
        return [*lines, If(self.code(choose.test), tuple(body))]

    def _loop(self, loop: Loop) -> list[Stmt]:
        lines: list[Stmt] = []
        for one in loop.carried:
            name, start = Name(self.names[one.inside]), self.code(one.start)
            if start != name:
                tensor = isinstance(one.start, Placeholder) and isinstance(
                    one.start.key, Member
                )
                comment = self.comment([one.kind]) if tensor and one.kind else ""
                kind = either_none(TENSOR) if self._starts_absent(one.start) else None
                lines.append(Assign((name,), start, kind, comment))
        used = [one for one in loop.collected if self.names[one.items] != UNUSED]
        if made := self._comprehension(loop, used):
            return [*lines, *made, *self._stacks(used)]
        for collected in used:
            kind = subscript(Name("list"), TENSOR)
            items = Name(self.names[collected.items])
            contents = self._contents(collected, loop)
            lines.append(Assign((items,), ListExpr(()), kind, contents))
        body = [line for part in loop.body for line in self._statement(part)]
        body += map(self._append, used)
        lines.append(self._for(loop, tuple(body)))
        lines += self._ran(loop)
        return [*lines, *self._stacks(used)]

    def _starts_absent(self, start: Expr) -> bool:
        """Whether what goes into the first copy is an optional input, or a layer's output that may be absent."""
        if not isinstance(start, Placeholder) or not isinstance(start.key, Local):
            return False
        for port, value in self.ir.body.inputs:
            if value.number == start.key.number:
                return self.plan.is_optional(port)
        origin = self.ir.body.origins[start.key.number]
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
                comment = self.comment(collected.kinds)
                yield Assign((name,), value, comment=comment)

    def _append(self, collected: Collected) -> Stmt:
        """`features.append(x)`, perhaps for some copies only."""
        items, item = (self.names[one] for one in (collected.items, collected.item))
        line = ExprStatement(method(Name(items), "append", Name(item)))
        if collected.at is None:
            return line
        return If(Compare("in", Name(COUNTER), self.code(collected.at)), (line,))

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
            parts.append((Name(self.names[item]), self.code(items)))
        counter = Name(COUNTER if counts_copies(loop) else UNUSED)
        if not parts:
            assert loop.count is not None
            return counter, call("range", self.code(loop.count))
        (target, place), *others = parts
        if others:
            target = TupleExpr(tuple(one for one, _ in parts))
            place = call("zip", *(one for _, one in parts), strict=True)
        if counts_copies(loop):
            target, place = TupleExpr((counter, target)), call("enumerate", place)
        return target, place

    def _comprehension(self, loop: Loop, used: Sequence[Collected]) -> list[Stmt]:
        """`outputs = [layer(x) for layer in self.layers]`, where a loop does no more; else nothing."""
        alone = not loop.carried and not loop.last
        if not alone or len(used) != 1 or len(loop.body) != 1:
            return []
        ((one,), (let,)) = used, loop.body
        if one.at or not isinstance(let, Let) or let.target != Placeholder(one.item):
            return []
        items = Name(self.names[one.items])
        made = Comprehension(self.code(let.value), *self._runs(loop), is_list=True)
        given = (key for code in self.ir.body.outputs for key in placeholders(code))
        kind = subscript(Name("list"), TENSOR) if one.items in given else None
        return [Assign((items,), made, kind, self._contents(one, loop))]

    def _contents(self, collected: Collected, loop: Loop) -> str:
        """`depth of [B, T, D]`, for the items of a list."""
        if collected.after is not None:
            (stacked,) = collected.kinds
            count, *shape = stacked.shape
            number = self.comment([stacked.with_shape(count)]).strip("[]")
            return f"{number} of {self.comment([stacked.with_shape(*shape)])}"
        times = loop.times if collected.at is None else len(collected.kinds)
        shapes = list(dict.fromkeys(self.comment([kind]) for kind in collected.kinds))
        if len(shapes) > 1:
            return f"{times} of several shapes"
        return f"{times} of {shapes[0]}"

    def _scan(self, scan: RunScan) -> list[Stmt]:
        options: dict[str, Expr] = {
            "xs": TupleExpr(tuple(map(self.code, scan.xs))),
            "carry": TupleExpr(tuple(map(self.code, scan.carry))),
        }
        if scan.shared:
            options["shared"] = TupleExpr(tuple(map(self.code, scan.shared)))
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
            value = call("resume_scan", self.code(scan.state), step, **options)
        lines.append(Assign((target,), value, comment=self.comment(kinds)))
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
        inputs = {value: port for port, value in self.ir.body.inputs}
        return (
            isinstance(value, Placeholder)
            and value.key in inputs
            and self.plan.is_optional(inputs[value.key])
        )

    def comment(self, kinds: Sequence[TensorType]) -> str:
        """The shapes of what a line computes."""
        shapes = [self.shapes.shape(kind.shape) for kind in kinds]
        if len(shapes) > 1 and len(set(shapes)) == 1:
            return f"{len(shapes)} of {shapes[0]}"
        return ", ".join(shapes)


def _kept_or_changed(line: Assign) -> Stmt:
    """`if test: x = f(x)` for `x = f(x) if test else x`."""
    match line:
        case Assign((Name() as target,), Conditional(test, body, orelse)):
            if target == orelse:
                return If(test, (replace(line, value=body),))
    return line


def _collapsed(target: Expr) -> Expr:
    """A target in which a group of which nobody needs anything is one `_`."""
    if not isinstance(target, TupleExpr):
        return target
    items = tuple(map(_collapsed, target.items))
    return TupleExpr(
        tuple(
            Name(UNUSED)
            if isinstance(item, TupleExpr) and set(item.items) == {Name(UNUSED)}
            else item
            for item in items
        )
    )


def _module_type(built: Expr) -> Expr | None:
    """The class of what code builds: `A | B` of what is one or the other; None if it cannot be told."""
    if isinstance(built, Conditional):
        both = [_module_type(built.body), _module_type(built.orelse)]
        known = [one for one in both if one is not None]
        return either(known) if len(known) == 2 else None
    return built.func if isinstance(built, Call) else None
