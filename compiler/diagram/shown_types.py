"""Types as text, in the form that holds for all copies drawn in one place."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.diagnostics.text import shorten
from compiler.diagram.views import ScopeView
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance
from compiler.op.context import Context
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType, is_ellipsis

_MAX_LENGTH = 60  # characters of a type
_MAX_RANGE = 16  # characters of a size that varies


class TypeLabels:
    """Writes types: by value, or if `names` is true in the names of each block."""

    def __init__(self, names: bool) -> None:
        self.names = names
        self._texts: dict[tuple[ScopeView, str, str], str] = {}

    def on_edge(self, view: ScopeView, ref: Ref) -> str:
        """The type of a value, as edges show it: `[B, T, 768]`, `[B, (H+1)//2]`; "" if unknown."""
        compact = _compact(self._text(view, ref).removeprefix("float"))
        return shorten(compact, _MAX_LENGTH)

    def full(self, view: ScopeView, ref: Ref) -> str:
        """The type of a value, `float[B, T, 768]`; "" if unknown."""
        return shorten(self._text(view, ref), _MAX_LENGTH)

    def _text(self, view: ScopeView, ref: Ref) -> str:
        key = view, ref.node, ref.port
        if key not in self._texts:
            self._texts[key] = self._written(view, ref)
        return self._texts[key]

    def _written(self, view: ScopeView, ref: Ref) -> str:
        instances = dict.fromkeys(instance.inferred for instance in view.instances)
        found = [
            (_by_value(instance, type), type)
            for instance in instances
            if (type := instance.type_of(ref)) is not None
        ]
        if not found:
            return ""
        values, names = ([pair[side] for pair in found] for side in (0, 1))
        shown = names if self.names else values
        return _common(shown, names)

    def declared(self, view: ScopeView, name: str) -> str:
        """The type of an input, as inferred or else as declared; "" if there is neither."""
        pattern = view.scope.inputs[name]
        if self.names and pattern is not None:
            return shorten(str(pattern), _MAX_LENGTH)
        found = self.full(view, Ref(name))
        return found or (shorten(str(pattern), _MAX_LENGTH) if pattern else "")

    def changes(self, view: ScopeView, ref: Ref) -> bool:
        """Whether the type of a layer's output differs from that of its first input."""
        sources = view.sources(ref.node)
        if not sources:
            return True
        return self._text(view, ref) != self._text(view, sources[0][1])


def _compact(text: str) -> str:
    """A type without spaces around operators, for narrow places."""
    for operator in ("//", "+", "-", "*"):
        text = text.replace(f" {operator} ", operator)
    return text


def _by_value(instance: Instance, type: TensorType) -> TensorType:
    """A type with values for params; a size that equals one of the inputs' sizes is written as that one."""
    context = instance.context
    values = context.values(type)
    inputs = [context.values(given) for given in instance.inputs.values() if given]
    known = [size for item in inputs for size in item.shape if size.constant is None]
    return TensorType(
        type.kind, tuple(_as_known(context, size, known) for size in values.shape)
    )


def _as_known(context: Context, size: Dim, known: Sequence[Dim]) -> Dim:
    if size.constant is not None or size in known:
        return size
    alike = (item for item in known if item.symbols == size.symbols)
    return next((item for item in alike if context.domain.equal(item, size)), size)


def _common(types: Sequence[TensorType], names: Sequence[TensorType]) -> str:
    """One type for all copies: each size by value if it is the same in all, else by name or as a range."""
    first = types[0]
    if any(type.rank != first.rank or type.kind != first.kind for type in types):
        return ""
    if all(type == first for type in types):
        return str(first)
    sizes = [
        _size([type.shape[axis] for type in types], [n.shape[axis] for n in names])
        for axis in range(first.rank)
    ]
    return f"{first.kind}[{', '.join(sizes)}]"


def _size(values: Sequence[Dim], names: Sequence[Dim]) -> str:
    if all(value == values[0] for value in values):
        return str(values[0])
    if all(name == names[0] for name in names) and not is_ellipsis(names[0]):
        return str(names[0])
    ends = f"{values[0]}…{values[-1]}"
    return ends if len(ends) <= _MAX_RANGE else "…"
