"""What the language server spends after a keystroke, while gpt2.yaml is written and once it is there."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import ROOT
from layergraph.lsp.open_files import OpenFiles
from layergraph.lsp.replies import Replies

_GPT2: Final = ROOT / "specs" / "gpt2.yaml"
_STEP: Final = 13
"""Every so many keystrokes of writing the file are measured."""
_WHOLE: Final = lsp.Range(lsp.Position(0, 0), lsp.Position(10_000, 0))
_SHARE: Final = 0.95


def requests(
    replies: Replies, uri: str, place: lsp.Position
) -> dict[str, Callable[[], Any]]:
    """What an editor asks for after a keystroke at a place."""
    return {
        "diagnostics": lambda: replies.diagnostics(uri),
        "hints": lambda: replies.hints(uri, _WHOLE),
        "completion": lambda: replies.completion(uri, place),
        "hover": lambda: replies.hover(uri, place),
        "symbols": lambda: replies.symbols(uri),
        "code lens": lambda: replies.lenses(uri),
        "references": lambda: replies.references(uri, place, declared=True),
    }


def _typed() -> Iterator[tuple[str, lsp.Position]]:
    """The text as it is written, with the place of the cursor; then as a whole, a character of it changed."""
    text = _GPT2.read_text(encoding="utf-8")
    for end in range(_STEP, len(text), _STEP):
        yield text[:end], _place(text[:end])
    for at in range(0, len(text), 25 * _STEP):
        yield f"{text[:at]} {text[at:]}", _place(text[:at])
        yield text, _place(text[:at])


def _place(before: str) -> lsp.Position:
    return lsp.Position(before.count("\n"), len(before.rpartition("\n")[2]))


def _measure(rounds: int) -> Figures:
    """Seconds of processor time of each request, asked for first of all after a keystroke."""
    codec = PositionCodec(lsp.PositionEncodingKind.Utf16)
    uri = _GPT2.as_uri()
    times: dict[str, list[float]] = {}
    gc.freeze()
    for number in range(rounds + 1):
        for version, (text, place) in enumerate(_typed()):
            for name in requests(Replies(OpenFiles(), lambda: codec), uri, place):
                replies = Replies(OpenFiles(), lambda: codec)
                replies.files.put(uri, text, version)
                ask = requests(replies, uri, place)[name]
                before = time.process_time()
                ask()
                spent = time.process_time() - before
                if number:  # in the first round, modules are imported
                    times.setdefault(name, []).append(spent)
    rows = [
        [name, *(seconds(one) for one in (statistics.median(t), _most_of(t), max(t)))]
        for name, t in times.items()
    ]
    others = [_most_of(t) for name, t in times.items() if name != "diagnostics"]
    diagnostics = 1_000 * _most_of(times["diagnostics"])
    return Figures(rows, {"errors": diagnostics, "others": 1_000 * max(others)})


def _most_of(times: list[float]) -> float:
    """The time that 95 of 100 do not exceed."""
    return sorted(times)[int(_SHARE * (len(times) - 1))]


AFTER_A_KEYSTROKE: Final = Benchmark(
    title="Editing",
    method=f"""\
Processor time of the language server from a keystroke to an answer, by a server that knows nothing of the text before:
for every {_STEP}th keystroke of writing `specs/gpt2.yaml` from its first letter, and for changes in all of its parts.
Diagnostics wait a further tenth of a second for the next keystroke.""",
    header=["answer", "median", "p95", "most"],
    bars={
        "errors": Bar("diagnostics, p95", most=150, unit=" ms"),
        "others": Bar("any other answer, p95", most=100, unit=" ms"),
    },
    measure=_measure,
    rounds=2,
)
