"""A summary as data, whose keys stay as they are from version to version.

- `name`, `params` (name -> value), `at` (symbol -> size that was put in);
- `symbols`: name -> `min`, `max` (null: without end), `multiple_of`;
- `networks`: name ("" where there is one) -> section;
- `sections`: the blocks and groups that layers run, each distinct use once.

A section has `name`, `kind` (`network`, `block`, `group`, `copies`), `inputs`,
`outputs`, `layers`, and a size. A layer has `name`, `op`, `count`, `outputs`, `notes`,
`inside` (a position in `sections`, or null), and a size. Inputs and outputs have
`port`, `type` (in values) and `named` (in the names of the scope).

A size is `parameters` (a number), `parameters_formula` (in the names of the scope, or
null), `flops` and `activations`: each a `formula` in the symbols and a `value`, which
is null while symbols are left. Both are null where the formula would have no end.
"""

from __future__ import annotations

import math
from typing import Any

from compiler.cost.summary import LayerSummary, PortType, ScopeSummary, Size, Summary
from compiler.symbolic.dims import Dim


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary as data for `json.dumps`."""
    writer = _Writer()
    networks = {name: writer.section(one) for name, one in summary.networks.items()}
    return {
        "name": summary.name,
        "params": {name: _value(value) for name, value in summary.params.items()},
        "at": dict(summary.at),
        "symbols": {
            name: {"min": one.min, "max": one.max, "multiple_of": one.multiple_of}
            for name, one in summary.symbols.items()
        },
        "networks": networks,
        "sections": writer.sections,
    }


class _Writer:
    """Numbers the sections, those inside others first."""

    def __init__(self) -> None:
        self.sections: list[dict[str, Any]] = []
        self._positions: dict[int, int] = {}

    def section(self, section: ScopeSummary) -> dict[str, Any]:
        """A section, with the positions of those inside."""
        return {
            "name": section.name,
            "kind": section.kind,
            "inputs": _types(section.inputs),
            "outputs": _types(section.outputs),
            **_size(section.size),
            "layers": [self._row(row) for row in section.layers],
        }

    def _row(self, row: LayerSummary) -> dict[str, Any]:
        return {
            "name": row.name,
            "op": row.op,
            "count": row.count,
            "outputs": _types(row.outputs),
            **_size(row.size),
            "notes": list(row.notes),
            "inside": None if row.inside is None else self._position(row.inside),
        }

    def _position(self, section: ScopeSummary) -> int:
        found = self._positions.get(id(section))
        if found is None:
            self.sections.append(self.section(section))
            found = self._positions[id(section)] = len(self.sections) - 1
        return found


def _types(types: tuple[PortType, ...]) -> list[dict[str, str]]:
    return [
        {"port": one.port, "type": str(one.values), "named": str(one.names)}
        for one in types
    ]


def _size(size: Size) -> dict[str, Any]:
    formula = None if size.formula is None else str(size.formula)
    return {
        "parameters": size.parameters,
        "parameters_formula": formula,
        "flops": _formula(size.flops),
        "activations": _formula(size.activations),
    }


def _formula(size: Dim | None) -> dict[str, Any]:
    formula = None if size is None else str(size)
    return {"formula": formula, "value": None if size is None else size.constant}


def _value(value: Any) -> Any:
    """JSON has no infinity and no lists but its own."""
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
