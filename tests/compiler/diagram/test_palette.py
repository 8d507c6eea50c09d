"""The colours of families differ in grey and for readers without green cones, and text is readable on them."""

import typing
from collections.abc import Callable
from itertools import combinations

import pytest

from compiler.diagram.themes import _COLOURS, THEMES, Theme
from compiler.op.op import Colour
from tests.compiler.diagram.colour_vision import (
    Triple,
    contrast,
    difference,
    in_grey,
    lab,
    linear,
    without_green_cones,
)

COLOURS: tuple[Colour, ...] = typing.get_args(Colour)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("seen", [without_green_cones, in_grey])
def test_families_differ(theme: Theme, seen: Callable[[Triple], Triple]) -> None:
    fills = {name: _COLOURS[name][theme.name].fill for name in COLOURS}
    looks = {name: lab(seen(linear(fill))) for name, fill in fills.items()}
    for one, other in combinations(COLOURS, 2):
        assert difference(looks[one], looks[other]) >= 8, (one, other)


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_text_is_readable(theme: Theme) -> None:
    for name in COLOURS:
        paint = _COLOURS[name][theme.name]
        assert contrast(paint.fill, paint.ink) >= 4.5, name
    fills = {
        theme.paper,
        theme.block.fill,
        theme.join.fill,
        theme.plain.fill,
        *(level.fill for level in theme.levels),
    }
    for text in (theme.ink, theme.muted, theme.badge, theme.fault):
        for fill in fills:
            assert contrast(fill, text) >= 4.5, (fill, text)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_is_that_of_its_authors(
    one: Triple, other: Triple, expected: float
) -> None:
    assert difference(one, other) == pytest.approx(expected, abs=1e-4)
