"""`expand`: a spec with nothing left to choose."""

from __future__ import annotations

import typer

from compiler.fmt.expand import expand as expanded
from compiler.fmt.write_spec import write_spec
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import NoLimits, Sets, Spec, Variant


def expand(
    spec: Spec, variant: Variant = "", sets: Sets = None, no_limits: NoLimits = False
) -> None:
    """Print the spec with all that it refers to written out.

    Example: layergraph expand specs/gpt2.yaml --variant medium
    """
    program = compile_and_warn(spec, variant, sets, no_limits)
    typer.echo(write_spec(expanded(program.typed, program.task_node)), nl=False)
