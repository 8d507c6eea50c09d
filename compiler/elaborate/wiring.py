"""`in` and `carry`: from what a layer says of its inputs to references by port."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from compiler.diagnostics import other_names
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.replacement import did_you_mean
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import listed, shorten
from compiler.ir.graph import Carry, Place, Ref
from compiler.language.layers import Layer
from compiler.op.op import Port
from compiler.symbolic.evaluate import ExpressionError
from compiler.symbolic.tensor import parse_sizes

Ports = tuple[Port, ...] | None
"""The ports of a target; None where they are not known yet, and inputs go by position."""

Given = dict[str, Ref | tuple[Ref, ...]]

EXPERTS, WEIGHTS = "experts", "weights"
"""The ports, beside those of the block, at which routed copies take each token's experts and their weights."""

_FILL = re.compile(r"\s*(zeros|ones)\s*\[(.*)\]\s*", re.DOTALL)


def ref_of(text: str, place: Place) -> Ref:
    """`lstm.hidden` -> the output `hidden` of the layer `lstm`."""
    node, _, port = text.partition(".")
    return Ref(node.strip(), port.strip(), place.path)


def is_routed(layer: Layer) -> bool:
    """Whether the copies of a layer are experts."""
    return layer.repeat is not None and layer.repeat.routed


def with_routing(ports: tuple[Port, ...]) -> tuple[Port, ...]:
    """The ports of a routed layer: the first of its block, those of the routing, and the rest."""
    routing = Port(EXPERTS, ("int",)), Port(WEIGHTS)
    return (*ports[:1], *routing, *ports[1:])


def read_inputs(
    layer: Layer, place: Place, ports: Ports, previous: str, report: Report
) -> Given:
    """The inputs of a layer by port; the value before it where it names none."""
    written = layer.input
    if written is None:
        if ports == () or (ports and ports[0].optional and not previous):
            return {}
        return _by_position(
            [Ref(previous, "", _default_path(place))], ports, place, report
        )
    at = place.at("in")
    if isinstance(written, str):
        return _by_position([ref_of(written, at)], ports, at, report)
    if isinstance(written, list):
        return _by_position(
            [ref_of(text, at.at(i)) for i, text in enumerate(written)],
            ports,
            at,
            report,
        )
    return _by_name(written, ports, at, report)


def parse_carry(text: str, place: Place, report: Report) -> Carry:
    """`zeros[B, hidden]`, `ones[...]`, or the name of a value."""
    match = _FILL.fullmatch(text)
    if match is None:
        return Carry(ref=ref_of(text, place))
    try:
        sizes = parse_sizes(match[2], match.start(2))
    except ExpressionError as error:
        span = place.part(error.start, error.end)
        report.error("bad-expression", span, error.message)
        return Carry("zeros")
    return Carry("ones" if match[1] == "ones" else "zeros", sizes)


def missing_ports(ports: Iterable[Port], given: Mapping[str, object]) -> list[str]:
    """The ports that need an input and have none."""
    return [port.name for port in ports if not port.optional and port.name not in given]


def by_port(
    given: Mapping[str, Ref | tuple[Ref, ...]],
    ports: tuple[Port, ...],
    place: Place,
    report: Report,
) -> Given:
    """Inputs that went by position, by port: the target has become known."""
    if any(not key.isdigit() for key in given):
        return _by_name_refs(dict(given), ports, place, report)
    refs = [
        ref
        for value in given.values()
        for ref in (value if isinstance(value, tuple) else (value,))
    ]
    return _by_position(refs, ports, place, report)


def _span(place: Place) -> Span:
    """Where a layer says what its inputs are; its name, where it does not."""
    return place.span(key=place.path[-1:] != ("in",))


def _default_path(place: Place) -> tuple[str | int, ...]:
    return place.path


def _by_position(refs: list[Ref], ports: Ports, place: Place, report: Report) -> Given:
    if ports is None:
        return {str(position): ref for position, ref in enumerate(refs)}
    if ports and ports[0].variadic:
        return {ports[0].name: tuple(refs)}
    if len(refs) > len(ports):
        names = listed(port.name for port in ports)
        message = f"there are {len(refs)} inputs for {len(ports)} port{'s' * (len(ports) != 1)} ({names})"
        report.error("too-many-inputs", place.span(len(ports)), message)
    given: Given = {port.name: ref for port, ref in zip(ports, refs, strict=False)}
    _require(ports, given, place, report)
    return given


def _by_name(
    written: Mapping[str, str | list[str]], ports: Ports, place: Place, report: Report
) -> Given:
    given: Given = {}
    for name, value in written.items():
        at = place.at(name)
        if isinstance(value, list):
            given[name] = tuple(ref_of(text, at.at(i)) for i, text in enumerate(value))
        else:
            given[name] = ref_of(value, at)
    return given if ports is None else _by_name_refs(given, ports, place, report)


def _by_name_refs(
    given: Given, ports: tuple[Port, ...], place: Place, report: Report
) -> Given:
    kept: Given = {}
    known = {port.name: port for port in ports}
    for name, value in given.items():
        if name not in known:
            meant = other_names.port(name, known)
            like = did_you_mean(name, meant) if meant else report.like(name, known)
            help = like or f"it takes {listed(known, 'no inputs')}"
            report.error(
                "unknown-port",
                place.span(name, key=True),
                f"there is no input {shorten(name)}",
                help=help,
            )
            continue
        kept[name] = _fitted(known[name], value, place.at(name), report)
    if len(kept) == len(given):  # or the one that is missing is the one that is unknown
        _require(ports, kept, place, report)
    return kept


def _fitted(
    port: Port, value: Ref | tuple[Ref, ...], place: Place, report: Report
) -> Ref | tuple[Ref, ...]:
    if port.variadic:
        return value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple):
        report.error("too-many-inputs", place.span(), f"{port.name} takes one value")
        return value[0]
    return value


def _require(
    ports: tuple[Port, ...], given: Given, place: Place, report: Report
) -> None:
    missing = missing_ports(ports, given)
    if missing:
        wanted = listed(port.name + "?" * port.optional for port in ports)
        message = f"nothing is connected to the input {listed(missing)}"
        help = f"it takes {wanted}: write in: [{listed(p.name for p in ports if not p.optional)}] with their sources"
        report.error("missing-input", _span(place), message, help=help)
