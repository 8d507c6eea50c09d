"""`check`: the errors and warnings of specs."""

from __future__ import annotations

import typer

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.limits import UNLIMITED, Limits
from layergraph.commands._options import Json, NoLimits, Sets, Specs, Variant
from layergraph.commands._output import echo_json, exit_if, show_diagnostics
from layergraph.overrides import diagnose, failed


def check(
    specs: Specs,
    variant: Variant = "",
    sets: Sets = None,
    as_json: Json = False,
    no_limits: NoLimits = False,
) -> None:
    """Report every error in specs and variants, with line and column.

    Example: layergraph check specs/gpt2.yaml specs/bert.yaml
    """
    limits = UNLIMITED if no_limits else Limits()
    found: list[Diagnostic] = []
    for spec in specs:
        diagnostics = diagnose(spec, variant, sets or (), limits)
        found += diagnostics
        if not as_json:
            show_diagnostics(diagnostics)
            if not failed(diagnostics):
                typer.echo(f"{spec}: ok")
    if as_json:
        from compiler.diagnostics.render import as_json as data

        echo_json(data(found))
    exit_if(failed(found))
