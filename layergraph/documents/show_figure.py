"""A figure of a document: compile the spec, and show it; kept until a file that was read changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import (
    Diagnostic,
    DiagramError,
    RequestError,
    SpecError,
)
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.render import render_all
from compiler.diagnostics.source import Source
from compiler.ir.graph import Graph
from compiler.pipeline import Request, compile_to
from compiler.program import Program
from compiler.write_files import write_whole
from layergraph.documents.figure import VIEWS, Figure
from layergraph.documents.shown import Medium, Shown
from layergraph.overrides import compile_chosen
from layergraph.spec_file import spec_file

_SOURCES = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Result:
    """What a figure shows, which files it depends on, and what is wrong with them."""

    shown: Shown
    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A message, and where it belongs: `specs/net.yaml:31:21`, or "" for the directive itself."""

    code: str
    message: str
    at: str = ""


def show_figure(
    figure: Figure, folder: Path, medium: Medium, kept: Path | None = None
) -> Result:
    """What a figure shows.

    A spec that is wrong is drawn as far as it can be; for another view, its errors are shown in its place. Nothing is
    raised for it: the result has the problems.

    Args:
        folder: of the document, to which the spec's path is relative.
        medium: what the document becomes.
        kept: a folder for results of earlier builds; None keeps none.
    """
    # What is shown does not depend on how it stands in the document.
    figure = replace(figure, caption="", alt="", align="center", name="")
    try:
        file = _relative_to_user(_spec_file(figure.spec, folder))
    except OSError as error:
        return _failed(error)
    if kept is None:
        return _show(figure, file, medium)
    entry = kept / f"{_key(figure, file, medium)}.json"
    found = _read(entry)
    if found is None:
        found = _show(figure, file, medium)
        write_whole({entry: _written(found)})
    return found


def _spec_file(spec: str, folder: Path) -> Path:
    """The spec's file, else the shipped spec of that name.

    Raises:
        OSError: if there is none.
    """
    file = folder / spec
    if file.is_file():
        return file
    if Path(spec).suffix or len(Path(spec).parts) != 1:
        raise FileNotFoundError(f"there is no file {spec}")
    return spec_file(spec)


def _relative_to_user(file: Path) -> Path:
    """The path as messages name it."""
    found, here = file.resolve(), Path.cwd()
    return found.relative_to(here) if found.is_relative_to(here) else found


def _show(figure: Figure, file: Path, medium: Medium) -> Result:
    try:
        program = _compiled(file, figure)
    except SpecError as error:
        return _failed(error, _files(file, error.diagnostics))
    except RequestError as error:
        return _failed(error, (file,))
    files = tuple(map(Path, program.sources))
    view = import_module(f"{VIEWS}.{figure.view}")
    try:
        if program.typed.failed and not view.SHOWS_FAULTS:
            raise SpecError(program.diagnostics)
        shown: Shown = view.show(program, figure, medium)
    except (SpecError, RequestError, DiagramError) as error:
        return _failed(error, files)
    return Result(shown, files, tuple(map(_problem, program.diagnostics)))


def _compiled(file: Path, figure: Figure) -> Program:
    """The program of a figure; the other figures of a page have the same one, while its files stay as they are."""
    chosen = file, figure.variant, figure.set
    found = _program(*chosen)
    if any(_text(one) != source.text for one, source in _read_files(found)):
        _program.cache_clear()
        found = _program(*chosen)
    return found


@lru_cache(maxsize=4)
def _program(file: Path, variant: str, sets: tuple[str, ...]) -> Program:
    return compile_chosen(file, variant, sets, limits=Limits(), strict=False)


def _read_files(program: Program) -> Iterator[tuple[Path, Source]]:
    return ((Path(name), source) for name, source in program.sources.items())


def _text(file: Path) -> str | None:
    """What a file has now, as a `Source` has it; None where it cannot be read."""
    try:
        return Source("", file.read_bytes().decode()).text
    except (OSError, ValueError):
        return None


def _files(file: Path, diagnostics: Iterable[Diagnostic]) -> tuple[Path, ...]:
    """The files that were read before a spec was refused."""
    request = Request(file)
    with suppress(SpecError):
        compile_to(Graph, request)
    named = (*request.sources, *(one.span.file for one in diagnostics))
    return tuple(dict.fromkeys((file, *map(Path, named))))


def _failed(error: Exception, files: tuple[Path, ...] = ()) -> Result:
    """An error in place of what cannot be shown."""
    if isinstance(error, SpecError):
        problems = tuple(map(_problem, error.diagnostics))
        text = render_all(error.diagnostics)
    else:
        problems = (Problem("request", str(error)),)
        text = f"error: {error}"
    return Result(Shown("code", text, "text"), files, problems)


def _problem(one: Diagnostic) -> Problem:
    help = f"; {one.help}" if one.help else ""
    return Problem(one.code, f"{one.message}{help}", one.span.at)


def _key(figure: Figure, file: Path, medium: Medium) -> str:
    parts = (_of_layergraph(), json.dumps(asdict(figure)), str(file.resolve()), medium)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@cache
def _of_layergraph() -> str:
    """The state of LayerGraph itself: what an older one has shown is not shown again."""
    files = (
        path
        for name in ("compiler", "layergraph")
        for path in (_SOURCES / name).rglob("*.*")
        if path.suffix != ".pyc"
    )
    states = sorted((str(path), path.stat().st_mtime_ns) for path in files)
    return hashlib.sha256(repr(states).encode()).hexdigest()


def _hash(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _written(result: Result) -> str:
    return json.dumps(
        {
            "files": {str(file.resolve()): _hash(file) for file in result.files},
            "shown": asdict(result.shown),
            "problems": list(map(asdict, result.problems)),
        }
    )


def _read(entry: Path) -> Result | None:
    """A result that was kept, if its files are as they were."""
    try:
        found: Mapping[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    files = {Path(name): stamp for name, stamp in found["files"].items()}
    if any(_hash(file) != stamp for file, stamp in files.items()):
        return None
    shown = found["shown"]
    rows = tuple(map(tuple, shown["rows"]))
    shown = shown | {"columns": tuple(shown["columns"]), "rows": rows}
    problems = (Problem(**one) for one in found["problems"])
    return Result(Shown(**shown), tuple(files), tuple(problems))
