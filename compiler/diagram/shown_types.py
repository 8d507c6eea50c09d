"""The types in a diagram, as they hold for every copy that is drawn in one place."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.diagnostics.text import shorten
from compiler.diagram.views import Frame
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance
from compiler.op.context import Context
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType, is_ellipsis

_WIDTH = 60  # of a type; a longer one is cut
_ENDS = 16  # of a size that is not the same everywhere


class Shapes:
    """Words for types: by value, or with `names` in those of each block."""

    def __init__(self, names: bool) -> None:
        self.names = names

    def of(self, frame: Frame, ref: Ref) -> str:
        """The type of a value as an arrow says it: `[B, T, 768]`, `[B, (H+1)//2]`."""
        return shorten(_tight(self._whole(frame, ref).removeprefix("float")), _WIDTH)

    def full(self, frame: Frame, ref: Ref) -> str:
        """The type of a value: `float[B, T, 768]`; "" if it is not known."""
        return shorten(self._whole(frame, ref), _WIDTH)

    def _whole(self, frame: Frame, ref: Ref) -> str:
        found = [
            (_simple(instance, kind), kind)
            for instance in frame.instances
            if (kind := instance.type_of(ref)) is not None
        ]
        if not found:
            return ""
        values, names = ([pair[side] for pair in found] for side in (0, 1))
        shown = names if self.names else values
        return _common(shown, names)

    def declared(self, frame: Frame, name: str) -> str:
        """The type of an input, as inferred or else as it is written."""
        pattern = frame.scope.inputs[name]
        if self.names and pattern is not None:
            return shorten(str(pattern), _WIDTH)
        found = self.full(frame, Ref(name))
        return found or (shorten(str(pattern), _WIDTH) if pattern else "")

    def changes(self, frame: Frame, ref: Ref) -> bool:
        """Whether a layer gives another type than its first input has."""
        sources = frame.sources(ref.node)
        if not sources:
            return True
        return self._whole(frame, ref) != self._whole(frame, sources[0][1])


def _tight(text: str) -> str:
    """A type without the spaces around operators, for it stands in narrow places."""
    for operator in ("//", "+", "-", "*"):
        text = text.replace(f" {operator} ", operator)
    return text


def _simple(instance: Instance, kind: TensorType) -> TensorType:
    """A type by value; sizes that the declared dims make equal to one of an input are that."""
    context = instance.context
    values = context.values(kind)
    inputs = [context.values(known) for known in instance.inputs.values() if known]
    known = [size for item in inputs for size in item.shape if size.constant is None]
    return TensorType(
        kind.kind, tuple(_known(context, size, known) for size in values.shape)
    )


def _known(context: Context, size: Dim, known: Sequence[Dim]) -> Dim:
    if size.constant is not None or size in known:
        return size
    alike = (item for item in known if item.symbols == size.symbols)
    return next((item for item in alike if context.domain.equal(item, size)), size)


def _common(kinds: Sequence[TensorType], names: Sequence[TensorType]) -> str:
    """A type in what is the same everywhere; in names where values differ."""
    first = kinds[0]
    if any(kind.rank != first.rank or kind.kind != first.kind for kind in kinds):
        return ""
    if all(kind == first for kind in kinds):
        return str(first)
    sizes = [
        _size([kind.shape[axis] for kind in kinds], [k.shape[axis] for k in names])
        for axis in range(first.rank)
    ]
    return f"{first.kind}[{', '.join(sizes)}]"


def _size(values: Sequence[Dim], names: Sequence[Dim]) -> str:
    if all(value == values[0] for value in values):
        return str(values[0])
    if all(name == names[0] for name in names) and not is_ellipsis(names[0]):
        return str(names[0])
    ends = f"{values[0]}…{values[-1]}"
    return ends if len(ends) <= _ENDS else "…"
