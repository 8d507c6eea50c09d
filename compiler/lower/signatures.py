"""The signatures of a class: what its constructor takes, what `forward` takes and gives."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.codegen.python import (
    Binary,
    Expr,
    Literal,
    Name,
    lit,
    subscript,
)
from compiler.codegen.statements import FunctionParameter
from compiler.infer.param_values import param_type
from compiler.lower.constructors import value_code
from compiler.lower.defaults import default_of, is_computed
from compiler.lower.writer import ClassWriter
from compiler.symbolic.evaluate import Value

TENSOR = Name("Tensor")
OPTIONAL_TENSOR = Binary("|", TENSOR, lit(None))


def needed(writer: ClassWriter) -> tuple[list[str], list[str]]:
    """The dims and the params that the constructor takes, those without a default first."""
    params = writer.plan.scope.environment.params
    dims = [
        name
        for name in writer.environment
        if name in writer.needs and name not in params
    ]
    chosen = [name for name in params if name in writer.needs]
    return dims, sorted(chosen, key=lambda name: default_of(writer, name) is not None)


def constructor_params(
    writer: ClassWriter, dims: list[str], params: list[str]
) -> tuple[FunctionParameter, ...]:
    """The parameters of `__init__` after `self`."""
    found = [
        FunctionParameter(writer.argument_name(name), Name("int")) for name in dims
    ]
    for name in params:
        default = default_of(writer, name)
        annotation = _annotation(_type(writer, name))
        if is_computed(default):
            found.append(
                FunctionParameter(
                    writer.argument_name(name),
                    Binary("|", annotation, lit(None)),
                    lit(None),
                )
            )
        else:
            shown = None if default is None else value_code(default, writer.in_init)
            found.append(
                FunctionParameter(writer.argument_name(name), annotation, shown)
            )
    return tuple(found)


def forward_params(writer: ClassWriter) -> tuple[FunctionParameter, ...]:
    """The parameters of `forward` after `self`."""
    found = []
    for port in writer.plan.ports():
        name = writer.input_name(port)
        optional = writer.plan.is_optional(port)
        annotation = OPTIONAL_TENSOR if optional else TENSOR
        found.append(
            FunctionParameter(name, annotation, lit(None) if optional else None)
        )
    return tuple(found)


def returns(writer: ClassWriter) -> Expr:
    """The type that `forward` returns."""
    count = len(writer.plan.scope.outputs)
    return TENSOR if count == 1 else subscript(Name("tuple"), *[TENSOR] * count)


def _type(writer: ClassWriter, name: str) -> str:
    scope = writer.plan.scope.environment
    values: Mapping[str, Value] = writer.plan.first.params
    return param_type(scope.params[name], values[name])


def _annotation(name: str) -> Expr:
    if name.endswith("[]"):
        return subscript(Name("tuple"), Name(name[:-2]), Literal(...))
    return Name("str" if name == "op" else name)
