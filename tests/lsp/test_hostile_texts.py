"""Texts of strangers in an editor: an answer in bounded time, whatever they are."""

from __future__ import annotations

import time

import pytest
from lsprotocol import types as lsp

from tests.lsp.test_typing import answers, server
from tests.test_hostile import ADMITTED, REFUSED

SECONDS = 10
"""For one answer; the slowest takes three on a machine that does nothing else."""
TEXTS = {
    "brackets": f"layers: {'{' * 2**18}",
    "quotes": 'a: "x\n' * 50_000,
    "one line": f"layers: {{{'a: [b, ' * 50_000}",
    "open layers": f"name: Net\nlayers:\n{'  x: {op: linear,' * 10_000}",
    "tabs": "\t" * 2**18,
    "anchors": "a: &b c\n" * 20_000,
    "crossed": "a: [{]}\n" * 10_000,
    "steps": "\n".join(f"{' ' * n}a:" for n in range(1_000)),
    "words": "wid\n" * 100_000,
    "marks": "\ufeff\u2028\u202e" * 50_000,
}


def in_time(text: str) -> None:
    before = time.process_time()
    found = answers(server(), text, min(len(text), 40), 1)
    assert time.process_time() - before < SECONDS
    assert all(isinstance(one, lsp.Diagnostic) for one in found["diagnostics"])


@pytest.mark.parametrize("name", TEXTS)
def test_broken_text(name: str) -> None:
    in_time(TEXTS[name])


@pytest.mark.deep
@pytest.mark.parametrize("name", [*REFUSED, *ADMITTED])
def test_refused_specs(name: str) -> None:
    known = {name: text for name, (text, _) in REFUSED.items()}
    in_time({**ADMITTED, **known}[name])
