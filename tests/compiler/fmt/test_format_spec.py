"""`fmt`: the layout, that it is stable, and that comments and values are kept."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics.source import Source
from compiler.fmt.comments import find_comments
from compiler.fmt.format_spec import format_file, format_spec
from compiler.parse.document import to_data
from compiler.parse.parse import parse

SPECS = sorted((*Path("specs").glob("*.yaml"), *Path("recipes").glob("*.yaml")))
LINES = [path.read_text(encoding="utf-8").splitlines() for path in SPECS]


def formatted(text: str) -> str:
    return format_spec(Source("a.yaml", text))


def comments(text: str) -> list[str]:
    return sorted(one.text for one in find_comments(parse(Source("a.yaml", text))))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_specs_have_the_canonical_layout(path: Path) -> None:
    assert format_file(path) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("layers: {a: linear,b: {op: relu}}", "layers:\n  a: linear\n  b: {op: relu}\n"),
        ("name:   'Net'\n\n\n\nparams: {}", "name: Net\n\nparams: {}\n"),
        ('reference: "a: b"', 'reference: "a: b"\n'),
        ("reference: 'say \"no\"'", "reference: say \"no\"\n"),
        ('params: {a: "3", b: True, c: ~}', 'params: {a: "3", b: true, c: null}\n'),
        ("inputs: {x: 'float[B, D]'}", "inputs:\n  x: float[B, D]\n"),
        ("# top\n\nname: A # why\n# end\n", "# top\n\nname: A  # why\n# end\n"),
        ("params: {a: 1, # one\n  b: 2}", "params:\n  a: 1  # one\n  b: 2\n"),
        ("layers:\n- relu\n- op: linear\n  bias: false", "layers:\n  - relu\n  - op: linear\n    bias: false\n"),
        (
            "layers:\n    a: relu\n    # b: relu\noutputs: [a]",
            "layers:\n  a: relu\n  # b: relu\noutputs: [a]\n",
        ),
        (
            "description: |\n    Two\n\n    lines.\nname: A",
            "description: |\n  Two\n\n  lines.\nname: A\n",
        ),
        ("description: | # why\n  Two\n  lines.", "description: |-  # why\n  Two\n  lines.\n"),
        ("layers: {a: {op: linear}, # one\n b: relu # two\n}", "layers:\n  a: {op: linear}  # one\n  b: relu  # two\n"),
    ],
)  # fmt: skip
def test_layout(before: str, after: str) -> None:
    assert formatted(before) == after
    assert formatted(after) == after


def test_a_long_mapping_has_one_line_per_entry() -> None:
    entries = {f"argument_{number}": number for number in range(12)}
    written = ", ".join(f"{name}: {value}" for name, value in entries.items())
    text = formatted(f"layers:\n  a: {{op: linear, {written}}}\n")
    assert text.splitlines()[1:4] == ["  a:", "    op: linear", "    argument_0: 0"]


def test_a_long_text_is_folded() -> None:
    words = " ".join(["word"] * 60)
    text = formatted(f"description: {words}\n")
    assert text.startswith("description: >-\n  word word")
    assert max(map(len, text.splitlines())) <= 120
    assert to_data(parse(Source("a.yaml", text)).root) == {"description": words}


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cf"]),
    max_size=20,
)


@given(st.recursive(
    TEXTS | st.integers(-10, 10) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
))  # fmt: skip
def test_values_are_preserved(value: object) -> None:
    text = f'"key": {json.dumps(value, ensure_ascii=False)}\n'
    source = parse(Source("a.yaml", text)).root
    once = formatted(text)
    assert to_data(parse(Source("a.yaml", once)).root) == to_data(source)
    assert formatted(once) == once


WITHOUT_FOLDS = [
    lines for lines in LINES if not any(line.endswith(": >-") for line in lines)
]
"""Files without folded text, in which a `#` starts no comment."""


@given(
    st.sampled_from(WITHOUT_FOLDS),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 8), st.booleans())),
)
def test_comments_are_kept_anywhere(
    lines: list[str], places: list[tuple[int, int, bool]]
) -> None:
    lines = list(lines)
    for number, (line, indent, alone) in enumerate(places):
        position = line % len(lines)
        if alone:
            lines.insert(position, f"{' ' * indent}# {number}")
        elif "#" not in lines[position]:
            lines[position] += f"  # {number}"
    text = "\n".join(lines)
    once = formatted(text)
    assert comments(once) == comments(text)
    assert formatted(once) == once


@given(st.sampled_from(LINES), st.integers(2, 6))
def test_the_layout_does_not_depend_on_indents(lines: list[str], step: int) -> None:
    wide = []
    for line in lines:
        text = line.lstrip()
        if text.startswith("- "):  # what follows in the item stands below its text
            text = f"-{' ' * (step - 1)}{text[2:]}"
        wide.append(" " * ((len(line) - len(line.lstrip())) // 2 * step) + text)
    assert formatted("\n".join(wide)) == "\n".join(lines) + "\n"
