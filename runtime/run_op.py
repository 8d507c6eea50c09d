"""One run of one op on tensors: its own expression, for the numbers of this run, evaluated alone.

Nothing of a spec is part of what is evaluated, but as an escaped literal or as the tensor behind a name.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional, init
from torch.nn.utils import parametrizations

from compiler.codegen.expression_layout import flat
from compiler.codegen.printer import print_module
from compiler.codegen.python import Expr, Name, TupleExpr, lit
from compiler.codegen.statements import Assign, Module, Stmt
from compiler.language.parametrizations import Parametrization
from compiler.op.arg_types import Formula
from compiler.op.binding import BindingError, bind, check_arguments
from compiler.op.library_sources import PACKAGE, in_order, tree_of
from compiler.op.op import Op, Shape, arguments
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import evaluate
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.tensor import Kind, TensorType

Numbers = Mapping[str, Any]
"""What the names of a scope are in this run: params, dimensions, the counter of a repeat."""


def concrete(op: type[Op], written: Mapping[str, Any], numbers: Numbers) -> Op:
    """The op with its arguments as numbers, as if the spec had them in place.

    Raises:
        BindingError: where the op does not take them.
    """
    plain = {key: _plain(value, numbers) for key, value in written.items()}
    given, problems = check_arguments(op, plain)
    if problems:
        raise BindingError(problems)
    return bind(op, given, {}, SymbolTable({}, {}))


def _plain(value: Any, numbers: Numbers) -> Any:
    if isinstance(value, Formula):
        value = evaluate(value.expr, numbers)
    if isinstance(value, tuple | list):
        return [_plain(item, numbers) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item, numbers) for name, item in value.items()}
    return value


@dataclass
class OpRun:
    """One run of an op, with numbers for sizes; it is the `Code` that the op writes its expression with."""

    op: Op
    types: Mapping[str, Any]
    is_training: bool = True
    training: Expr = field(default_factory=lambda: Name("training"))
    names: dict[str, Any] = field(default_factory=dict)
    """What the names in the expressions of this run stand for."""

    def constructed(self, given: Parametrization | None) -> Any:
        """Its module or tensor; None where it has none."""
        built = self.op.construct(self, **self.types)
        held = None if built is None else self._evaluated(built)
        if given is None or held is None:
            return held
        wrap = getattr(parametrizations, given.name)
        return wrap(held, given.tensor, **given.options)

    def applied(self, held: Any, values: Mapping[str, Any]) -> dict[str, Tensor]:
        """Its outputs, from its module and the tensors at its ports."""
        self.names |= {"held": held, "training": self.is_training}
        expressions = {port: self._named(port, value) for port, value in values.items()}
        value = self.op.apply(self, **expressions)
        ports = self.op.ports()
        outputs = tuple(Name(f"output_{k}") for k in range(len(ports)))
        self._executed(Assign((self.op.targets(outputs),), value))
        return {
            port: self.names[name.id] for port, name in zip(ports, outputs, strict=True)
        }

    def restore(self, held: Any) -> None:
        """Put right what initialisation must not change."""
        self.names["held"] = held
        self._executed(*self.op.restore(Name("held")))

    def _named(self, port: str, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(
                self._named(f"{port}_{k}", item) for k, item in enumerate(value)
            )
        if value is None:
            return None
        self.names[f"at_{port}"] = value
        return Name(f"at_{port}")

    def _evaluated(self, expr: Expr) -> Any:
        scope = {**_library(self.op.carries(self)), **self.names}
        return eval(flat(expr), scope)  # noqa: S307 - an op's own text, no text of a spec

    def _executed(self, *statements: Stmt) -> None:
        scope = {**_library(self.op.carries(self)), **self.names}
        exec(print_module(Module(body=statements)), scope)  # noqa: S102 - an op's own text
        self.names |= scope

    # What an op asks while it writes its expression.

    def given(self, argument: str) -> bool:
        value, default = (
            getattr(self.op, argument),
            arguments(type(self.op))[argument][1],
        )
        return default is ... or type(value) is not type(default) or value != default

    def argument(self, name: str) -> Expr:
        return self._literal(getattr(self.op, name))

    def _literal(self, value: Any) -> Expr:
        if isinstance(value, tuple):
            items = tuple(map(self._literal, value))
            return items[0] if len(items) == 1 else TupleExpr(items)
        return self.size(value) if isinstance(value, Dim) else lit(value)

    def size(self, size: Dim | int) -> Expr:
        number = Dim.of(size).constant
        assert number is not None, f"{size} is not a number"
        return lit(number)

    def module(self) -> Expr:
        return Name("held")

    def let(self, value: Expr, shape: Shape | None = None, name: str = "") -> Name:
        place = Name(f"let_{len(self.names)}")
        self.names[place.id] = self._evaluated(value)
        return place

    def optional(self, port: str) -> bool:
        return False

    def chosen(self, argument: str) -> bool:
        return False

    def absent(self, port: str) -> bool:
        return self.types.get(port) is None

    def spare(self, port: str) -> bool:
        return False

    def type(self, port: str) -> TensorType:
        kind = self.types[port]
        assert isinstance(kind, TensorType), port
        return kind


def type_of(value: Any) -> Any:
    """The type of what is at a port: a tensor, several for a variadic port, or None."""
    if isinstance(value, tuple):
        return tuple(map(type_of, value))
    if value is None:
        return None
    is_int = not value.is_floating_point() and value.dtype != torch.bool
    kind: Kind = "int" if is_int else "float" if value.is_floating_point() else "bool"
    return TensorType(kind, tuple(map(Dim.of, value.shape)))


@cache
def _library(name: str) -> dict[str, Any]:
    """The names that an op's expression may use: torch's, and those of a file under compiler/library."""
    scope: dict[str, Any] = {
        "torch": torch,
        "Tensor": Tensor,
        "nn": nn,
        "F": functional,
        "init": init,
        "parametrizations": parametrizations,
        "math": math,
    }
    for file in in_order([name] if name else []):
        scope["__name__"] = f"library_{file}"
        tree = tree_of(file)[1]
        body = [line for line in tree.body if not _is_internal(line)]
        module = ast.Module(body, [])
        exec(compile(module, f"<library {file}>", "exec"), scope)  # noqa: S102 - our own file
    return scope


def _is_internal(line: ast.stmt) -> bool:
    """Whether it imports another file of the library, whose names are there already."""
    return isinstance(line, ast.ImportFrom) and (line.module or "").startswith(PACKAGE)
