"""Check that the variants of a file set its own params."""

from __future__ import annotations

from compiler.diagnostics.diagnostic import Report
from compiler.ir.graph import Place, Unit


def check_variants(unit: Unit, report: Report) -> None:
    """Report every name in a variant that is no param."""
    params = unit.spec.params
    for variant, values in unit.spec.variants.items():
        for name in values:
            if name not in params:
                place = Place(unit.document, ("variants", variant, name))
                message = f"there is no param {name}"
                help = report.like(name, params)
                span = place.span(key=True)
                report.error("unknown-param", span, message, help=help, missing=name)
