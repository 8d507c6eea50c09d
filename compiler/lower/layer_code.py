"""What an op asks while it writes its Python: the arguments and sizes of one layer, as code in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from compiler.codegen.python import Expr, Name, TupleExpr, lit
from compiler.ir.graph import Ref
from compiler.ir.typed import LayerCall, TypedNode
from compiler.lower.inplace import may_overwrite, sole_source
from compiler.lower.to_python import Resolve, to_python
from compiler.op.arg_types import Formula
from compiler.op.op import Shape, arguments
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

if TYPE_CHECKING:
    from compiler.lower.writer import ClassWriter


class LayerCode:
    """The `Code` of one layer.

    `varied` are sizes that differ from copy to copy, with their code in terms of `i`;
    `before` is the layer before it in an `nn.Sequential`.
    """

    training: Expr = Name("self.training")

    def __init__(
        self,
        writer: ClassWriter,
        typed: TypedNode,
        call: LayerCall,
        resolve: Resolve,
        module: Expr,
        varied: Mapping[Dim, Expr] | None = None,
        before: TypedNode | None = None,
    ) -> None:
        self.writer, self.typed, self.call = writer, typed, call
        self._resolve, self._module, self._varied = resolve, module, varied or {}
        self._before = before

    def given(self, argument: str) -> bool:
        """Whether the spec sets the argument to something else than its default."""
        written = self._written
        if argument not in written:
            return False
        value, default = written[argument], self._default(argument)
        if isinstance(value, tuple) and not isinstance(default, tuple):
            value = value[0] if len(value) == 1 else value
        return (
            isinstance(value, Formula)
            or type(value) is not type(default)
            or value != default
        )

    def argument(self, name: str) -> Expr:
        """An argument as it is written in the spec, or its default."""
        value = self._written.get(name, self._default(name))
        return self._code(value)

    def size(self, size: Dim | int) -> Expr:
        """A size in the names of the scope, as code in this place."""
        size = Dim.of(size)
        if size in self._varied:
            return self._varied[size]
        return to_python(size.to_expr(), self._resolve)

    def module(self) -> Expr:
        """The layer's module: `self.conv`."""
        return self._module

    def let(self, value: Expr, shape: Shape | None = None, name: str = "") -> Name:
        """Assign an intermediate value to a local variable and give its name."""
        node = self.typed.node.name
        return self.writer.let(node, value, shape, name or node)

    def chosen(self, argument: str) -> bool:
        """Whether a param decides an argument."""
        return isinstance(self._written.get(argument), Formula)

    def absent(self, port: str) -> bool:
        """Whether an optional input is left out in this use of the layer."""
        return self.call.inputs.get(port) is None

    def optional(self, port: str) -> bool:
        """Whether the value at this port may be None when the code runs."""
        ref = self.typed.inputs.get(port)
        return isinstance(ref, Ref) and self.writer.is_optional(ref)

    def spare(self, port: str) -> bool:
        """Whether the value at this port may be overwritten: it is new, and nothing else needs it."""
        source = self._before
        if source is None:
            given = self.typed.inputs.get(port)
            source = sole_source(self.writer.plan, self.writer.variables, given)
        return may_overwrite(self.typed, source)

    def type(self, port: str) -> TensorType:
        """The type of an input in the names of the scope."""
        kind = self.call.inputs.get(port) or self.writer.inputs_of(self.typed).get(port)
        assert isinstance(kind, TensorType)
        return kind

    @property
    def _written(self) -> Mapping[str, Any]:
        return self.writer.arguments(self.typed)

    def _default(self, name: str) -> Any:
        assert self.call.op is not None
        default = arguments(type(self.call.op))[name][1]
        return None if default is ... else default

    def _code(self, value: Any) -> Expr:
        if isinstance(value, Formula):
            return to_python(value.expr, self._resolve)
        if isinstance(value, tuple):
            items = tuple(self._code(item) for item in value)
            return items[0] if len(items) == 1 else TupleExpr(items)
        if isinstance(value, Dim):  # a default
            return self.size(value)
        return lit(value)
