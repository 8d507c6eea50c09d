"""Run one op on tensors: evaluate the expression that the op itself writes, with numbers for all sizes.

A spec's text is never evaluated: its values are escaped literals, or tensors bound to names.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import CodeType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional, init
from torch.nn.utils import parametrizations

from compiler.codegen.expression_layout import flat
from compiler.codegen.printer import print_module
from compiler.codegen.python import Expr, Name, TupleExpr, lit
from compiler.codegen.statements import Module
from compiler.language.parametrizations import Parametrization
from compiler.op.arg_types import Formula
from compiler.op.binding import BindingError, bind, check_arguments
from compiler.op.library_sources import PACKAGE, in_order, tree_of
from compiler.op.op import Op, Shape, arguments
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import evaluate
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import NETWORKS
from compiler.symbolic.tensor import Kind, TensorType

Numbers = Mapping[str, Any]
"""The values of a scope's names in one call: params, dimensions, the counter of a repeat."""


def bind_numbers(op: type[Op], written: Mapping[str, Any], numbers: Numbers) -> Op:
    """The op with numbers in place of expressions, as if the spec had them.

    Args:
        op: the op's class.
        written: the arguments as the spec has them.
        numbers: the values of the names in their expressions.

    Raises:
        BindingError: if the op does not accept the arguments.
    """
    values = {key: _evaluate(value, numbers) for key, value in written.items()}
    accepted, errors = check_arguments(op, values)
    if errors:
        raise BindingError(errors)
    return bind(op, accepted, {}, SymbolTable({}, {}, NETWORKS))


def _evaluate(value: Any, numbers: Numbers) -> Any:
    if isinstance(value, Formula):
        value = evaluate(value.expr, numbers)
    if isinstance(value, tuple | list):
        return [_evaluate(item, numbers) for item in value]
    if isinstance(value, dict):
        return {name: _evaluate(item, numbers) for name, item in value.items()}
    return value


@dataclass
class OpRun:
    """One call of an op with numbers for sizes; the `Code` that the op writes its expression with.

    Attributes:
        op: the op, with numbers as arguments.
        types: the types of its inputs by port.
        is_training: whether the network is in training mode.
        names: the values of the names in the op's expressions.
    """

    op: Op
    types: Mapping[str, Any]
    is_training: bool = True
    training: Expr = field(default_factory=lambda: Name("training"))
    names: dict[str, Any] = field(default_factory=dict)

    def construct(self, parametrization: Parametrization | None) -> Any:
        """The op's module or tensor; None if it has none."""
        expr = self.op.construct(self, **self.types)
        layer_state = None if expr is None else self._eval(expr)
        if parametrization is None or layer_state is None:
            return layer_state
        wrap = getattr(parametrizations, parametrization.name)
        return wrap(layer_state, parametrization.tensor, **parametrization.options)

    def apply(
        self, layer_state: Any, values: Mapping[str, Any], count: int
    ) -> dict[str, Tensor]:
        """The op's `count` outputs by port, from its module or tensor and the values of its inputs."""
        self.names |= {"layer_state": layer_state, "training": self.is_training}
        expressions = {port: self._bind(port, value) for port, value in values.items()}
        value = self.op.apply(self, **expressions)
        ports = self.op.ports(count)
        outputs = tuple(Name(f"output_{k}") for k in range(len(ports)))
        self._exec(f"{flat(self.op.targets(outputs))} = {flat(value)}")
        return {
            port: self.names[name.id] for port, name in zip(ports, outputs, strict=True)
        }

    def restore(self, layer_state: Any) -> None:
        """Restore the values that initialisation must not change, such as an embedding's padding row."""
        self.names["layer_state"] = layer_state
        self._exec(print_module(Module(body=self.op.restore(Name("layer_state")))))

    def state(self) -> None:
        """Sequences are whole: nothing is kept between pieces."""

    def keeps(self, port: str) -> bool:
        return False

    def past_axis(self) -> int:
        raise AssertionError("it keeps nothing between pieces")

    def offset(self) -> None:
        """Sequences are whole, and begin at position 0."""

    def capacity(self) -> Expr:
        return lit(None)

    def unpack(self, value: Expr, /, **kinds: TensorType) -> tuple[Expr, ...]:
        """Bind the parts of a tuple to names of their own."""
        raise AssertionError("only what goes on from a state asks for this")

    def _bind(self, port: str, value: Any) -> Any:
        """The name of a value, which is bound to it; for a variadic port the names of several."""
        if isinstance(value, tuple):
            return tuple(
                self._bind(f"{port}_{k}", item) for k, item in enumerate(value)
            )
        if value is None:
            return None
        self.names[f"at_{port}"] = value
        return Name(f"at_{port}")

    def _eval(self, expr: Expr) -> Any:
        return eval(_code(flat(expr), "eval"), self._scope())  # noqa: S307 - written by an op, not by a spec

    def _exec(self, text: str) -> None:
        """Run statements; what they assign gets a name."""
        scope = self._scope()
        exec(_code(text, "exec"), scope)  # noqa: S102 - written by an op, not by a spec
        self.names |= scope

    def _scope(self) -> dict[str, Any]:
        return {**_library(self.op.carries(self)), **self.names}

    # The methods of `Code`.

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
        return Name("layer_state")

    def let(self, value: Expr, shape: Shape | None = None, name: str = "") -> Name:
        variable = Name(f"let_{len(self.names)}")
        self.names[variable.id] = self._eval(value)
        return variable

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
    """The type of a port's value: a tensor, a tuple of tensors for a variadic port, or None."""
    if isinstance(value, tuple):
        return tuple(map(type_of, value))
    if value is None:
        return None
    is_int = not value.is_floating_point() and value.dtype != torch.bool
    kind: Kind = "int" if is_int else "float" if value.is_floating_point() else "bool"
    return TensorType(kind, tuple(map(Dim.of, value.shape)))


@lru_cache(maxsize=4096)
def _code(text: str, mode: str) -> CodeType:
    """Compiled once: a network calls an op with the same numbers again and again."""
    return compile(text, "<op>", mode)


@cache
def _library(name: str) -> dict[str, Any]:
    """The names that an op's expression may use: torch's, and those of a file in compiler/library."""
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
    """Whether a statement imports another file of the library, whose names are already in scope."""
    return isinstance(line, ast.ImportFrom) and (line.module or "").startswith(PACKAGE)
