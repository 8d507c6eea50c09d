"""The causality of a network as text and as data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from compiler.causality.layer_rows import LayerFlow, elements, layer_rows, state_size
from compiler.diagnostics.text import listed
from compiler.ir.causal import Causality, LeakStep, OutputFlow
from compiler.ir.columns import in_columns
from compiler.op.dependence import Bound, Reach
from compiler.symbolic.dims import Dim

_MEMORY = {
    "keys": "keys and values",
    "fixed keys": "keys and values of all",
    "window": "the last",
    "state": "state",
    "running": "running value",
    "extremum": "largest or smallest so far, and its place",
    "columns": "an input so far",
}


def causality_text(found: Causality, depth: int | None = None) -> str:
    """The verdict, the receptive field of each output, each layer along T, and the size of the state."""
    rows = layer_rows(found)
    lines = [_heading(found), *_outputs(found), ""]
    cells = [("layer", "op", "reads", "rate", "keeps"), *_cells(rows, depth, 0)]
    lines += in_columns(cells)
    lines += ["", f"state: {_state(rows)}"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _heading(found: Causality) -> str:
    name = found.scope.instance.scope.name
    verdict = "causal" if found.causal else "not causal"
    return f"{name} along {found.length} of {listed(found.inputs)}: {verdict}"


def _outputs(found: Causality) -> Iterator[str]:
    for name, output in found.outputs.items():
        yield f"  {name}: {_field(output)}"
    for name, steps in found.leaks:
        yield f"  {name} depends on later positions: {steps[0].reason}, in {steps[0].path}"
        yield f"    {' → '.join([*(one.path.partition('.')[2] or one.layer for one in steps), name])}"


def _field(output: OutputFlow) -> str:
    if not output.along:
        return "does not carry it: given for a whole sequence"
    reaches = [f"{name} {reach}" for name, reach in output.reaches.items()]
    return ", ".join(reaches) or "needs no input"


def _cells(
    rows: tuple[LayerFlow, ...], depth: int | None, level: int
) -> Iterator[tuple[str, ...]]:
    for row in rows:
        copies = f" × {row.count}" if row.count > 1 else ""
        rate = str(row.rate) if row.carries else ""
        memory = _memory(row)
        yield "  " * level + row.name + copies, row.op, _reads(row), rate, memory
        if depth is None or level + 1 < depth:
            yield from _cells(row.inside, depth, level + 1)


def _reads(row: LayerFlow) -> str:
    """What a layer reads of its inputs along T."""
    if row.reason:
        return row.reason
    if not row.carries:
        return "each step" if row.scanned else "once"
    if row.reach is None:
        return "no input"
    if row.reach == Reach():
        return "its own position"
    return str(row.reach)


def _memory(row: LayerFlow) -> str:
    """What a layer keeps, with the elements of all of it."""
    kept = row.memory
    if kept is None:
        return ""
    size = elements(row)
    if kept.places is None:
        return f"{_MEMORY[kept.kind]}: {_times(size, 'max_length')}"
    places = f" {kept.places}" if kept.kind == "window" else ""
    return f"{_MEMORY[kept.kind]}{places}: {size * kept.places}"


def _times(size: Dim, symbol: str) -> str:
    text = str(size)
    return f"{f'({text})' if ' + ' in text or ' - ' in text else text} * {symbol}"


def _state(rows: tuple[LayerFlow, ...]) -> str:
    """The elements that are kept from one step to the next."""
    size = state_size(rows)
    parts = [_times(size.per_position, "max_length")] if size.per_position != 0 else []
    parts += [str(size.fixed)] if size.fixed != 0 else []
    return f"{' + '.join(parts)} elements" if parts else "nothing but the position"


def causality_json(found: Causality) -> dict[str, Any]:
    """The same as data. A bound is a number, or null where there is none."""
    rows = layer_rows(found)
    size = state_size(rows)
    return {
        "network": found.network,
        "along": found.length,
        "inputs": list(found.inputs),
        "causal": found.causal,
        "outputs": {name: _output_json(one) for name, one in found.outputs.items()},
        "leaks": [
            {"output": name, "steps": [_step_json(one) for one in steps]}
            for name, steps in found.leaks
        ],
        "layers": [_row_json(row) for row in rows],
        "state": {"fixed": str(size.fixed), "per_position": str(size.per_position)},
    }


def _output_json(output: OutputFlow) -> dict[str, Any]:
    reaches = {name: _reach_json(reach) for name, reach in output.reaches.items()}
    return {"along": output.along, "field": reaches}


def _step_json(step: LeakStep) -> dict[str, Any]:
    return {"path": step.path, "at": step.span.at, "reason": step.reason}


def _row_json(row: LayerFlow) -> dict[str, Any]:
    memory = None
    if row.memory is not None:
        memory = {
            "kind": row.memory.kind,
            "places": row.memory.places,
            "elements": str(elements(row)),
        }
    return {
        "name": row.name,
        "op": row.op,
        "count": row.count,
        "carries": row.carries,
        "reads": row.reach and _reach_json(row.reach),
        "reason": row.reason,
        "rate": str(row.rate),
        "memory": memory,
        "layers": [_row_json(one) for one in row.inside],
    }


def _reach_json(reach: Reach) -> list[int | float | None]:
    return [_bound(reach.lo), _bound(reach.hi)]


def _bound(bound: Bound) -> int | float | None:
    if math.isinf(bound):
        return None
    return int(bound) if bound == int(bound) else float(bound)
