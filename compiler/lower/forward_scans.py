"""Layers of `forward` that run a block step by step along a dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compiler.codegen.python import Expr, Placeholder
from compiler.ir.graph import Scope
from compiler.ir.module import Origin, RunScan
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import Run
from compiler.lower.forward_conditions import ForwardConditions
from compiler.lower.forward_values import ForwardValues
from compiler.lower.scan_start import start_code


class ForwardScans:
    """Runs scans."""

    def __init__(self, layers: ForwardValues, conditions: ForwardConditions) -> None:
        self.layers, self.conditions, self.draft = layers, conditions, layers.draft

    def scan(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """A statement that runs a block for each slice of its inputs, with states from step to step."""
        scan = typed.scan or runs[0].node.scan
        target = typed.target
        assert scan is not None and isinstance(target, Scope)
        self.draft.library.add("scan")
        given = self.layers.inputs_of(typed)
        known = {
            port: value
            for port, value in given.items()
            if not isinstance(value, tuple) and value is not None
        }
        apart = [port for port in known if port in scan.axes]
        whole = [port for port in known if port not in scan.axes]
        results = [
            *scan.carry,
            *(port for port in typed.outputs if port not in scan.carry),
        ]
        values = {
            port: self.draft.value(
                Origin(typed.node.name, port if len(results) > 1 else "")
            )
            for port in results
        }
        instance = runs[0].call.instance
        assert instance is not None
        state = self.draft.state_of(typed.node.name)
        self.draft.library |= set() if state is None else {"resume_scan"}
        statement = RunScan(
            typed.node.name,
            tuple(values[port] for port in results),
            tuple(known[port] for port in apart),
            tuple(self._start(typed, name, known) for name in scan.carry),
            tuple(known[port] for port in whole),
            tuple(scan.axes[port] for port in apart),
            typed.node.layer.reverse,
            (*apart, *scan.carry, *whole),
            tuple(results),
            tuple(self.draft.plans.of(instance).ports()),
            tuple(target.outputs),
            tuple(typed.outputs[port] for port in results),
            state,
        )
        ordered = [values[port] for port in typed.outputs]
        if typed.node.layer.when is not None:
            self.conditions.either(
                typed, (statement,), ordered, self.conditions.passed(typed)
            )
            return
        self.layers.statements.append(statement)
        self.layers.remember(typed, tuple(map(Placeholder, ordered)))

    def _start(self, typed: TypedNode, name: str, given: Mapping[str, Expr]) -> Expr:
        """What a state is before the first step."""
        carry = typed.node.carry[name]
        if carry.ref is not None:
            return self.layers.needed(carry.ref)
        return start_code(typed, name, given)
