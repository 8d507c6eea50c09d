"""The order of the layers of a spec that extends another: those of the base, then new ones, or where `after` says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.text import listed, shorten
from compiler.parse.document import MappingNode, ScalarNode, YamlNode

Entry = tuple[ScalarNode, YamlNode]

AFTER: Final = "after"
"""The key of a layer that names the layer, or the input, that it comes after."""


def place_layers(
    entries: Mapping[str, Entry],
    own: MappingNode,
    inputs: Collection[str],
    report: Report,
) -> list[Entry]:
    """The layers in their order, without `after`. Those that come after the same one keep the order of the file.

    Args:
        entries: all layers: those of the base in its order, then the new ones.
        own: the layers that the file writes.
        inputs: the inputs of the network.
        report: gets every `after` that leads nowhere.
    """
    after = dict(_targets(own, {**dict.fromkeys(inputs), **entries}, report))
    followers: dict[str, list[str]] = {}
    for name, other in after.items():
        followers.setdefault(other, []).append(name)
    starts = [*inputs, *(name for name in entries if name not in after)]
    order = dict.fromkeys(_in_order(starts, followers))
    for name in after.keys() - order.keys():
        message = f"{shorten(name)} comes after itself"
        report.error("cycle", entries[name][0].span, message)
    return [_without_after(*entries[name], after) for name in order if name in entries]


def _targets(
    own: MappingNode, known: Collection[str], report: Report
) -> Iterator[tuple[str, str]]:
    """The layers of the file that say what they come after, each with that."""
    for key, value in own.entries:
        target = value.get(AFTER) if isinstance(value, MappingNode) else None
        if target is None:
            continue
        name = target.value if isinstance(target, ScalarNode) else None
        if not isinstance(name, str):
            message = f"`{AFTER}` names a layer or an input"
            report.error("bad-type", target.span, message)
        elif name not in known:
            message = f"there is no layer or input {shorten(name)} to come after"
            help = report.like(name, known)
            if not help and not report.full:
                help = f"known here: {listed(known)}"
            report.error("unknown-layer", target.span, message, help=help)
        else:
            yield key.text, name


def _in_order(
    starts: Iterable[str], followers: Mapping[str, list[str]]
) -> Iterator[str]:
    """Names, each before those that follow it."""
    pending = list(starts)[::-1]
    while pending:
        name = pending.pop()
        yield name
        pending += reversed(followers.get(name, []))


def _without_after(key: ScalarNode, value: YamlNode, after: Collection[str]) -> Entry:
    """A layer without the place that it was given."""
    if key.text not in after or not isinstance(value, MappingNode):
        return key, value
    kept = [entry for entry in value.entries if entry[0].text != AFTER]
    return key, MappingNode(tuple(kept), value.span)
