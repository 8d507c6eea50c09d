"""The arrows of a picture are those of its network, copy by copy."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from compiler.diagram.draw import draw
from compiler.diagram.drawing import Drawing, Edge
from compiler.diagram.options import DiagramOptions
from compiler.ir.typed import TypedGraph
from tests.compiler.diagram.expansion import Copies, Expansion, expand
from tests.programs import chosen, compiled

FOLDERS = ("specs", "tests/features", "tests/compiler/diagram/arrows")
FILES = sorted(file for folder in FOLDERS for file in Path(folder).glob("*.yaml"))
DEPTHS = (None, 1, 99)


@pytest.mark.parametrize(
    "file", chosen(FILES), ids=lambda file: f"{file.parent.name}-{file.stem}"
)
def test_arrows_are_those_of_some_copy_and_none_is_missing(
    file: Path, pytestconfig: pytest.Config
) -> None:
    """The spec in all depths, its variants and its small sizes in alternating ones; in `make test-deep` in all."""
    for number, typed in enumerate(_variants(file)):
        whole = number == 0 or pytestconfig.getoption("deep")
        for depth in DEPTHS if whole else DEPTHS[number % 3 :][:1]:
            drawing = draw(typed, DiagramOptions(depth=depth))
            if any(box.kind == "elided" for box in drawing.boxes):
                continue
            _check(drawing, expand(typed, drawing))


def _variants(file: Path) -> Iterator[TypedGraph]:
    typed = compiled(file).typed
    yield typed
    for name in typed.graph.spec.variants:
        yield compiled(file, name).typed
    small = Path("tests/small") / file.name
    if small.exists():
        settings = yaml.safe_load(small.read_text()).get("params", {})
        yield compiled(file, settings=settings).typed


def _check(drawing: Drawing, expansion: Expansion) -> None:
    flows, loops = _split(expansion)
    drawn = {
        (edge.source, edge.target): edge
        for edge in drawing.edges
        if edge.kind not in ("tie", "meet")
    }
    drawn_flows = {pair for pair, edge in drawn.items() if edge.kind != "loop"}
    names = expansion.paths
    assert {_named(names, pair) for pair in drawn_flows} == {
        _named(names, pair) for pair in flows
    }
    for pair, edge in drawn.items():
        if edge.kind == "loop":
            assert pair in loops, _named(names, pair)
        else:
            _check_copies(edge, expansion, flows[pair])
    points = {box.id for box in drawing.boxes if box.kind == "port"}
    for pair in loops.keys() - drawn.keys():
        if pair[0] == pair[1] and pair[0] in points:
            continue  # it passes its input on
        level = expansion.common(*pair)
        leaves = any(
            source == pair[0] and expansion.common(source, target) < level
            for source, target in flows
        )
        assert leaves, f"{_named(names, pair)} is a dead end"


def _split(
    expansion: Expansion,
) -> tuple[dict[tuple[str, str], set[tuple[Copies, Copies]]], ...]:
    """The arrows within a copy of what is around both ends, and those from one copy to another."""
    flows: dict[tuple[str, str], set[tuple[Copies, Copies]]] = {}
    loops: dict[tuple[str, str], set[tuple[Copies, Copies]]] = {}
    for pair, found in expansion.arrows.items():
        for copies in found:
            kind = loops if expansion.is_loop(pair, copies) else flows
            kind.setdefault(pair, set()).add(copies)
    return flows, loops


def _check_copies(
    edge: Edge, expansion: Expansion, flows: set[tuple[Copies, Copies]]
) -> None:
    """An arrow that is in fewer copies than both its ends says in how many of what is around them."""
    level = expansion.common(edge.source, edge.target)
    holds = {source[:level] for source, _ in flows}
    ends = (expansion.present[box] for box in (edge.source, edge.target))
    source, target = ({copies[:level] for copies in found} for found in ends)
    told = _copies_told(edge.label)
    where = _named(expansion.paths, (edge.source, edge.target))
    if holds != source & target:
        assert told is not None, where
        assert told == len(holds), where
    elif told is not None:
        assert len(expansion.paths[edge.target]) - 1 > level, where
    instead = (edge.source, edge.target) not in expansion.given
    assert instead == (edge.instead != "") == edge.label.endswith(edge.instead or "-")
    assert (told is not None or instead) == edge.optional


def _copies_told(label: str) -> int | None:
    """How many copies a label names; None if none: `in 2 of 3`, `in all but the last of 30`, `in every 2nd of 26`."""
    text = label.replace(",", "")
    found = re.search(r"in (\d+) of \d+", text)
    if found is not None:
        return int(found[1])
    found = re.search(r"in every (\d+)\w+(?: from the (\d+)\w+)? of (\d+)", text)
    if found is not None:
        step, start, total = int(found[1]), found[2] or found[1], int(found[3])
        return len(range(int(start) - 1, total, step))
    found = re.search(
        r"in (all but )?the (?:first|last|\d+\w+)(?: (\d+))? of (\d+)", text
    )
    if found is None:
        return None
    count = int(found[2] or 1)
    return int(found[3]) - count if found[1] else count


@pytest.mark.parametrize(
    ("label", "count"),
    [
        ("x: [B, 8]", None),
        ("[B, 8] · in 13 of 26", 13),
        ("in 4 of 1,016 (the first of each)", 4),
        ("in all but the last of 1,030", 1029),
        ("in the first 2 of 3", 2),
        ("in every 8th from the 5th of 32", 4),
    ],
)
def test_labels_tell_copies(label: str, count: int | None) -> None:
    assert _copies_told(label) == count


def _named(paths: dict[str, tuple[str, ...]], pair: tuple[str, str]) -> tuple[str, str]:
    return tuple(".".join(paths.get(box, (box,))) for box in pair)  # type: ignore[return-value]
