"""No text lies on text, no border and no arrow on text, in all styles."""

import pytest

from tests.compiler.diagram.overlaps import overlaps
from tests.compiler.diagram.specs import SPECS
from tests.programs import compiled

SAMPLE = (
    "bart_base",
    "cyclegan",
    "densenet121",
    "gat",
    "gemma3",
    "inception_v3",
    "mamba_130m",
    "mixtral",
    "pointer_generator",
    "tft",
    "transformer",
    "unet",
)


@pytest.mark.parametrize("spec", SAMPLE)
def test_nothing_lies_over_text(spec: str) -> None:
    assert overlaps(compiled(spec).diagram().svg) == []
    assert overlaps(compiled(spec).diagram(direction="LR").svg) == []


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_styles_differ_in_colour_alone(theme: str) -> None:
    svg = compiled("gpt2").diagram(theme=theme, key=True).svg  # type: ignore[arg-type]
    assert overlaps(svg) == []


@pytest.mark.deep
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
@pytest.mark.parametrize("theme", ["light", "dark", "print"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_nothing_lies_over_text_in_any_style(
    spec: object, theme: str, direction: str
) -> None:
    drawn = compiled(spec).diagram(theme=theme, direction=direction)  # type: ignore[arg-type]
    assert overlaps(drawn.svg) == []


OVER = """
<svg xmlns="http://www.w3.org/2000/svg" width="100pt" viewBox="0 0 100 100">
  <g class="node" id="a"><path stroke="#000" d="{path}"/>
    <text x="10" y="20" font-size="10">one</text></g>
  <g class="edge" id="b"><path d="M0,17C0,17 {end},17 {end},17"/>
    <text x="{at}" y="20" font-size="10">two</text></g>
</svg>
"""
FAR = "M0,90C0,90 9,90 9,90"


@pytest.mark.parametrize(
    ("path", "end", "at", "count"),
    [
        (FAR, 5, 50, 0),
        (FAR, 40, 50, 1),  # the arrow over "one"
        (FAR, 5, 20, 1),  # "two" over "one"
        ("M15,0C15,10 15,20 15,40", 5, 50, 1),  # the border over "one"
    ],
)
def test_each_overlap_is_found(path: str, end: int, at: int, count: int) -> None:
    found = overlaps(OVER.format(path=path, end=end, at=at))
    assert len([one for one in found if not one.endswith("leaves it")]) == count


@pytest.mark.parametrize(("right", "count"), [(80, 0), (20, 1)])
def test_text_that_leaves_its_box_is_found(right: int, count: int) -> None:
    path = f"M5,5C5,5 {right},5 {right},5 C{right},5 {right},30 {right},30"
    found = overlaps(OVER.format(path=path, end=0, at=200))
    assert len([one for one in found if one.endswith("leaves it")]) == count
