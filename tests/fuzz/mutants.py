"""Damaged specs through every command: each gives a result or says what is wrong, in bounded time.

The texts of specs are damaged as typing, merging and pasting do it, their trees as a program would, their bytes as a
bad disk does. `check` and the other commands agree on what is right.
"""

from __future__ import annotations

import random
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import click

from compiler.diagnostics.diagnostic import (
    Diagnostic,
    DiagramError,
    RequestError,
    SpecError,
)
from compiler.diagnostics.render import as_json, render
from compiler.diagnostics.source import Source
from compiler.parse.document import to_data
from compiler.parse.parse import parse
from compiler.pipeline import check_spec, compile_spec
from tests.fuzz.judge import (
    OK,
    REFUSED,
    CommandFailed,
    Outcome,
    raised,
    run,
    run_commands,
)
from tests.mutants import mutant, tree_mutant

ROOT = Path(__file__).parents[2]
SECONDS = 30
"""Of processor time, for all commands on one file: more is taken for a hang."""

_WRONG = (
    *("summary", "expand", "dump --stage document", "dump --stage graph"),
    *("dump --stage typed", "diagram -o FILE.dot", "diagram -o FILE.mmd", "fmt"),
)
"""Commands that a wrong spec is given to, too."""


class Hang(Exception):
    """A command takes too long."""


def judge_mutant(seed: int) -> tuple[int, Outcome]:
    """What comes of the damaged spec of a seed."""
    return seed, judge_bytes(mutated(seed))


def mutated(seed: int) -> bytes:
    """A damaged spec; the same for one seed."""
    texts = _texts()
    draw = random.Random(seed)
    text, other = draw.choice(texts), draw.choice(texts)
    how = seed % 3
    if how == 0:
        return mutant(text, other, seed).encode()
    if how == 1:
        return tree_mutant(_tree(text), _tree(other), seed).encode()
    return _damaged(text.encode(), draw)


def judge_bytes(data: bytes) -> Outcome:
    """Give a file to every command: ok, refused, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder, _bounded():
        path = Path(folder) / "spec.yaml"
        path.write_bytes(data)
        try:
            found = check_spec(path)
        except SpecError as error:
            found = error.diagnostics
        except Exception as error:  # noqa: BLE001 - any other is a fault, and told
            return raised("check", error)
        try:
            _shown(found, path)
        except Exception as error:  # noqa: BLE001
            return raised("diagnostics", error)
        wrong = [one.code for one in found if one.severity == "error"]
        if wrong:
            return _all_refuse(path) or Outcome(REFUSED, wrong[0])
        return run_commands(compile_spec(path), path) or Outcome(OK)


def _all_refuse(path: Path) -> Outcome | None:
    """What came of a command that neither takes a wrong spec nor says what is wrong."""
    for line in _WRONG:
        name, *options = line.split()
        try:
            run(name, path, *(one.replace("FILE", str(path)) for one in options))
        except (SpecError, RequestError, DiagramError, OSError, CommandFailed):
            continue
        except click.ClickException:
            continue
        except Exception as error:  # noqa: BLE001
            return raised(name, error)
    return None


def _shown(found: tuple[Diagnostic, ...], path: Path) -> None:
    """Diagnostics are text, and data with places."""
    text = path.read_bytes().decode("utf-8", "replace")
    source = Source(str(path), text)
    assert not found or render(found, {source.file: source})
    assert all(one["line"] >= 1 and one["column"] >= 1 for one in as_json(found))


@contextmanager
def _bounded() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise Hang(f"after {SECONDS} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _damaged(data: bytes, draw: random.Random) -> bytes:
    """Bytes with one to eight of them lost, doubled, changed, or a piece moved."""
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4, 8))):
        at, how = draw.randrange(len(found)), draw.randrange(5)
        if how == 0:
            del found[at]
        elif how == 1:
            found.insert(at, found[at])
        elif how == 2:
            found[at] = draw.randrange(256)
        elif how == 3:
            found[at] = draw.choice(b" \t\n:-,[]{}#&*!|>'\"%@`\\$0")
        else:
            piece = found[at : at + draw.randrange(1, 40)]
            to = draw.randrange(len(found))
            found[to:to] = piece
    return bytes(found)


@cache
def _texts() -> tuple[str, ...]:
    """The specs to damage: small ones of all structures, and the shipped ones that are short."""
    folders = ("tests/faults", "tests/features", "specs")
    paths = (path for one in folders for path in sorted((ROOT / one).glob("*.yaml")))
    texts = (path.read_text(encoding="utf-8") for path in paths)
    return tuple(text for text in texts if len(text) < 3_000)


@cache
def _tree(text: str) -> Any:
    return to_data(parse(Source("spec", text)).root)
