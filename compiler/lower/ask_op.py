"""What an op writes for one run of a layer, asked for it alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.codegen.python import Expr
from compiler.dataclass import dataclass
from compiler.infer.call_op import op_inputs
from compiler.ir.graph import Node, Ref
from compiler.ir.module import Let, Local, Origin
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.lower.class_ir import wrapped
from compiler.lower.class_plan import Run
from compiler.lower.emit import LayerCode

Written = tuple[Expr | None, tuple[Let, ...]]
"""What an op writes, in the names of the scope: the expression, and the steps on the way."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A run whose code an op is asked for, in `forward`; in `__init__` where `given` is None."""

    node: TypedNode
    call: LayerCall
    module: Expr
    given: Mapping[str, Any] | None = None

    def is_same(self, other: Asked) -> bool:
        """Whether the op writes the same for a run of the same layer: they differ in values alone."""
        one, two = self.call, other.call
        return (
            type(one.op) is type(two.op)
            and vars(one.op) == vars(two.op)
            and one.inputs == two.inputs
            and self.node.arguments == other.node.arguments
            and self.module == other.module
            and self.given == other.given
        )

    def written(self, use: Instance) -> Written:
        """What the op writes."""
        node, call = self.node, self.call
        assert call.op is not None
        code = alone_code(use, node, call, self.module)
        if self.given is None:
            types = op_inputs(type(call.op), call.inputs)
            return wrapped(node, call.op.construct(code, **types)), ()
        values = {port.name: self.given.get(port.name) for port in call.op.inputs}
        value = call.op.apply(code, **values)
        return value, tuple(code.steps)


class LastWritten:
    """What the op of each layer wrote last, in `__init__` and in `forward`."""

    def __init__(self) -> None:
        self._last: dict[tuple[Node, bool], tuple[Asked, Written]] = {}

    def of(self, asked: Asked, use: Instance) -> Written:
        """What the op of a run writes; it is not asked again for the next use if that differs in values alone."""
        key = asked.node.node, asked.given is None
        known = self._last.get(key)
        if known is None or not known[0].is_same(asked):
            known = self._last[key] = asked, asked.written(use)
        return known[1]


def alone_code(
    use: Instance, node: TypedNode, call: LayerCall, module: Expr
) -> LayerCode:
    """The `Code` of one run for which there is no other."""
    types = {port: kind for port, kind in call.inputs.items() if kind is not None}
    return LayerCode(_Alone(), Run(use, node, call), types, types, module, (), False)


class _Alone:
    """What a run needs of a class that is for it alone."""

    def __init__(self) -> None:
        self._count = 0

    def step(self, index: int, origin: Origin) -> Local:
        return Local(-1 - index)

    def may_be_none(self, ref: Ref) -> bool:
        return False

    def state_of(self, layer: str) -> None:
        return None

    def columns_of(self, layer: str) -> Mapping[str, int]:
        return {}

    def past_axis_of(self, layer: str) -> int:
        raise AssertionError("it keeps nothing between pieces")

    def offset_of(self, layer: str) -> None:
        return None
