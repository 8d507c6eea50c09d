"""A generated class of one layer: the smallest host for an op's own code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from compiler.codegen.printer import print_module
from compiler.codegen.python import Expr, Name, TupleExpr, call, lit, method
from compiler.codegen.statements import (
    Assign,
    Class,
    ExprStatement,
    Function,
    FunctionParameter,
    Import,
    Module,
    Return,
    Stmt,
    assign,
)
from compiler.lower.library_code import library_code
from compiler.op.op import Op, Shape, arguments
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType

Input = TensorType | tuple[TensorType, ...] | None

IMPORTS = (
    Import("__future__", ("annotations",)),
    Import("math"),
    Import("torch"),
    Import("typing", ("Any",)),
    Import("torch", ("Tensor", "nn")),
    Import("torch.nn", ("functional as F", "init")),
)


@dataclass
class OneLayer:
    """An op and its inputs, as the class `Layer` whose only layer is `self.layer`.

    `dims` gives the values of symbols, `optional` the ports that can be None in a run,
    `outputs` the number of outputs.
    """

    op: Op
    written: Mapping[str, Any]
    ports: Mapping[str, Input]
    dims: Mapping[str, int] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    outputs: int = 1
    _sources: dict[bool, str] = field(default_factory=dict, repr=False)

    def source(self, *, as_module: bool = False) -> str:
        """The generated file; with the layer as a module even where a function does."""
        if as_module not in self._sources:
            self._sources[as_module] = self._printed(as_module)
        return self._sources[as_module]

    def _printed(self, as_module: bool) -> str:
        make = self.op.build if as_module else self.op.construct
        made = make(_Code(self), **self.ports)
        build: tuple[Stmt, ...] = (ExprStatement(method(call("super"), "__init__")),)
        if made is not None:
            build += (assign("self.layer", made),)
        names = [Name(name) for name in flat(self._names().values())]
        params = (
            FunctionParameter("self"),
            *(FunctionParameter(name.id, Name("Any")) for name in names),
        )
        forward = (
            (Return(call("self.layer", *names)),) if as_module else self._forward()
        )
        members = (
            Function("__init__", (FunctionParameter("self"),), lit(None), build),
            Function("forward", params, Name("Any"), forward),
        )
        carries = self.op.carries(_Code(self))
        carried = library_code([carries] if carries else [])
        layer = Class("Layer", (Name("nn.Module"),), body=members)
        body: tuple[Stmt, ...] = (*carried.code, layer)
        return _text(Module(imports=(*IMPORTS, *carried.imports), body=body))

    def _names(self) -> dict[str, Any]:
        """The names of the inputs in `forward`, by port; None where there is none."""
        return {
            port: tuple(f"{port}_{i}" for i in range(len(value)))
            if isinstance(value, tuple)
            else value and port
            for port, value in self.ports.items()
        }

    def _forward(self) -> tuple[Stmt, ...]:
        code = _Code(self)
        inputs = {port: _expressions(names) for port, names in self._names().items()}
        value = self.op.apply(code, **inputs)
        names = tuple(Name(f"output_{i}") for i in range(self.outputs))
        target = self.op.targets(names)
        if isinstance(target, Name):
            return (*code.statements, Return(value))
        take = Assign((target,), value)
        return (*code.statements, take, Return(TupleExpr(names)))


def _text(module: Module) -> str:
    """Printed once: most examples of an op are the same code. 1, 1.0 and True are equal, and not the same code."""
    return _printed_once(_Exactly(module))


@lru_cache(maxsize=256)
def _printed_once(module: _Exactly) -> str:
    return print_module(module.module)


@dataclass(frozen=True, eq=False)
class _Exactly:
    """A module that is equal to those that print alike."""

    module: Module

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Exactly) and repr(self.module) == repr(other.module)

    def __hash__(self) -> int:
        return hash(self.module)


def flat(values: Iterable[Any]) -> list[Any]:
    """The values in one list: tuples opened, what is None left out."""
    opened = (v if isinstance(v, tuple) else (v,) for v in values if v is not None)
    return [item for items in opened for item in items]


def _expressions(names: Any) -> Any:
    if isinstance(names, tuple):
        return tuple(map(Name, names))
    return names and Name(names)


@dataclass
class _Code:
    """The Code protocol for one layer. Sizes are written as numbers."""

    layer: OneLayer
    statements: list[Stmt] = field(default_factory=list)
    training: Expr = field(default_factory=lambda: Name("self.training"))

    def given(self, argument: str) -> bool:
        written = self.layer.written
        default = arguments(type(self.layer.op))[argument][1]
        return argument in written and (
            default is ... or bool(written[argument] != default)
        )

    def argument(self, name: str) -> Expr:
        return self._literal(getattr(self.layer.op, name))

    def _literal(self, value: Any) -> Expr:
        if isinstance(value, tuple):
            items = tuple(map(self._literal, value))
            return items[0] if len(items) == 1 else TupleExpr(items)
        return self.size(value) if isinstance(value, Dim) else lit(value)

    def size(self, size: Dim | int) -> Expr:
        return lit(Dim.of(size).evaluate(of_networks(self.layer.dims)))

    def module(self) -> Expr:
        return Name("self.layer")

    def let(self, value: Expr, shape: Shape | None = None, name: str = "") -> Name:
        place = Name(f"{name or 'layer'}_{len(self.statements)}")
        self.statements.append(Assign((place,), value))
        return place

    def unpack(self, value: Expr, /, **kinds: TensorType) -> tuple[Expr, ...]:
        raise AssertionError("only what goes on from a state asks for this")

    def state(self) -> None:
        return None

    def keeps(self, port: str) -> bool:
        return False

    def past_axis(self) -> int:
        raise AssertionError("it keeps nothing between pieces")

    def offset(self) -> None:
        return None

    def capacity(self) -> Expr:
        return lit(None)

    def optional(self, port: str) -> bool:
        return port in self.layer.optional

    def chosen(self, argument: str) -> bool:
        return False

    def absent(self, port: str) -> bool:
        return self.layer.ports.get(port) is None

    def spare(self, port: str) -> bool:
        return False

    def type(self, port: str) -> TensorType:
        found = self.layer.ports[port]
        assert isinstance(found, TensorType), port
        return found
