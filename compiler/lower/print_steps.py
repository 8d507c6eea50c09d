"""The methods that a class has for running a sequence in pieces: `init_state`, `forward` and `step`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.codegen.python import (
    Binary,
    Compare,
    Expr,
    Name,
    TupleExpr,
    attr,
    call,
    lit,
    method,
    subscript,
)
from compiler.codegen.statements import (
    Assign,
    AugAssign,
    ExprStatement,
    Function,
    FunctionParameter,
    If,
    Raise,
    Return,
    Stmt,
)
from compiler.ir.module import Body
from compiler.lower.class_steps import Steps, field_name
from compiler.lower.constructors import either_none
from compiler.lower.print_body import BodyPrinter
from compiler.lower.state_types import (
    CAPACITY,
    POSITION,
    either,
    state_type,
    tensors,
    unless_none,
)
from compiler.lower.static_types import TENSOR


def methods(printer: BodyPrinter, steps: Steps | None) -> list[Function]:
    """`forward`, and those for running a sequence in pieces."""
    if steps is None:
        return [printer.function("forward", printer.inputs())]
    if not steps.keeps(printer.plan):
        return StatelessPrinter(printer, steps).methods()
    return StepPrinter(printer, steps).methods()


class StatelessPrinter:
    """The methods of a class that keeps nothing, where others may: it takes what they take."""

    def __init__(self, printer: BodyPrinter, steps: Steps) -> None:
        self.printer, self.steps = printer, steps
        self.ir, self.plan = printer.ir, printer.ir.plan

    def methods(self) -> list[Function]:
        """`init_state`, where another class keeps something in its place, and `forward`."""
        settings = (*self._no_state(), *self._offset_argument())
        inputs = self.printer.inputs()
        forward = self.printer.function("forward", inputs, settings)
        return [*self._begin_nothing(), forward]

    def _no_state(self) -> Iterator[FunctionParameter]:
        """`state: KeyValues | None = None`, where a class keeps nothing and others in its place do."""
        kind = self._state_beside()
        if kind is not None and self.ir.steps is not None:
            yield FunctionParameter(self.ir.steps.state_argument, kind, lit(None))

    def _begin_nothing(self) -> Iterator[Function]:
        """`init_state`, where a class keeps nothing and others in its place do."""
        kind = self._state_beside()
        if kind is None:
            return
        params = [FunctionParameter("self")]
        if self.steps.takes_capacity(self.plan):
            whole = either_none(Name("int"))
            params.append(FunctionParameter(CAPACITY, whole, lit(None)))
        yield Function("init_state", tuple(params), kind, (Return(lit(None)),))

    def _state_beside(self) -> Expr | None:
        """The type of what is kept by classes in whose place this one stands."""
        others = self.steps.beside(self.plan)
        if not others:
            return None
        return either([*(state_type(one, self.steps) for one in others), lit(None)])

    def _offset_argument(self) -> Iterator[FunctionParameter]:
        """`offset: int = 0`, where a class keeps nothing, and depends on positions."""
        own = self.ir.steps
        if own is None or not self.steps.begin(self.plan).offset:
            return
        yield FunctionParameter(own.offset_argument, Name("int"), lit(0))


class StepPrinter:
    """The methods of a class that keeps something between the pieces of a sequence."""

    def __init__(self, printer: BodyPrinter, steps: Steps) -> None:
        self.printer, self.steps = printer, steps
        self.ir, self.plan = printer.ir, printer.ir.plan
        assert self.ir.steps is not None
        self.own, self.begin = self.ir.steps, steps.begin(self.plan)
        self.state = Name(self.own.state_argument)
        names = printer.text.names
        self.prepared = [names[value] for value in self.ir.prepared]
        self.passed = [names[value] for value in self.ir.passed]

    def methods(self) -> list[Function]:
        """`prepare`, `init_state`, `forward` and, of a network, `step`."""
        before = [] if self.ir.before is None else [self._prepare(self.ir.before)]
        if self.plan.scope.kind != "network":
            return [*before, self._init_state(), self._forward()]
        if not self.ir.outputs:  # all of it depends on what comes in pieces
            ports = self.printer.inputs()
            whole = self.printer.function(
                "forward", ports, self._settings(), self._offset()
            )
            return [self._init_state(), whole, self._step("self", ports)]
        ports = self._decode_inputs()
        decode = self.printer.function(
            "decode", ports, self._settings(), self._offset()
        )
        step = self._step("self.decode", ports)
        return [*before, self._init_state(), decode, self._whole(ports), step]

    def _settings(self) -> Iterator[FunctionParameter]:
        """What `forward` takes to go on from a piece before."""
        kind = either([state_type(self.plan, self.steps), lit(None)])
        yield FunctionParameter(self.own.state_argument, kind, lit(None))
        if self.begin.offset and self.plan.scope.kind != "network":
            yield FunctionParameter(self.own.offset_argument, Name("int"), lit(0))

    def _offset(self) -> Iterator[Stmt]:
        """`offset = 0 if state is None else state.position`."""
        if self.begin.offset:
            value = unless_none(self.state, lit(0), attr(self.state, POSITION))
            yield Assign((Name(self.own.offset_argument),), value)

    # What is computed once.

    def _prepare(self, before: Body) -> Function:
        printer = self._before(before)
        absent = [n for n, name in enumerate(self._made) if self._is_optional(name)]
        return printer.function("prepare", printer.inputs(), optional=absent)

    @property
    def _made(self) -> Sequence[str]:
        """What the values that are computed once are called in the state."""
        return self.begin.values[: len(self.ir.prepared)]

    def _is_optional(self, name: str) -> bool:
        """Whether a value of the state that is computed once may be None."""
        return name in self.begin.optional

    def _before(self, before: Body) -> BodyPrinter:
        return self.printer.of_body(before)

    def _prepare_line(self) -> Iterator[Stmt]:
        """`k, v = self.prepare(memory)`, in a method that has the inputs."""
        if self.ir.before is not None and self.prepared:
            ports = self._before(self.ir.before).inputs()
            value = call("self.prepare", *(Name(one.name) for one in ports))
            yield Assign((_target(self.prepared),), value, comment=self._comment())

    def _comment(self) -> str:
        """The shapes of what is computed once."""
        origins = [self.ir.body.origins[value.number] for value in self.ir.prepared]
        kinds = [
            outputs.get(one.port) or next(iter(outputs.values()))
            for one in origins
            if (outputs := self.plan.layers[one.layer].outputs)
        ]
        return self.printer.text.comment(kinds)

    def _init_state(self) -> Function:
        params = [FunctionParameter("self")]
        ports = {port: self.plan.is_optional(port) for port in self.begin.ports}
        for port, optional in ports.items():
            kind = either_none(TENSOR) if optional else TENSOR
            default = lit(None) if optional else None
            params.append(FunctionParameter(port, kind, default))
        network = self.plan.scope.kind == "network"
        if self.steps.takes_capacity(self.plan) or network:
            kind = either_none(Name("int"))
            params.append(FunctionParameter(CAPACITY, kind, lit(None)))
        values = map(Name, (*self.prepared, *self.passed))
        parts = [
            self.printer.text.code(self.ir.initial[layer]) for layer in self.own.kept
        ]
        every = [*values, *parts]
        if self.steps.is_wrapped(self.plan):
            value: Expr = call(self.steps.state_name(self.plan), *every)
        else:
            (value,) = every
        docstring = ""
        if network:
            room = ", with room for max_length." if self.own.bounded else "."
            docstring = f"Return the state before the first position{room}"
        return Function(
            "init_state",
            tuple(params),
            state_type(self.plan, self.steps),
            (*self._prepare_line(), Return(value)),
            docstring,
        )

    def _forward(self) -> Function:
        """`forward` of a block, which computes what is static unless it is in the state."""
        begin: list[Stmt] = []
        for line in self._prepare_line():
            assert isinstance(line, Assign) and line.value is not None
            kept = [self._kept(name) for name in self.begin.values]
            known = kept[0] if len(kept) == 1 else TupleExpr(tuple(kept))
            value = unless_none(self.state, line.value, known)
            begin.append(Assign(line.targets, value, comment=self._comment()))
        inputs = self.printer.inputs()
        return self.printer.function("forward", inputs, self._settings(), begin)

    def _kept(self, value: str) -> Expr:
        """A value that the state holds."""
        wrapped = self.steps.is_wrapped(self.plan)
        return attr(self.state, field_name(value)) if wrapped else self.state

    # Networks.

    def _decode_inputs(self) -> list[FunctionParameter]:
        """What a piece needs: its inputs, and what is computed once; what may be None comes last."""
        found = self.printer.inputs(self.own.streamed)
        for name, held in zip(self.prepared, self._made, strict=True):
            kind = either_none(TENSOR) if self._is_optional(held) else TENSOR
            found.append(FunctionParameter(name, kind))
        ports = {value: port for port, value in self.ir.body.inputs}
        for value, name in zip(self.ir.passed, self.passed, strict=True):
            optional = self.plan.is_optional(ports[value])
            kind = either_none(TENSOR) if optional else TENSOR
            found.append(FunctionParameter(name, kind, lit(None) if optional else None))
        return sorted(found, key=lambda one: one.default is not None)

    def _whole(self, ports: Sequence[FunctionParameter]) -> Function:
        """`forward` of a network of which a part is computed once."""
        whole = self.printer.of_body(Body(self.ir.inputs, (), (), self.ir.body.origins))
        results = [f"result_{n}" for n in range(len(self.ir.body.outputs))]
        results = results if len(results) > 1 else ["result"]
        value = call("self.decode", *(Name(one.name) for one in ports))
        lines: list[Stmt] = [*self._prepare_line()]
        dynamic = iter(results)
        pieces = set(self.ir.body.outputs)
        parts = [
            Name(next(dynamic)) if code in pieces else self.printer.text.code(code)
            for code in self.ir.outputs
        ]
        if len(parts) == 1:
            lines.append(Return(value))
        else:
            kinds = self.plan.given().values()
            shown = [
                kind
                for code, kind in zip(self.ir.outputs, kinds, strict=True)
                if code in pieces and kind is not None
            ]
            comment = self.printer.text.comment(shown)
            lines.append(Assign((_target(results),), value, comment=comment))
            lines.append(Return(TupleExpr(tuple(parts))))
        return Function(
            "forward",
            (FunctionParameter("self"), *whole.inputs()),
            tensors(len(parts)),
            tuple(lines),
        )

    def _require_room(self, count: Expr) -> Iterator[Stmt]:
        """An error for positions that the network does not have, before anything is run."""
        if self.ir.limit is not None:
            after = Binary("+", attr(self.state, POSITION), count)
            most = self.printer.text.code(self.ir.limit)
            error = call("ValueError", "the sequence is longer than the network takes")
            yield If(Compare(">", after, most), (Raise(error),))

    def _step(self, called: str, ports: Sequence[FunctionParameter]) -> Function:
        """The method that runs the next positions of a sequence."""
        port, axis = self.steps.stream.counted
        count = subscript(attr(Name(port), "shape"), axis)
        names = (*self.prepared, *self.passed)
        held = dict(zip(names, self.begin.values, strict=True))
        own = [one for one in ports if one.name not in held]
        required = [one for one in own if one.default is None]
        optional = [one for one in own if one.default is not None]
        given = [
            self._kept(held[one.name]) if one.name in held else Name(one.name)
            for one in ports
        ]
        result = Name("result")
        returns = tensors(len(self.ir.body.outputs))
        body: tuple[Stmt, ...] = (
            *self._require_room(count),
            ExprStatement(method(self.state, "reserve", count)),
            Assign(
                (result,),
                call(called, *given, **{self.own.state_argument: self.state}),
                returns,
            ),
            AugAssign(attr(self.state, POSITION), "+", count),
            Return(result),
        )
        state = FunctionParameter(
            self.own.state_argument, state_type(self.plan, self.steps)
        )
        return Function(
            "step",
            (FunctionParameter("self"), *required, state, *optional),
            returns,
            body,
            "Run the next positions of a sequence: what `forward` gives there.",
        )


def _target(names: Sequence[str]) -> Expr:
    return Name(names[0]) if len(names) == 1 else TupleExpr(tuple(map(Name, names)))
