"""What a page says of a layer beside its picture: types, parameters, FLOPs, and its lines in the file."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.cost.costs import CostCounter
from compiler.cost.parameter_formulas import FormulaCounter
from compiler.diagnostics.text import printable, shorten
from compiler.diagram.shown_types import TypeLabels
from compiler.diagram.views import LayerView, ScopeView
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Ref, Scope
from compiler.page.json_values import Json, JsonObject
from compiler.page.text_places import TextPlaces
from compiler.symbolic.dims import Dim

_LONGEST = 200  # characters of a formula
_MOST_OUTPUTS = 8


class LayerDescriber:
    """Describes layers, inputs and outputs; what several share is counted once."""

    def __init__(self, parameters: ParameterCounter, places: TextPlaces) -> None:
        self._parameters, self._places = parameters, places
        self._formulas, self._costs = FormulaCounter(), CostCounter()
        self._values, self._names = TypeLabels(names=False), TypeLabels(names=True)

    def layer(self, view: ScopeView, layer: LayerView) -> JsonObject:
        """A layer, as all its runs in a view have it."""
        place = layer.node.place
        found: JsonObject = {
            "op": _runs(layer),
            "text": printable(_description(layer)),
            "types": list(self._types(view, layer)),
            "parameters": self._counted(layer),
            "formula": self._formula(layer),
            "flops": self._flops(layer),
            "count": _count(layer),
            "at": self._places.of(place.span(key=True), place.span()),
        }
        return {key: value for key, value in found.items() if value}

    def port(self, view: ScopeView, name: str, is_output: bool) -> JsonObject:
        """An input or an output of a scope."""
        ref = dict(view.outputs).get(name) if is_output else Ref(name)
        found: JsonObject = {
            "text": "" if is_output else _state(view, name),
            "types": [] if ref is None else list(self._type(view, ref, "")),
            "at": self._place_of_port(view, name, ref, is_output),
        }
        return {key: value for key, value in found.items() if value}

    def _place_of_port(
        self, view: ScopeView, name: str, ref: Ref | None, is_output: bool
    ) -> Json:
        """Where a port is declared; for an output that is not, its layer."""
        ports = view.scope.place.at("outputs" if is_output else "inputs")
        if ports.has(name):
            return self._places.of(ports.at(name).span(key=True), ports.at(name).span())
        node = view.scope.nodes.get(ref.node) if ref is not None else None
        if node is None:
            return None
        return self._places.of(node.place.span(key=True), node.place.span())

    def _types(self, view: ScopeView, layer: LayerView) -> Iterable[Json]:
        """The types of the outputs: name, type by value, and in the names of the scope where they say more."""
        outputs = layer.active_uses[0][1].without_items if layer.active_uses else {}
        ports = list(outputs)[:_MOST_OUTPUTS]
        for port in ports:
            shown = port if len(ports) > 1 else ""
            yield from self._type(view, Ref(layer.node.name, port), shown)

    def _type(self, view: ScopeView, ref: Ref, port: str) -> Iterable[Json]:
        values, names = self._values.full(view, ref), self._names.full(view, ref)
        if values or names:
            yield [port, values or names, names if names != values else ""]

    def _counted(self, layer: LayerView) -> str:
        counts = (self._parameters.node(*use) for use in layer.active_uses)
        return _from_to(f"{count:,}" if count else "" for count in counts)

    def _formula(self, layer: LayerView) -> str:
        found = (self._formulas.node(*use) for use in layer.active_uses)
        return _from_to(map(_text, found))

    def _flops(self, layer: LayerView) -> str:
        found = (self._costs.node(*use).flops for use in layer.active_uses)
        return _from_to(
            "" if size is None or size == 0 else _amount(size) for size in found
        )


def _state(view: ScopeView, name: str) -> str:
    """What an input that is carried from step to step starts from."""
    if view.parent is None:
        return ""
    carry = view.parent.layer(view.name).node.carry.get(name)
    if carry is None:
        return ""
    return f"State that each step takes from the one before; starts from {carry.fill or carry.ref}."


def _count(layer: LayerView) -> int:
    """How often a repeated layer runs; -1 if not always as often, 0 for one without a repeat."""
    if layer.node.layer.repeat is None:
        return 0
    counts = {typed.count for _, typed in layer.active_uses}
    return counts.pop() if len(counts) == 1 else -1


def _runs(layer: LayerView) -> str:
    """The ops or blocks that a layer runs."""
    names = dict.fromkeys(
        "group" if isinstance(one, Scope) and one.kind == "group" else one.name
        for one in layer.targets or ([layer.target] if layer.target else [])
    )
    return printable(" or ".join(names))


def _description(layer: LayerView) -> str:
    own = layer.node.layer.description
    if not own and layer.scope is not None:
        own = layer.scope.description
    return own or ""


def _text(formula: Dim | None) -> str:
    """A formula, where it says more than the number."""
    return "" if formula is None or formula.constant is not None else str(formula)


def _amount(size: Dim) -> str:
    return str(size) if size.constant is None else f"{size.constant:,}"


def _from_to(texts: Iterable[str]) -> str:
    """What holds in all runs; else what holds in the first and in the last."""
    found = list(dict.fromkeys(texts))
    if len(found) > 1:
        return shorten(f"{found[0] or 0} … {found[-1] or 0}", _LONGEST)
    return shorten(found[0], _LONGEST) if found else ""
