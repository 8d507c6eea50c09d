"""Types as text, in the form that holds for all copies drawn in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from compiler.diagnostics.text import shorten
from compiler.diagram.views import ScopeView
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance
from compiler.op.context import Context
from compiler.symbolic.dims import Dim, alike
from compiler.symbolic.short_size import short_size
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType, is_ellipsis, shape_text

_MAX_LENGTH = 60  # characters of a type
_MAX_ALIKE = 16  # sizes of inputs that one size is compared with
_MAX_RANGE = 16  # characters of a size that varies


class TypeLabels:
    """Writes types: by value, or if `names` is true in the names of each block."""

    def __init__(self, names: bool) -> None:
        self.names = names
        self._texts: dict[tuple[ScopeView, str, str], str] = {}
        self._short: dict[tuple[ScopeView, str, str], str] = {}
        self._known: dict[Instance, Mapping[object, list[Dim]]] = {}

    def on_edge(self, view: ScopeView, ref: Ref) -> str:
        """The type of a value, as edges show it: `[B, T, 768]`, `[B, H/2]`; "" if unknown."""
        key = view, ref.node, ref.port
        if key not in self._short:
            self._short[key] = self._written(view, ref, short_size)
        return shorten(self._short[key].removeprefix("float"), _MAX_LENGTH)

    def full(self, view: ScopeView, ref: Ref) -> str:
        """The type of a value, `float[B, T, 768]`; "" if unknown."""
        return shorten(self._text(view, ref), _MAX_LENGTH)

    def _text(self, view: ScopeView, ref: Ref) -> str:
        key = view, ref.node, ref.port
        if key not in self._texts:
            self._texts[key] = self._written(view, ref, str)
        return self._texts[key]

    def _written(
        self, view: ScopeView, ref: Ref, size_text: Callable[[Dim], str]
    ) -> str:
        instances = dict.fromkeys(instance.inferred for instance in view.instances)
        found = [
            (self._by_value(instance, type), type)
            for instance in instances
            if (type := instance.type_of(ref)) is not None
        ]
        if not found:
            return ""
        values, names = ([pair[side] for pair in found] for side in (0, 1))
        shown = names if self.names else values
        return _common(shown, names, size_text)

    def _by_value(self, instance: Instance, type: TensorType) -> TensorType:
        """A type with values for params; a size that equals one of the inputs' sizes is written as that one."""
        values = instance.context.values(type)
        if all(size.constant is not None for size in values.shape):
            return values
        known = self._known.get(instance)
        if known is None:
            known = self._known[instance] = _input_sizes(instance)
        shape = (_as_known(instance.context, size, known) for size in values.shape)
        return TensorType(type.kind, tuple(shape))

    def declared(self, view: ScopeView, name: str) -> str:
        """The type of an input, as inferred or else as declared, with a mark if it may be absent.

        It is "" if there is neither type.
        """
        pattern = view.scope.inputs[name]
        written = shorten(str(pattern), _MAX_LENGTH) if pattern is not None else ""
        found = "" if self.names and written else self.full(view, Ref(name))
        if not found:
            return written
        return f"{found}?" if pattern is not None and pattern.optional else found

    def changes(self, view: ScopeView, ref: Ref) -> bool:
        """Whether the type of a layer's output differs from that of its first input."""
        source = view.first_source(ref.node)
        return source is None or self._text(view, ref) != self._text(view, source)


def _input_sizes(instance: Instance) -> Mapping[object, list[Dim]]:
    """The sizes of an instance's inputs that depend on symbols, by these symbols."""
    context = instance.context
    given = dict.fromkeys(kind for kind in instance.inputs.values() if kind)
    sizes = dict.fromkeys(size for kind in given for size in context.values(kind).shape)
    known: dict[object, list[Dim]] = {}
    for size in sizes:
        if size.constant is None:
            known.setdefault(size.symbols, []).append(size)
    return known


def _as_known(context: Context, size: Dim, known: Mapping[object, list[Dim]]) -> Dim:
    if size.constant is not None:
        return size
    similar = known.get(size.symbols, [])[:_MAX_ALIKE]
    if size in similar:
        return size
    return next((item for item in similar if context.domain.equal(item, size)), size)


def _common(
    types: Sequence[TensorType],
    names: Sequence[TensorType],
    size_text: Callable[[Dim], str],
) -> str:
    """One type for all copies: each size by value if it is the same in all, else by name or as a range."""
    first = types[0]
    if any(type.rank != first.rank or type.kind != first.kind for type in types):
        return ""
    if all(type == first for type in types):
        symbols = frozenset[Symbol]().union(*(size.symbols for size in first.shape))
        exact = size_text is str or alike(symbols)
        shape = shape_text(first.shape) if exact else shape_text(first.shape, size_text)
        return f"{first.kind}{shape}"
    sizes = [
        _size(
            [type.shape[axis] for type in types],
            [name.shape[axis] for name in names],
            size_text,
        )
        for axis in range(first.rank)
    ]
    return f"{first.kind}[{', '.join(sizes)}]"


def _size(
    values: Sequence[Dim], names: Sequence[Dim], size_text: Callable[[Dim], str]
) -> str:
    if all(value == values[0] for value in values):
        return size_text(values[0])
    if all(name == names[0] for name in names) and not is_ellipsis(names[0]):
        return size_text(names[0])
    ends = f"{size_text(values[0])}…{size_text(values[-1])}"
    return ends if len(ends) <= _MAX_RANGE else "…"
