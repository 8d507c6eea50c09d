"""The types of a block's inputs: every dimension that they name must get its size from one."""

from __future__ import annotations

from compiler.diagnostics import Report, suggest
from compiler.graph import Scope
from compiler.syntax import Name, names


def check_patterns(block: Scope, report: Report) -> None:
    """Report every symbol that stands in formulas alone, and so is given no size."""
    dims = [
        (port, dim)
        for port, pattern in block.inputs.items()
        if pattern is not None
        for dim in pattern.dims
    ]
    bound = {dim.id for _, dim in dims if isinstance(dim, Name)}
    known = bound | set(block.params)
    for port, dim in dims:
        for name in sorted(names(dim) - known):
            place = block.place.at("inputs", port)
            message = f"no input of {block.name} gives {name} its size"
            help = (
                suggest(name, known)
                or f"an input that has {name} alone as a dimension does, or a param"
            )
            span = place.part(dim.start, dim.end)
            report.error("unbound-dimension", span, message, help=help)
