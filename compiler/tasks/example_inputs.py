"""What a network takes of an example: an image, a video, a sequence, a text, or a row of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.ir.typed import Instance
from compiler.symbolic.tensor import Kind
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.ports import FREE, PortCheck, Wanted, bound
from compiler.tasks.roles import Role

FORMS: Final[tuple[Form, ...]] = (
    "images",
    "videos",
    "sequences",
    "labelled text",
    "tables",
)
"""The forms of examples that these inputs are for."""

INPUTS: Final = (
    Role("image", "input", "float[B, C, H, W]", "an image"),
    Role("video", "input", "float[B, C, T, H, W]", "a video of T frames"),
    Role("sequence", "input", "float[B, T, C]", "a sequence of vectors"),
    Role("tokens", "input", "int[B, T]", "a text; token 0 is padding"),
    Role(
        "mask", "input", "bool[B, T]", "true at tokens, false at padding", optional=True
    ),
    Role(
        "segment_ids",
        "input",
        "int[B, T]",
        "0 at each token: the text is the first of a pair",
        optional=True,
    ),
    Role(
        "numbers",
        "input",
        "float[B, columns]",
        "the numbers of a row, standardised; if the table has some",
    ),
    Role(
        "categories",
        "input",
        "int[B, columns]",
        "the categories of a row; if the table has some",
    ),
)
"""The roles of the inputs; a network has those of its data."""

_COLUMNS: Final[Mapping[str, Kind]] = {"numbers": "float", "categories": "int"}


def check_inputs(check: PortCheck, net: Instance, facts: DataFacts, name: str) -> None:
    """Report inputs that do not fit the examples of a data set called `name`."""
    roles = list(example_roles(net, facts, check.ports))
    for role, kind, sizes in roles:
        port = check.input(net, role, kind, sizes)
        if port and kind == "int" and role != "segment_ids":
            what = "categories" if role == "categories" else "tokens"
            check.tokens(net, port, facts.vocab, name, what)
    check.fed(net, [role for role, _, _ in roles])


def example_roles(
    net: Instance, facts: DataFacts, ports: Mapping[str, str]
) -> Iterator[tuple[str, Kind, tuple[Wanted, ...]]]:
    """The roles of a network's inputs for examples of some form, each with its type."""
    match facts.form:
        case "images":
            yield "image", "float", (FREE, *(facts.image or (None, None, None)))
        case "videos":
            channels, height, width = facts.image or (None, None, None)
            yield "video", "float", (FREE, channels, facts.frames, height, width)
        case "sequences":
            yield "sequence", "float", (FREE, None, facts.features)
        case "tables":
            yield from _table_roles(net, facts, ports)
        case _:
            yield "tokens", "int", (FREE, None)
            if ports.get("mask", "mask") in net.scope.inputs:
                yield "mask", "bool", (FREE, None)
            if ports.get("segment_ids", "segment_ids") in net.scope.inputs:
                yield "segment_ids", "int", (FREE, None)


def _table_roles(
    net: Instance, facts: DataFacts, ports: Mapping[str, str]
) -> Iterator[tuple[str, Kind, tuple[Wanted, ...]]]:
    """The inputs for the columns that there are; before the table is read, for those that the network has."""
    counts = {"numbers": facts.numbers, "categories": facts.categories}
    for role, kind in _COLUMNS.items():
        count = counts[role]
        found = net.inputs.get(bound(net.inputs, role, ports))
        if count or (count is None and found is not None and found.kind == kind):
            yield role, kind, (FREE, count)
