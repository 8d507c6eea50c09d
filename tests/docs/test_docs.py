"""The documents are correct: examples compile and run, and errors are as the compiler prints them.

In a document, a ```yaml block is a spec. Blocks that start with `# file: PATH` are in one
folder with the others of their section. A ```python block after a spec is part of the
generated code. A ```text block that starts with `error[` or `warning[` is what the compiler
prints; `python -m tests.docs.test_docs` updates those of docs/language.md.
"""

from __future__ import annotations

import contextlib
import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from compiler import Program, SpecError, compile_spec
from compiler.diagnostics.limits import UNLIMITED, Limits
from compiler.diagnostics.render import read_sources, render
from compiler.language.checkpoint import SOURCES, STEPS, Section
from compiler.language.initializers import Initializer
from compiler.language.layers import Layer, Repeat
from compiler.language.params import TYPE_NAMES, DimRange, Param
from compiler.language.spec import Block, Expect, Network, Spec
from compiler.op.find_modules import module_names
from layergraph.__main__ import Commands
from layergraph.documents.figure import OPTIONS, VIEWS
from runtime.verify import verify

ROOT = Path(__file__).resolve().parents[2]
LANGUAGE, README = ROOT / "docs/language.md", ROOT / "README.md"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
INDEX, DOCUMENTS_PAGE = ROOT / "docs/index.md", ROOT / "docs/documents.md"
EXAMPLE = ROOT / "docs/examples/conv_mixer.yaml"

SIZES = {".svg": 40_000, ".png": 30_000}
"""Maximum size of an image in the documents, in bytes."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FILE = re.compile(r"# file: (\S+)\n")
_PROBLEM = re.compile(r"(error|warning)\[")


@dataclass
class Example:
    """A spec in a document, with the results that the document shows."""

    line: int
    file: str
    text: str
    folder: dict[str, str]
    """The files in its folder, itself included."""
    problems: str = ""
    python: list[str] = field(default_factory=list)

    def compile(self, folder: Path) -> tuple[Program | None, str]:
        """The program, or None, and what is printed; to be called inside `folder`."""
        for name, text in self.folder.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        try:
            program = compile_spec(self.file)
        except SpecError as error:
            shown = render(error.diagnostics, read_sources(error.diagnostics))
            return None, shown
        return program, render(program.check(), program.sources)


def examples(document: Path) -> list[Example]:
    """The specs of a document, in order."""
    found: list[Example] = []
    folders: dict[int, dict[str, str]] = {}
    for line, section, language, text in _fences(document):
        if language == "yaml":
            named = _FILE.match(text)
            file = named[1] if named else "net.yaml"
            folder = folders.setdefault(section, {}) if named else {}
            folder[file] = text
            found.append(Example(line, file, text, folder))
        elif language == "python":
            found[-1].python.append(text)
        elif language == "text" and _PROBLEM.match(text):
            found[-1].problems = text
    return found


def _fences(document: Path) -> Iterator[tuple[int, int, str, str]]:
    """The line, section, language and text of every code block."""
    text = document.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    inside = [range(*fence.span()) for fence in fences]
    sections = [
        heading.start()
        for heading in _HEADING.finditer(text)
        if not any(heading.start() in block for block in inside)
    ]
    for fence in fences:
        section = max((s for s in sections if s < fence.start()), default=0)
        line = text.count("\n", 0, fence.start()) + 1
        yield line, section, fence[1], fence[2]


@pytest.mark.parametrize(
    "example",
    [pytest.param(one, id=f"line {one.line}") for one in examples(LANGUAGE)],
)
def test_examples_of_the_language(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program, printed = example.compile(tmp_path)
    assert printed == example.problems
    if program is not None:
        # By the constructor with all values of the params; one in four is compiled, too.
        verified = verify(program, compile_every=4, offset=example.line % 4)
        assert verified.problems == ()
        for part in example.python:
            assert part in program.python


def test_the_language_page_has_every_key() -> None:
    text = LANGUAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text))
    models = (Spec, Network, Block, Layer, Repeat, Param, DimRange, Expect, Section)
    keys = {
        field.alias or name
        for model in models
        for name, field in model.model_fields.items()
    } | {*SOURCES, *STEPS, "over", "dim"}
    functions = Initializer.members()
    arguments = (key for one in functions.values() for key in one.model_fields)
    words = {*TYPE_NAMES, *arguments}
    assert keys <= named
    assert {*functions, *words} <= named | set(re.findall(r"`(\w+\[\])`", text))


@pytest.mark.parametrize("limits", [Limits(), UNLIMITED], ids=["limits", "no limits"])
def test_the_language_page_has_the_limits(limits: Limits) -> None:
    table = LANGUAGE.read_text(encoding="utf-8").partition("## Limits")[2]
    named = {cell.strip() for cell in table.split("|")}
    for limit in (
        "nodes",
        "scalar",
        "depth",
        "nesting",
        "instances",
        "repeat",
        "extends",
    ):
        number = getattr(limits, limit)
        assert {f"{number:,}", f"2^{number.bit_length() - 1}"} & named, limit


def test_the_readme_has_the_example() -> None:
    (example,) = [one for one in examples(README) if one.text.startswith("name:")]
    assert example.text == EXAMPLE.read_text(encoding="utf-8")
    (code,) = example.python
    program = compile_spec(EXAMPLE)
    assert code == program.python[program.python.index("class ") :]


def test_the_readme_has_an_error_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = [one for one in examples(README) if one.problems]
    wrong = example.text.replace("padding: radius", "padding: 2 * radius")
    monkeypatch.chdir(tmp_path)
    name = EXAMPLE.name
    program, printed = Example(0, name, wrong, {name: wrong}).compile(tmp_path)
    assert program is None
    assert printed == example.problems


def test_the_first_page_has_an_error_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shown,) = [text for _, _, language, text in _fences(INDEX) if language == "text"]
    spec = (ROOT / "docs/examples/residual.yaml").read_text(encoding="utf-8")
    before, _, block = spec.rpartition("padding: 1")
    wrong = f"{before}padding: 1, stride: 2{block}"
    monkeypatch.chdir(tmp_path)
    name = "residual.yaml"
    _, printed = Example(0, name, wrong, {name: wrong}).compile(tmp_path)
    assert printed == shown


def test_the_page_of_documents_has_every_option() -> None:
    named = set(re.findall(r"`(\w+)`", DOCUMENTS_PAGE.read_text(encoding="utf-8")))
    assert set(OPTIONS) | set(module_names(VIEWS)) <= named


def test_the_page_of_commands_names_every_one() -> None:
    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([a-z]+)(?: [^`]*)?` \|", text, re.MULTILINE))
    assert named == set(Commands().commands)


def test_the_readme_names_every_architecture() -> None:
    table = README.read_text(encoding="utf-8").partition("## Architectures")[2]
    named = set(re.findall(r"`(\w+\.yaml)`", table))
    assert named == {path.name for path in (ROOT / "specs").glob("*.yaml")}


def test_the_readme_counts_the_architectures() -> None:
    """Those of the zoo's table, and those of them that it has a reference of."""
    zoo = (ROOT / "docs/zoo.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[\w+\]\(#.*\|([^|]*)\|$", zoo, re.MULTILINE)
    equal = sum(bool(reference.strip()) for reference in rows)
    told = f"{len(rows)} architectures, {equal} of them equal to published classes"
    assert told in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", [ROOT / "specs/gpt2.yaml", EXAMPLE], ids=str)
def test_images_are_current(spec: Path) -> None:
    drawn = compile_spec(spec).diagram().svg
    picture = ROOT / f"docs/images/{spec.stem}.svg"
    assert picture.read_text(encoding="utf-8") == drawn, "run `make docs`"


def test_images_are_few() -> None:
    """Images that can be made again are built, not committed: `make zoo`, `make results`."""
    pictures = [path for path in (ROOT / "docs").rglob("*.*") if path.suffix in SIZES]
    assert sum(path.suffix == ".svg" for path in pictures) <= 10
    large = [p.name for p in pictures if p.stat().st_size > SIZES[p.suffix]]
    assert not large


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_examples_in_python(document: Path) -> None:
    options = doctest.ELLIPSIS
    found = doctest.testfile(str(document), module_relative=False, optionflags=options)
    assert found.failed == 0


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_have_targets(document: Path) -> None:
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    links = re.findall(r'(?:\]\(|src=")([^)"\s]+)', text)
    for link in links:
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def _anchors(document: Path) -> set[str]:
    """The anchors that a forge gives to the headings of a document."""
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", title) for title in _HEADING.findall(text))
    return {title.lower().replace(" ", "-") for title in plain}


def _update() -> None:
    """Update the printed errors in docs/language.md."""
    text = LANGUAGE.read_text(encoding="utf-8")
    for example in examples(LANGUAGE):
        with TemporaryDirectory() as folder, contextlib.chdir(folder):
            _, printed = example.compile(Path(folder))
        if example.problems and printed:
            head = f"{example.text}```\n\n```text\n"
            text = text.replace(head + example.problems, head + printed, 1)
    LANGUAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _update()
