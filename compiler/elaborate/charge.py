"""The parts of a file and of those it imports, counted before work is done for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.limits import Limits
from compiler.ir.graph import Place, Unit
from compiler.language.layers import Layer
from compiler.language.spec import Block, Network, Spec


def charge(unit: Unit, limits: Limits) -> None:
    """Check that a file asks for no more layers, and no layer for more inputs, than the limits allow.

    Inputs, outputs and params of networks and blocks count as layers.

    Raises:
        SpecError: at the first that is one too many, or has too many inputs.
    """
    report = Report()
    for number, (place, layer) in enumerate(_parts_of(unit, set())):
        if number == limits.layers:
            message = f"there are more than {limits.layers:,} layers, inputs, outputs and params"
            report.error("too-large", place.span(key=True), message)
            break
        if layer is not None and _inputs(layer.input) > limits.inputs:
            message = f"a layer has more than {limits.inputs:,} inputs"
            report.error("too-large", place.at("in").span(), message)
    report.raise_if_failed()


Part = tuple[Place, Layer | None]
"""Where a layer, an input, an output or a param is written; the layer, if it is one."""


def _parts_of(unit: Unit, seen: set[int]) -> Iterator[Part]:
    """The parts of a file, and of the files that it imports."""
    if id(unit) in seen:
        return
    seen.add(id(unit))
    root, spec = Place(unit.document, ()), unit.spec
    yield from _named(root, "params", spec.params)
    yield from _function(root, spec)
    for name, network in (spec.networks or {}).items():
        yield from _function(root.at("networks", name), network)
    for name, block in spec.blocks.items():
        yield from _named(root.at("blocks", name), "params", block.params)
        yield from _function(root.at("blocks", name), block)
    for other in unit.imports.values():
        yield from _parts_of(other, seen)


def _function(place: Place, written: Spec | Network | Block) -> Iterator[Part]:
    yield from _named(place, "inputs", written.inputs or {})
    yield from _inside(place, written.layers or {})
    yield from _named(place, "outputs", written.outputs or {})


def _named(place: Place, key: str, names: Iterable[str]) -> Iterator[Part]:
    return ((place.at(key, name), None) for name in names)


def _inside(place: Place, layers: Mapping[str, Layer]) -> Iterator[Part]:
    for name, layer in layers.items():
        here = place.at("layers", int(name) if name.isdigit() else name)
        yield here, layer
        yield from _inside(here, layer.layers or {})
        for number, one in enumerate(layer.choose or ()):
            there = here.at("choose", number)
            yield there, one
            yield from _inside(there, one.layers or {})


def _inputs(written: object) -> int:
    """How many values a layer reads."""
    if isinstance(written, Mapping):
        return sum(map(_inputs, written.values()))
    return len(written) if isinstance(written, list) else 1
