"""A summary at given sizes: its formulas with numbers in place of symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compiler.cost.summary import Row, Section, Size, Summary, Typed
from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.tensor import TensorType


def evaluate(summary: Summary, at: Mapping[str, int]) -> Summary:
    """The summary for these sizes; symbols that are left out stay in the formulas.

    Raises:
        RequestError: for a symbol that no input has, or a size that `dims` excludes.
    """
    for name, value in at.items():
        _check(summary, name, value)
    values = {name: Dim.of(value) for name, value in at.items()}
    evaluator = _Evaluator(values)
    networks = {k: evaluator.section(v) for k, v in summary.networks.items()}
    return replace(summary, networks=networks, at={**summary.at, **at})


def _check(summary: Summary, name: str, value: int) -> None:
    constraint = summary.symbols.get(name)
    if constraint is None:
        known = ", ".join(summary.symbols) or "none"
        help = suggest(name, summary.symbols) or f"the symbols are: {known}"
        raise RequestError(f"no input has a dimension {name}; {help}")
    if wrong := _wrong(constraint, value):
        raise RequestError(f"{name} must be {wrong}, and is {value}")


def _wrong(constraint: Constraint, value: int) -> str:
    if value < constraint.min:
        return f"at least {constraint.min}"
    if constraint.max is not None and value > constraint.max:
        return f"at most {constraint.max}"
    if value % constraint.multiple_of:
        return f"a multiple of {constraint.multiple_of}"
    return ""


class _Evaluator:
    """Puts numbers into sections, into each one once."""

    def __init__(self, values: Mapping[str, Dim]) -> None:
        self.values = values
        self._known: dict[int, Section] = {}

    def section(self, section: Section) -> Section:
        """A section with numbers."""
        found = self._known.get(id(section))
        if found is None:
            found = self._known[id(section)] = replace(
                section,
                inputs=self._types(section.inputs),
                outputs=self._types(section.outputs),
                rows=tuple(map(self._row, section.rows)),
                size=self._size(section.size),
            )
        return found

    def _row(self, row: Row) -> Row:
        return replace(
            row,
            outputs=self._types(row.outputs),
            size=self._size(row.size),
            inside=None if row.inside is None else self.section(row.inside),
        )

    def _size(self, size: Size) -> Size:
        flops, activations = self._dim(size.flops), self._dim(size.activations)
        return replace(size, flops=flops, activations=activations)

    def _dim(self, size: Dim | None) -> Dim | None:
        return None if size is None else size.substitute(self.values)

    def _types(self, types: tuple[Typed, ...]) -> tuple[Typed, ...]:
        return tuple(replace(one, values=self._type(one.values)) for one in types)

    def _type(self, kind: TensorType) -> TensorType:
        return kind.with_shape(*(size.substitute(self.values) for size in kind.shape))
