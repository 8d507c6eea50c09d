"""The check of a generated module that `verify` and `build --verify` share."""

from __future__ import annotations

import typer

from compiler.diagnostics.extras import needs_extra
from compiler.program import Program
from layergraph.commands._output import exit_if


@needs_extra("torch")
def fail_unless_verified(program: Program) -> tuple[str, ...]:
    """End the command with exit code 1 if the generated module is not what the compiler inferred.

    Returns: what was compared.
    """
    from runtime.verify import verify  # imports torch

    found = verify(program)
    for problem in found.problems:
        typer.echo(f"error: {problem}", err=True)
    exit_if(bool(found.problems))
    return found.compared
