"""A recorded session: every keystroke of writing a spec, with mistakes as people make them.

Nothing is raised, and no answer is of another text than the present one: a server that has seen all that was typed
answers as one that sees the present text alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

from compiler.diagnostics.diagnostic import RequestError
from compiler.editing.hints import hints, typed_layers
from compiler.editing.name_scopes import layers_on
from compiler.editing.survey import Survey
from compiler.parse.document import MappingNode, SequenceNode
from compiler.pipeline import compile_spec
from layergraph.lsp.open_files import OpenFiles
from layergraph.lsp.replies import Replies

SPECS = Path("specs")
GPT2 = SPECS / "gpt2.yaml"
TEXT = GPT2.read_text(encoding="utf-8")
URI = GPT2.absolute().as_uri()
SLIPS = [
    *"{}[]\"':,#&*!|>%@`$-?.\t ",
    "\n",
    "\n  ",
    "\n      new",
    ": ",
    "{op: ",
    "in: [",
    "wid",
    "é",
    "😀",
    "\u2028",
    "\x00",
    "\r",
    "\ufeff",
    "1e999",
    "99999999999999999999",
    "${x}",
    "<<: *a",
    "---\n",
    "- ",
]


def server() -> Replies:
    codec = PositionCodec(lsp.PositionEncodingKind.Utf16)
    return Replies(OpenFiles(("*.yaml",)), lambda: codec)


def answers(
    replies: Replies, text: str, at: int, version: int, uri: str = URI
) -> dict[str, Any]:
    """All that an editor asks for after a keystroke at an offset."""
    replies.files.put(uri, text, version)
    before = text[:at]
    units = len(before.rpartition("\n")[2].encode("utf-16-le", "surrogatepass")) // 2
    place = lsp.Position(before.count("\n"), units)
    start = lsp.Position(max(place.line - 20, 0), 0)
    window = lsp.Range(start, lsp.Position(place.line + 20, 0))
    return {
        "place": place,
        "diagnostics": replies.diagnostics(uri),
        "hints": replies.hints(uri, window),
        "lenses": replies.lenses(uri),
        "hover": replies.hover(uri, place),
        "completion": replies.completion(uri, place),
        "symbols": replies.symbols(uri),
        "definition": replies.definition(uri, place),
        "highlights": replies.highlights(uri, place),
        "mends": replies.mends(uri, window, versions=False),
    }


def session(texts: Iterable[tuple[str, int]], fresh: int) -> None:
    """Type; every so many texts, compare with a server that sees that text alone."""
    replies = server()
    for number, (text, at) in enumerate(texts):
        found = answers(replies, text, at, number)
        if number % fresh == 0:
            assert found == answers(server(), text, at, number), repr(text[:at][-60:])


def written(step: int) -> Iterator[tuple[str, int]]:
    """The text as it grows, each letter or every so many."""
    yield from ((TEXT[:end], end) for end in range(0, len(TEXT) + 1, step))


def corrected(seed: int, count: int) -> Iterator[tuple[str, int]]:
    """The cursor goes here and there; something is typed or deleted, and mostly put right again."""
    draw, text = random.Random(seed), TEXT
    for _ in range(count):
        at = draw.randrange(len(text))
        if draw.random() < 0.5:
            slip = draw.choice(SLIPS)
            for end in range(1, len(slip) + 1):
                yield text[:at] + slip[:end] + text[at:], at + end
            wrong = text[:at] + slip + text[at:]
        else:
            wrong = text[:at] + text[at + draw.randrange(1, 30) :]
            yield wrong, at
        text = wrong if draw.random() < 0.3 and len(wrong) < 2 * len(TEXT) else TEXT
        yield text, min(at, len(text))


def test_writing_it_from_the_first_letter() -> None:
    session(written(37), fresh=8)


def test_mistakes_in_the_middle() -> None:
    session(corrected(0, 20), fresh=8)


@pytest.mark.deep
def test_every_keystroke() -> None:
    session(written(1), fresh=20)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 11))
def test_many_mistakes(seed: int) -> None:
    session(corrected(seed, 150), fresh=20)


def anywhere(seed: int, count: int) -> None:
    """In files of all kinds, right and wrong: what is asked for at a keystroke, and a rename."""
    draw = random.Random(seed)
    folders = (SPECS, Path("recipes"), Path("tests/features"), Path("tests/mistakes"))
    files = sorted(file for folder in folders for file in folder.rglob("*.yaml"))
    for number in range(count):
        file = draw.choice(files)
        text = file.read_text(encoding="utf-8")
        at, length = draw.randrange(len(text) + 1), draw.randrange(40)
        slip = draw.choice(["", *SLIPS])
        typed = text[:at] + slip + text[at + length * (number % 2) :]
        uri, replies = file.absolute().as_uri(), server()
        place = answers(replies, typed, at, number, uri)["place"]
        replies.references(uri, place, declared=True)
        replies.formatted(uri)
        with suppress(RequestError):
            replies.rename(uri, place, "zqz", versions=False)


def test_files_of_all_kinds() -> None:
    anywhere(0, 40)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 9))
def test_many_files_of_all_kinds(seed: int) -> None:
    anywhere(seed, 500)


@pytest.mark.parametrize("spec", ["gpt2", "resnet18", "t5_small", "unet"])
def test_hints_are_what_the_summary_prints(spec: str) -> None:
    file = SPECS / f"{spec}.yaml"
    text = file.read_text(encoding="utf-8")
    survey = Survey(file, text, {})
    assert survey.whole
    found = {one.span.line: one.text for one in hints(survey)}
    program = compile_spec(file)
    document = program.typed.graph.document
    count = 0
    for name, network in program.summary.networks.items():
        home = ("networks", name) if name else ()
        for row in network.layers:
            types = ", ".join(str(one.values) for one in row.outputs)
            line = document.locate((*home, "layers", row.name), key=True).line
            assert found.get(line, "") == types, row.name
            count += 1
    assert count > 1


def broken(text: str, survey: Survey) -> Iterator[tuple[int, str]]:
    """The text with one layer half written, and the line of that layer."""
    lines = text.split("\n")
    for path, node in layers((), survey.document.root):
        key = survey.document.locate(path, key=True)
        if node.span.line != key.line or node.span.end_line != key.line:
            continue
        line, column = lines[key.line - 1], key.end_column - 1
        for half in (
            ": {op: ",
            ": {op: no_such_op}",
            ":",
            "",
            ": {op: add, in: [none]}",
        ):
            new = f"{line[:column]}{half}"
            yield key.line, "\n".join((*lines[: key.line - 1], new, *lines[key.line :]))


def layers(path: tuple[Any, ...], node: Any) -> Iterator[tuple[Any, Any]]:
    """The layers of a document that have names."""
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.items):
            yield from layers((*path, number), item)
    if isinstance(node, MappingNode):
        for key, value in node.entries:
            below = (*path, key.text)
            if layers_on(below)[-1:] == [below]:
                yield below, value
            yield from layers(below, value)


def check_hints_of_broken(spec: Path, most: int) -> int:
    """What is still known while a layer is half written is what it is in the end, for so many layers about."""
    text = spec.read_text(encoding="utf-8")
    whole = Survey(spec, text, {})
    right = {path: one.types for path, one in typed_layers(whole).items()}
    kept = 0
    halves = [*broken(text, whole)]
    for line, half in halves[:: len(halves) // most + 1]:
        survey = Survey(spec, half, {})
        for path, one in typed_layers(survey).items():
            said = path, line, half.split("\n")[line - 1]
            assert set(one.types) <= set(right[path]), said
            kept += 1
    return kept


@pytest.mark.parametrize("spec", ["gpt2", "transformer", "jamba", "densenet121"])
def test_what_does_not_depend_on_a_half_written_layer_is_known(spec: str) -> None:
    assert check_hints_of_broken(SPECS / f"{spec}.yaml", 30) > 20


@pytest.mark.deep
@pytest.mark.parametrize("spec", sorted(SPECS.glob("*.yaml")), ids=lambda p: p.stem)
def test_half_written_layers_of_every_architecture(spec: Path) -> None:
    check_hints_of_broken(spec, 100)
