"""Every spec under tests/mistakes holds mistakes, and says at its top which ones and where.

    # A typo in the name of an op.
    # error[unknown-op] 6:14 ~ "there is no op con2d" ~ "did you mean `conv2d`?"

Each line that begins with `error[` or `warning[` is one diagnostic: its code, the line
and column of its place, and texts that it must say in its message, label, path or help.
Nothing else may be reported. A place in another file has its path before it, `variant:`
and `set:` say how the spec is compiled, and files under a `parts` folder are there to be
imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from compiler import SpecError, compile_spec
from compiler.diagnostics.codes import CODES
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.parse.scalars import resolve
from compiler.pipeline import check_spec

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).parent / "mistakes"
SPECS = sorted(p for p in FOLDER.rglob("*.yaml") if "parts" not in p.parts)

ELSEWHERE = {
    "file-not-found": "no text: tests/compiler/diagnostics/test_source.py",
    "file-unreadable": "no text: tests/compiler/diagnostics/test_source.py",
    "not-utf8": "no text: tests/compiler/diagnostics/test_source.py",
    "too-deep": "long: tests/test_hostile.py",
    "too-many-problems": "long: tests/test_hostile.py",
    "data-not-found": "of the data: tests/runtime/data",
    "data-unreadable": "of the data: tests/runtime/data",
    "data-not-utf8": "of the data: tests/runtime/data",
    "data-empty": "of the data: tests/runtime/data",
    "data-format": "of the data: tests/runtime/data",
    "data-label": "of the data: tests/runtime/data",
    "data-mismatch": "of the data: tests/runtime/data",
    "unchecked": "long: tests/compiler/test_pipeline.py",
    "no-export": "of an export: tests/runtime/export/test_export.py",
    "missing-tensor": "of a file of weights: tests/compiler/checkpoint",
    "tensor-mismatch": "of a file of weights: tests/compiler/checkpoint",
}
"""Codes that no spec here has, why, and where they are tested."""

_EXPECTED = re.compile(
    r"# (?P<severity>error|warning)\[(?P<code>[a-z0-9-]+)\] "
    r"(?:(?P<file>\S+\.yaml):)?(?P<line>\d+):(?P<column>\d+)(?P<said>(?: ~ .*)?)"
)
_OPTION = re.compile(r"# (variant|set): (.*)")


@dataclass(frozen=True)
class Expected:
    """A diagnostic as the top of a spec announces it."""

    place: tuple[str, str, str, int, int]
    said: tuple[str, ...]


def read_expected(path: Path) -> list[Expected]:
    return [
        _expected(path, match) for match in map(_EXPECTED.match, _top(path)) if match
    ]


def _expected(path: Path, match: re.Match[str]) -> Expected:
    file = match["file"] or path.name
    place = int(match["line"]), int(match["column"])
    said = tuple(text.strip()[1:-1] for text in match["said"].split(" ~ ")[1:])
    return Expected((match["severity"], match["code"], file, *place), said)


def _top(path: Path) -> list[str]:
    """The comment that the file starts with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    length = next((n for n, line in enumerate(lines) if line[:2] != "# "), len(lines))
    return lines[:length]


def found(path: Path) -> tuple[Diagnostic, ...]:
    """What is reported of the spec, in all variants or as its top says."""
    options = {m[1]: m[2] for m in map(_OPTION.match, _top(path)) if m}
    name, _, value = options.get("set", "").partition("=")
    settings = {name: resolve(value)} if name else {}
    try:
        if not options:
            return check_spec(path)
        program = compile_spec(
            path, variant=options.get("variant", ""), settings=settings
        )
    except SpecError as error:
        return error.diagnostics
    return program.check()


def _place(path: Path, one: Diagnostic) -> tuple[str, str, str, int, int]:
    file = Path(one.span.file).relative_to(path.parent).as_posix()
    return one.severity, one.code, file, one.span.line, one.span.column


@pytest.mark.parametrize("path", SPECS, ids=lambda p: str(p.relative_to(FOLDER)))
def test_mistake(path: Path) -> None:
    expected = read_expected(path)
    diagnostics = found(path)
    places = sorted(_place(path, one) for one in diagnostics)
    assert places == sorted(one.place for one in expected)
    for one in expected:
        said = next(d for d in diagnostics if _place(path, d) == one.place)
        words = f"{said.message} | {said.label} | in {said.path} | {said.help}"
        assert all(text in words for text in one.said), words


def test_there_are_many_mistakes() -> None:
    assert len(SPECS) >= 80
    assert all(read_expected(path) for path in SPECS)


def test_every_code_has_a_mistake() -> None:
    covered = {one.place[1] for path in SPECS for one in read_expected(path)}
    assert covered | set(ELSEWHERE) == set(CODES)
    assert not covered & set(ELSEWHERE)


@pytest.mark.parametrize("code", ELSEWHERE)
def test_every_other_code_is_tested_where_it_says(code: str) -> None:
    place = ROOT / ELSEWHERE[code].rpartition(": ")[2]
    files = sorted(place.rglob("test_*.py")) if place.is_dir() else [place]
    assert any(code in file.read_text(encoding="utf-8") for file in files)
