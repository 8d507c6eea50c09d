"""Compiling a file from a stranger, with an eye on the clock and on memory."""

from __future__ import annotations

import ast
import resource
import sys
import time
from pathlib import Path

from compiler import SpecError, compile_spec
from compiler.diagnostics.diagnostic import Diagnostic

SECONDS = 20
"""For one file; the slowest takes a few on a machine that does nothing else."""
MEGABYTES = 1_000

HEAD = "name: Net\ninputs:\n  x: float[B, 8]\n"


def diagnose(text: str, folder: Path) -> tuple[Diagnostic, ...]:
    """What is wrong with a spec; nothing where it compiles."""
    file = folder / "spec.yaml"
    file.write_text(text, encoding="utf-8")
    memory, start = _memory(), time.process_time()
    try:
        program = compile_spec(file)
    except SpecError as error:
        found = error.diagnostics
    else:
        ast.parse(program.python)
        found = ()
    assert time.process_time() - start < SECONDS
    assert _memory() - memory < MEGABYTES
    return found


def _memory() -> float:
    """The most memory that the process has had so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
