"""Which layers and edges the errors of a graph are about."""

from __future__ import annotations

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import Span
from compiler.diagram.views import Frame, Layer
from compiler.ir.graph import Ref
from compiler.ir.typed import TypedGraph

# What is wrong with these is what comes in.
_INCOMING = (
    "shape-mismatch",
    "kind-mismatch",
    "rank-mismatch",
    "pattern-mismatch",
    "size-too-small",
    "constraint",
    "repeat-mismatch",
    "carry-mismatch",
)


class Blame:
    """The errors of a graph, by the places that they are at."""

    def __init__(self, typed: TypedGraph) -> None:
        self._errors = [
            (error, _steps(error.path))
            for error in typed.diagnostics
            if error.severity == "error"
        ]

    @property
    def any(self) -> bool:
        """Whether there is an error at all."""
        return bool(self._errors)

    def at(self, frame: Frame, layer: Layer) -> tuple[Diagnostic, ...]:
        """The errors of a layer itself."""
        return tuple(
            error for error, steps in self._errors if _is_at(error, steps, frame, layer)
        )

    def inside(self, frame: Frame, layer: Layer) -> tuple[Diagnostic, ...]:
        """The errors of what a block or group holds."""
        scope = layer.scope
        if scope is None:
            return ()
        here = _path(frame, layer)
        return tuple(
            error
            for error, steps in self._errors
            if (
                steps[: len(here)] == here and len(steps) > len(here)
                if steps and frame.root.scope.kind == "network"
                else _contains(scope.place.span(), error.span)
            )
        )


def edge_is_faulty(layer: Layer, ref: Ref, errors: tuple[Diagnostic, ...]) -> bool:
    """Whether one of a layer's errors is about this input of it."""
    place = layer.node.place
    for error in errors:
        if layer.node.layer.input is None:
            if error.code in _INCOMING:
                return True
        elif _touches(error.span, place.document.locate(ref.path)):
            return True
    return False


def _is_at(
    error: Diagnostic, steps: tuple[str, ...], frame: Frame, layer: Layer
) -> bool:
    if steps and frame.root.scope.kind == "network":
        return steps == _path(frame, layer)
    if steps and steps[-1] != layer.node.name:
        return False
    return _holds(layer, error.span) and not (
        layer.scope is not None
        and layer.scope.kind == "group"
        and any(
            _contains(inner.place.span(), error.span)
            for inner in layer.scope.nodes.values()
        )
    )


def _holds(layer: Layer, span: Span) -> bool:
    place = layer.node.place
    return _contains(place.span(), span) or place.span(key=True) == span


def _path(frame: Frame, layer: Layer) -> tuple[str, ...]:
    return (frame.root.scope.name, *frame.path, layer.node.name)


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step.partition("[")[0] for step in path.split(".")) if path else ()


def _contains(outer: Span, inner: Span) -> bool:
    return (
        outer.file == inner.file
        and (outer.line, outer.column) <= (inner.line, inner.column)
        and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def _touches(left: Span, right: Span) -> bool:
    return _contains(left, right) or _contains(right, left)
