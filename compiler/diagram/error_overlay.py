"""The layers and edges that errors are about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import Span
from compiler.diagram.views import LayerView, ScopeView
from compiler.ir.graph import Ref
from compiler.ir.typed import TypedGraph

# Errors about a layer's inputs.
_INPUT_ERRORS = (
    "shape-mismatch",
    "kind-mismatch",
    "rank-mismatch",
    "pattern-mismatch",
    "size-too-small",
    "constraint",
    "repeat-mismatch",
    "carry-mismatch",
    "not-causal",
)


class ErrorOverlay:
    """The errors of a graph, by layer."""

    def __init__(self, typed: TypedGraph) -> None:
        self._errors = [
            error for error in typed.diagnostics if error.severity == "error"
        ]
        self._at: dict[tuple[str, ...], list[int]] = defaultdict(list)
        """The errors of a layer by its path."""
        self._inside: dict[tuple[str, ...], list[int]] = defaultdict(list)
        """The errors inside a block or group by the path of its layer."""
        for number, error in enumerate(self._errors):
            if error.layers:
                self._at[error.layers].append(number)
            for length in range(1, len(error.layers)):
                self._inside[error.layers[:length]].append(number)
        self._by_start = sorted(
            (_start(error.span), number) for number, error in enumerate(self._errors)
        )

    def at(self, view: ScopeView, layer: LayerView) -> tuple[Diagnostic, ...]:
        """The errors of a layer itself."""
        place, name = layer.node.place, layer.node.name
        found = self._within(place.span())
        found |= self._at_place(place.span(key=True))
        if layer.scope is not None and layer.scope.kind == "group":
            for inner in layer.scope.nodes.values():
                found -= self._within(inner.place.span())
        if view.root.scope.kind == "network":
            found = {n for n in found if not self._errors[n].layers}
            found.update(self._at.get(_path(view, layer), ()))
        else:
            found = {n for n in found if self._errors[n].layers[-1:] in ((), (name,))}
        return self._select(found)

    def inside(self, view: ScopeView, layer: LayerView) -> tuple[Diagnostic, ...]:
        """The errors inside the block or group that a layer runs."""
        if layer.scope is None:
            return ()
        found = self._within(layer.scope.place.span())
        if view.root.scope.kind == "network":
            found = {n for n in found if not self._errors[n].layers}
            found.update(self._inside.get(_path(view, layer), ()))
        return self._select(found)

    def _within(self, outer: Span) -> set[int]:
        """The errors whose place is in a span."""
        end = (outer.file, outer.end_line, outer.end_column)
        first = bisect_left(self._by_start, (_start(outer), -1))
        last = bisect_right(self._by_start, (end, len(self._errors)))
        return {
            number
            for _, number in self._by_start[first:last]
            if _contains(outer, self._errors[number].span)
        }

    def _at_place(self, span: Span) -> set[int]:
        """The errors whose place is a span."""
        return {n for n in self._within(span) if self._errors[n].span == span}

    def _select(self, numbers: set[int]) -> tuple[Diagnostic, ...]:
        return tuple(self._errors[number] for number in sorted(numbers))


def edge_has_error(layer: LayerView, ref: Ref, errors: tuple[Diagnostic, ...]) -> bool:
    """Whether one of a layer's errors is about its input `ref`."""
    place = layer.node.place
    for error in errors:
        if layer.node.layer.input is None:
            if error.code in _INPUT_ERRORS:
                return True
        elif _overlap(error.span, place.document.locate(ref.path)):
            return True
    return False


def _path(view: ScopeView, layer: LayerView) -> tuple[str, ...]:
    return (view.root.scope.name, *view.path, layer.node.name)


def _start(span: Span) -> tuple[str, int, int]:
    return span.file, span.line, span.column


def _contains(outer: Span, inner: Span) -> bool:
    return (
        outer.file == inner.file
        and (outer.line, outer.column) <= (inner.line, inner.column)
        and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def _overlap(left: Span, right: Span) -> bool:
    return _contains(left, right) or _contains(right, left)
