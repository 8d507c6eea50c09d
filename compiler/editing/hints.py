"""The shape behind every layer, and the parameters above every network and block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from compiler.cost.costs import CostCounter
from compiler.cost.parameter_formulas import FormulaCounter
from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.editing.survey import Survey
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Place
from compiler.ir.typed import Instance, TypedNode
from compiler.parse.path_error import Path


@dataclass(frozen=True, slots=True)
class Hint:
    """A text behind the characters of a place."""

    span: Span
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TypedLayer:
    """A layer in each of the instances in which its type is known."""

    place: Place
    runs: tuple[tuple[Instance, TypedNode], ...]

    @property
    def types(self) -> tuple[str, ...]:
        """The distinct types of its outputs, as the summary prints them."""
        return tuple(dict.fromkeys(_values(*run) for run in self.runs))

    @property
    def named(self) -> tuple[str, ...]:
        """The same in the names of the scope."""
        return tuple(dict.fromkeys(_names(node) for _, node in self.runs))

    @property
    def text(self) -> str:
        """The type; where it differs from use to use, that in the names of the scope, or the first."""
        if len(self.types) == 1:
            return self.types[0]
        if len(self.named) == 1:
            return self.named[0]
        return f"{self.types[0]} and {len(self.types) - 1} more"


def typed_layers(survey: Survey) -> dict[Path, TypedLayer]:
    """The layers of the file whose types are known, by their paths."""
    typed = survey.typed
    if typed is None:
        return {}
    found: dict[Path, list[tuple[Instance, TypedNode]]] = {}
    places: dict[Path, Place] = {}
    own = typed.graph.document
    for instance in typed.instances:
        sure = survey.trust.sure(instance)
        for name, node in instance.nodes.items():
            place = node.node.place
            if place.document is own and name in sure:
                path = place.beside or place.path
                places[path] = Place(own, path)
                found.setdefault(path, []).append((instance, node))
    return {path: TypedLayer(places[path], tuple(runs)) for path, runs in found.items()}


def hints(survey: Survey) -> tuple[Hint, ...]:
    """A hint behind every layer of the file whose type is known, in the order of the text."""
    file = survey.source.file
    found = [
        Hint(span, layer.text, _detail(layer))
        for layer in typed_layers(survey).values()
        if (span := _end(layer.place)).file == file and layer.text
    ]
    return tuple(sorted(found, key=lambda one: (one.span.line, one.span.column)))


def _end(place: Place) -> Span:
    """Where the text of a layer ends, if that is its line; else behind its name."""
    key, value = place.span(key=True), place.span()
    if value.end_line == key.line and value.line == key.line:
        return _behind(value)
    if not isinstance(place.path[-1], str):
        return _behind(value)
    return Span(
        key.file, key.line, key.end_column + 1, key.line, key.end_column + 1
    )  # the colon


def _behind(span: Span) -> Span:
    return Span(
        span.file, span.end_line, span.end_column, span.end_line, span.end_column
    )


def _values(instance: Instance, node: TypedNode) -> str:
    types = node.without_items.values()
    return ", ".join(str(instance.context.values(one)) for one in types)


def _names(node: TypedNode) -> str:
    return ", ".join(map(str, node.without_items.values()))


def _detail(layer: TypedLayer) -> str:
    named, types = layer.named, layer.types
    lines = list(named) if named[:1] != types[:1] else []
    return "\n".join([*lines, *(types if len(types) > 1 else ())][:8])


def sizes(layer: TypedLayer) -> Iterator[tuple[str, str, str]]:
    """Parameters, their formula, and FLOPs of a layer, for each of its types."""
    counter, formulas, costs = ParameterCounter(), FormulaCounter(), CostCounter()
    seen: set[str] = set()
    for instance, node in layer.runs:
        if (text := _values(instance, node)) in seen:
            continue
        seen.add(text)
        formula = formulas.node(instance, node)
        plain = formula is None or formula.constant is not None
        flops = costs.node(instance, node).flops
        yield (
            f"{counter.node(instance, node):,}",
            "" if plain else str(formula),
            "" if flops is None or flops == 0 else str(flops),
        )


def lenses(survey: Survey) -> tuple[Hint, ...]:
    """The parameters of each network and block of the file whose layers are all known."""
    typed = survey.typed
    if typed is None:
        return ()
    counter, formulas = ParameterCounter(), FormulaCounter()
    found: dict[Span, list[str]] = {}
    for instance in typed.instances:
        scope = instance.scope
        if scope.kind == "group" or not survey.trust.whole(instance):
            continue
        formula = formulas.instance(instance)
        plain = formula is None or formula.constant is not None
        equal = "" if plain else f" = {formula}"
        text = f"{counter.instance(instance):,} parameters{equal}"
        found.setdefault(_home(scope.place), []).append(text)
    file = survey.source.file
    return tuple(
        Hint(span, _merged(texts), "")
        for span, texts in sorted(found.items(), key=lambda one: one[0].line)
        if span.file == file
    )


def _home(place: Place) -> Span:
    """The name of a network or block."""
    if place.path:
        return place.span(key=True)
    return place.document.locate(("name",), key=True)


def _merged(texts: Iterable[str]) -> str:
    known = list(dict.fromkeys(texts))
    if len(known) <= 2:
        return " or ".join(known)
    return f"{known[0]} or {len(known) - 1} other numbers"
