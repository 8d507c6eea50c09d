"""The layers and edges that errors are about."""

from __future__ import annotations

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

    def at(self, view: ScopeView, layer: LayerView) -> tuple[Diagnostic, ...]:
        """The errors of a layer itself."""
        return tuple(error for error in self._errors if _is_at(error, view, layer))

    def inside(self, view: ScopeView, layer: LayerView) -> tuple[Diagnostic, ...]:
        """The errors inside the block or group that a layer runs."""
        scope = layer.scope
        if scope is None:
            return ()
        path = _path(view, layer)
        return tuple(
            error
            for error in self._errors
            if (
                error.layers[: len(path)] == path and len(error.layers) > len(path)
                if error.layers and view.root.scope.kind == "network"
                else _contains(scope.place.span(), error.span)
            )
        )


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


def _is_at(error: Diagnostic, view: ScopeView, layer: LayerView) -> bool:
    steps = error.layers
    if steps and view.root.scope.kind == "network":
        return steps == _path(view, layer)
    if steps and steps[-1] != layer.node.name:
        return False
    return _is_in_layer(error.span, layer) and not (
        layer.scope is not None
        and layer.scope.kind == "group"
        and any(
            _contains(inner.place.span(), error.span)
            for inner in layer.scope.nodes.values()
        )
    )


def _is_in_layer(span: Span, layer: LayerView) -> bool:
    place = layer.node.place
    return _contains(place.span(), span) or place.span(key=True) == span


def _path(view: ScopeView, layer: LayerView) -> tuple[str, ...]:
    return (view.root.scope.name, *view.path, layer.node.name)


def _contains(outer: Span, inner: Span) -> bool:
    return (
        outer.file == inner.file
        and (outer.line, outer.column) <= (inner.line, inner.column)
        and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def _overlap(left: Span, right: Span) -> bool:
    return _contains(left, right) or _contains(right, left)
