"""`verify`: the generated module compared with what the compiler inferred."""

from __future__ import annotations

import typer

from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import NoLimits, Sets, Spec, Variant
from layergraph.commands._verify import fail_unless_verified


def verify(
    spec: Spec, variant: Variant = "", sets: Sets = None, no_limits: NoLimits = False
) -> None:
    """Run the module and compare its shapes with the compiler's.

    Dtypes and the number of parameters are compared, too, at several sizes of every symbol.

    Example: layergraph verify specs/gpt2.yaml --set depth=2
    """
    fail_unless_verified(compile_and_warn(spec, variant, sets, no_limits))
    typer.echo(f"{spec}: verified")
