"""A program for a command, its warnings shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compiler.diagnostics.limits import UNLIMITED, Limits
from compiler.program import Program
from layergraph.commands._output import show_diagnostics
from layergraph.overrides import compile_chosen


def compile_and_warn(
    spec: Path,
    variant: str = "",
    sets: Sequence[str] | None = None,
    no_limits: bool = False,
    *,
    strict: bool = True,
) -> Program:
    """Compile a spec with what the command line overrides; warnings go to standard error.

    Raises:
        RequestError, SpecError: as `compile_chosen`.
    """
    limits = UNLIMITED if no_limits else Limits()
    program = compile_chosen(spec, variant, sets or (), limits=limits, strict=strict)
    show_diagnostics(program.diagnostics)
    return program
