"""`dump`: the value of a stage, as text."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from compiler.diagnostics.diagnostic import SpecError
from compiler.diagnostics.limits import UNLIMITED, Limits
from compiler.ir.graph import Graph
from compiler.ir.typed import TypedGraph
from compiler.parse.document import Document
from compiler.pipeline import Request, compile_spec, compile_to
from layergraph.commands._options import NoLimits, Sets, Spec, Variant
from layergraph.commands._output import exit_if
from layergraph.overrides import read_settings

Stage = Literal["document", "graph", "typed", "module", "causality"]


def dump(
    spec: Spec,
    stage: Annotated[Stage, typer.Option(help="Stage of the compiler.")] = "typed",
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Print what the compiler knows of a spec after a stage.

    Example: layergraph dump specs/gpt2.yaml --stage graph
    """
    limits = UNLIMITED if no_limits else Limits()
    settings = (
        read_settings(spec, variant, sets or (), limits) if variant or sets else {}
    )
    request = Request(spec, variant, settings, limits)
    if stage == "document":
        from compiler.parse.print_document import print_document

        typer.echo(print_document(compile_to(Document, request)), nl=False)
    elif stage == "graph":
        from compiler.ir.print_graph import print_graph

        typer.echo(print_graph(compile_to(Graph, request)), nl=False)
    elif stage == "causality":
        from compiler.causality.print_causality import print_causality

        program = compile_spec(
            spec, variant=variant, settings=settings, limits=limits, strict=False
        )
        exit_if(program.typed.failed)
        typer.echo("\n".join(map(print_causality, program.causality())), nl=False)
    elif stage == "module":
        from compiler.lower.lower import module_ir

        typed = compile_to(TypedGraph, request)
        if typed.failed:
            raise SpecError(typed.diagnostics)
        typer.echo(module_ir(typed), nl=False)
    else:
        from compiler.ir.print_typed import print_typed

        typed = compile_to(TypedGraph, request)
        typer.echo(print_typed(typed), nl=False)
        exit_if(typed.failed)
