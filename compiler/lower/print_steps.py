"""The Python of what a class keeps between the pieces of a sequence: its state, `init_state` and `step`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import Protocol

from compiler.codegen.python import (
    Binary,
    Compare,
    Conditional,
    DictExpr,
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
    Class,
    ExprStatement,
    Function,
    FunctionParameter,
    If,
    Raise,
    Return,
    Stmt,
)
from compiler.codegen.traversal import used_names
from compiler.ir.module import Body, LayerState
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan
from compiler.lower.class_steps import ClassSteps, LayerMemory, Steps, field_name
from compiler.lower.constructors import either_none
from compiler.lower.names import Names
from compiler.symbolic.tensor import TensorType

CAPACITY = "max_length"
"""What `init_state` calls the largest number of positions that a state has room for."""
TENSOR = Name("Tensor")
_BATCHES = subscript(Name("Mapping"), Name("str"), Binary("|", Name("int"), lit(None)))
_POSITION = "position"


def state_class(ir: ClassIR, steps: Steps) -> Class | None:
    """The dataclass of what a class keeps; None where that is the only thing that it keeps, or nothing."""
    own, plan = ir.steps, ir.plan
    if own is None or not steps.keeps(plan) or not steps.is_wrapped(plan):
        return None
    begin = steps.begin(plan)
    batches = {field_name(n): axis for n, axis in begin.batches.items()}
    fields: list[Stmt] = [
        Assign(
            (Name("batches"),),
            DictExpr(tuple((lit(n), lit(axis)) for n, axis in batches.items())),
            subscript(Name("ClassVar"), _BATCHES),
        )
        for _ in range(bool(batches))
    ]
    fields += [
        Assign(
            (Name(field_name(value)),),
            None,
            either_none(TENSOR) if value in begin.optional else TENSOR,
        )
        for value in begin.values
    ]
    fields += [
        Assign((Name(field_name(layer)),), None, _layer_type(own, layer, kept, steps))
        for layer, kept in own.kept.items()
    ]
    if plan.scope.kind == "network":
        fields.append(Assign((Name(_POSITION),), lit(0), Name("int")))
    docstring = f"What {plan.name} keeps between the pieces of a sequence."
    name = steps.state_name(plan)
    return Class(
        name, (Name("StepState"),), docstring, tuple(fields), (Name("dataclass"),)
    )


def state_type(plan: ClassPlan, steps: Steps) -> Expr:
    """The type of what a class keeps."""
    own = steps.of(plan)
    assert own is not None
    if steps.is_wrapped(plan):
        return Name(steps.state_name(plan))
    if not own.kept:
        return either_none(TENSOR) if steps.begin(plan).optional else TENSOR
    ((layer, kept),) = own.kept.items()
    return _layer_type(own, layer, kept, steps)


def _layer_type(own: ClassSteps, layer: str, kept: LayerMemory, steps: Steps) -> Expr:
    """The type of what a layer keeps: a list for its copies, maybe None where it may be off."""
    node = own.plan.layers[layer].node
    kinds: list[Expr] = [Name(kept.state)] if kept.state else []
    kinds += [
        state_type(plan, steps) if steps.keeps(plan) else lit(None)
        for plan in kept.plans
    ]
    found = either(kinds)
    if node.layer.repeat is not None:
        return subscript(Name("list"), found)
    always = own.plan.built_when(layer) is None or own.plan.builds(layer) is True
    return found if always else either([*kinds, lit(None)])


def either(kinds: Iterable[Expr]) -> Expr:
    """`A | B`, with None as the last."""
    parts = (part for kind in kinds for part in _parts(kind))
    ordered = sorted(dict.fromkeys(parts), key=lambda kind: kind == lit(None))
    return reduce(lambda left, right: Binary("|", left, right), ordered)


def _parts(kind: Expr) -> Iterator[Expr]:
    """The types of which one is meant: `A` and `B` of `A | B`."""
    if isinstance(kind, Binary) and kind.op == "|":
        yield from _parts(kind.left)
        yield from _parts(kind.right)
    else:
        yield kind


def layer_state(own: ClassSteps, steps: Steps, key: LayerState) -> Expr:
    """How `forward` reads what a layer keeps."""
    state: Expr = Name(own.state_argument)
    wrapped = steps.is_wrapped(own.plan)
    found = attr(state, field_name(key.layer)) if wrapped else state
    if key.copied:
        found = subscript(found, Name("i"))
    return state if found == state else _unless_none(state, lit(None), found)


def _unless_none(state: Expr, other: Expr, value: Expr) -> Expr:
    return Conditional(Compare("is", state, lit(None)), other, value)


def tensors(count: int, optional: Collection[int] = ()) -> Expr:
    """The type of so many tensors, of which those at some places may be None."""
    each = [either_none(TENSOR) if n in optional else TENSOR for n in range(count)]
    return each[0] if count == 1 else subscript(Name("tuple"), *each)


class Printer(Protocol):
    """What prints the body of a class as a method."""

    ir: ClassIR
    names: Names

    def code(self, code: Expr) -> Expr: ...

    def comment(self, kinds: Sequence[TensorType]) -> str: ...

    def inputs(
        self, ports: Collection[str] | None = None
    ) -> list[FunctionParameter]: ...

    def function(
        self,
        name: str,
        inputs: Sequence[FunctionParameter],
        settings: Iterable[FunctionParameter] = (),
        begin: Iterable[Stmt] = (),
        optional: Collection[int] | None = None,
    ) -> Function: ...

    def of_body(self, body: Body) -> Printer: ...


class StepPrinter:
    """The methods of a class that keeps something between the pieces of a sequence."""

    def __init__(self, printer: Printer, steps: Steps) -> None:
        self.printer, self.steps = printer, steps
        self.ir, self.plan = printer.ir, printer.ir.plan
        assert self.ir.steps is not None
        self.own, self.begin = self.ir.steps, steps.begin(self.plan)
        self.state = Name(self.own.state_argument)
        names = printer.names
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
            value = _unless_none(self.state, lit(0), attr(self.state, _POSITION))
            yield Assign((Name(self.own.offset_argument),), value)

    # What is computed once.

    def _prepare(self, before: Body) -> Function:
        printer = self._before(before)
        absent = [n for n, name in enumerate(self._made) if self._is_optional(name)]
        made = printer.function("prepare", printer.inputs(), optional=absent)
        return replace(made, body=tuple(_declared(made.body)))

    @property
    def _made(self) -> Sequence[str]:
        """What the values that are computed once are called in the state."""
        return self.begin.values[: len(self.ir.prepared)]

    def _is_optional(self, name: str) -> bool:
        """Whether a value of the state that is computed once may be None."""
        return name in self.begin.optional

    def _before(self, before: Body) -> Printer:
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
        return self.printer.comment(kinds)

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
        parts = [self.printer.code(self.ir.initial[layer]) for layer in self.own.kept]
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
            value = _unless_none(self.state, line.value, known)
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
            Name(next(dynamic)) if code in pieces else self.printer.code(code)
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
            comment = self.printer.comment(shown)
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
            after = Binary("+", attr(self.state, _POSITION), count)
            most = self.printer.code(self.ir.limit)
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
            AugAssign(attr(self.state, _POSITION), "+", count),
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


def _declared(body: Sequence[Stmt]) -> Iterator[Stmt]:
    """Say that a variable which is returned is a Tensor, where a module gives several values at once."""
    last = body[-1]
    for line in body:
        several = isinstance(line, Assign) and isinstance(line.targets[0], TupleExpr)
        if several and isinstance(last, Return) and isinstance(last.value, Name):
            assert isinstance(line, Assign)
            if last.value.id in used_names(line.targets):
                yield Assign((last.value,), None, TENSOR)
        yield line


def _target(names: Sequence[str]) -> Expr:
    return Name(names[0]) if len(names) == 1 else TupleExpr(tuple(map(Name, names)))
