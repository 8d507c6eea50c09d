"""Names of specs: where they are, what they are of, and other names for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.source import Source
from compiler.editing.locate import declarations
from compiler.editing.looks_like_spec import looks_like_spec
from compiler.editing.mentions import mentions
from compiler.editing.rename import edited, rename
from compiler.editing.survey import Survey
from compiler.parse.parse import parse
from compiler.pipeline import compile_spec

FILES = sorted(Path("specs").rglob("*.yaml")) + sorted(Path("recipes").glob("*.yaml"))
OWN = ("op", "argument", "port", "file")
"""Names of the language, and paths."""
NEW = {"block": "Zqz", "dimension": "Zqz"}


def test_a_name_is_where_its_mention_says() -> None:
    count = 0
    for file in FILES:
        source = Source(str(file), file.read_text(encoding="utf-8"))
        for one in mentions(parse(source)):
            line = source.line(one.span.line)
            written = line[one.span.column - 1 : one.span.end_column - 1]
            assert written.strip("'\"") == one.of.name, one
            count += 1
    assert count > 10_000


def test_what_is_used_is_declared() -> None:
    for file in FILES:
        found = mentions(parse(Source(str(file), file.read_text(encoding="utf-8"))))
        declared = {one.of for one in found if one.declares}
        for one in found:
            known = one.of.kind in OWN or one.of in declared
            base = "extends:" in file.read_text() or "network:" in file.read_text()
            assert known or base, (file, one)


def test_all_files_of_the_repository_look_like_specs() -> None:
    assert all(looks_like_spec(file.read_text(encoding="utf-8")) for file in FILES)
    others = [*Path(".github").rglob("*.yml"), *Path().glob("*.y*ml")]
    assert not any(looks_like_spec(one.read_text(encoding="utf-8")) for one in others)


@pytest.mark.parametrize(
    "text",
    [
        "name: x\ndescription: y\ninputs: {}\noutputs: {}\nruns: {using: node20}\n",
        "version: '3'\nservices: {}\nnetworks: {}\nvolumes: {}\n",
        "extends: [standard]\nrules: {}\nenv: {}\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\n",
        "layers:\n  - a\nprovider: aws\nfunctions: {}\nresources: {}\n",
        "",
        "just text",
    ],
)
def test_other_files_do_not(text: str) -> None:
    assert not looks_like_spec(text)


@pytest.mark.parametrize("spec", ["cnn", "vae", "wavenet"])
def test_everything_can_be_renamed_or_says_why(spec: str, tmp_path: Path) -> None:
    """Each name in turn; what comes out has the same numbers."""
    file = Path("specs") / f"{spec}.yaml"
    text = file.read_text(encoding="utf-8")
    before = compile_spec(file).summary
    survey = Survey(file, text, {})
    seen, renamed, reasons = set(), 0, list[str]()
    for one in survey.mentions:
        if one.of in seen or one.of.kind in OWN:
            continue
        seen.add(one.of)
        new = NEW.get(one.of.kind, "zqz")
        try:
            edits = rename(survey, one.span.line, one.span.column, new)
        except RequestError as refused:
            reasons.append(str(refused))
            continue
        path = tmp_path / "renamed.yaml"
        path.write_text(edited(text, edits), encoding="utf-8")
        after = compile_spec(path).summary
        for name, network in before.networks.items():
            other = after.networks.get(name) or after.networks["zqz"]
            assert other.size.parameters == network.size.parameters
            assert len(other.layers) == len(network.layers)
        renamed += 1
    assert renamed > 10
    known = ("published names", "which others may use")
    assert all(any(one in reason for one in known) for reason in reasons), reasons


GROUP = """\
name: Net
params: {n: 2}
inputs: {x: 'float[B, 4]', mask: 'bool[B, 4]?'}
layers:
  a: {op: linear, out_features: 4}
  g:
    in: {y: a, z: x}
    layers:
      b: {op: add, in: [y, z]}
      c: {op: add, in: [b, a]}
    outputs: {out: c}
  d: {op: linear, out_features: n * 2, tie: {weight: a.weight}, when: n > 1}
  e: {op: where, in: {condition: mask, input: d, other: g.out}, when: given(mask), else: d}
outputs: {result: e}
"""


def made(text: str, place: str, new: str) -> str:
    """The text with the name at the place of `|` renamed."""
    plain, before = text.replace(place, place.replace("|", ""), 1), text
    at = before.index(place.replace("|", "")) + place.index("|")
    line = plain[:at].count("\n") + 1
    column = at - (plain[:at].rfind("\n") + 1) + 1
    survey = Survey(Path("net.yaml"), plain, {})
    return edited(plain, rename(survey, line, column, new))


def text_of(text: str, place: str) -> str:
    return text.replace(place, place.replace("|", ""), 1)


@pytest.mark.parametrize(
    ("place", "new", "changed"),
    [
        ("  |a: {op", "first", [("  a:", "  first:"), ("y: a,", "y: first,"), ("[b, a]", "[b, first]"),
                                ("a.weight", "first.weight")]),
        ("{|y: a", "left", [("{y: a", "{left: a"), ("[y, z]", "[left, z]")]),
        ("|n: 2", "m", [("{n: 2}", "{m: 2}"), ("n * 2", "m * 2"), ("n > 1", "m > 1")]),
        ("|mask: '", "keep", [("mask: 'b", "keep: 'b"), ("condition: mask", "condition: keep"),
                              ("given(mask)", "given(keep)")]),
        ("      |b: {op", "sum", [("      b:", "      sum:"), ("[b, a]", "[sum, a]")]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rename_by_scope(
    place: str, new: str, changed: list[tuple[str, str]], end: str
) -> None:
    wanted = GROUP
    for old, text in changed:
        assert wanted.count(old) == 1, old
        wanted = wanted.replace(old, text)
    found = made(GROUP.replace("\n", end), place, new)
    assert found == wanted.replace("\n", end)


def test_a_base_declares_what_a_spec_uses(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(GROUP)
    text = "name: Other\nextends: base.yaml\nlayers:\n  d: {op: relu, in: a}\n"
    file = tmp_path / "other.yaml"
    file.write_text(text)
    survey = Survey(file, text, {})
    [found] = declarations(survey, 4, 21)
    assert (Path(found.file), found.line) == (base, 5)
    [found] = declarations(survey, 2, 12)
    assert (Path(found.file), found.line) == (base, 1)
    with pytest.raises(RequestError, match="also in base"):
        rename(survey, 4, 21, "first")


def test_an_output_that_may_be_absent(tmp_path: Path) -> None:
    file = Path("tests/mistakes/task/absent_output.yaml")
    found = mentions(parse(Source(str(file), file.read_text(encoding="utf-8"))))
    assert [one.span.line for one in found if one.of.name == "aux"] == [9, 11, 11]


def test_with_a_wrong_checkpoint_nothing_is_renamed() -> None:
    file = Path("tests/mistakes/checkpoint/text_in_arithmetic.yaml")
    survey = Survey(file, file.read_text(encoding="utf-8"), {})
    [layer] = [one for one in survey.mentions if one.of.name == "stem" and one.declares]
    with pytest.raises(RequestError, match="cannot be compared"):
        rename(survey, layer.span.line, layer.span.column, "first")
