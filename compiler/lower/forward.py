"""What `forward` does: each layer as values that are defined once, with conditions, loops and scans as statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compiler.codegen.python import Expr, Placeholder, call
from compiler.elaborate.wiring import EXPERTS, WEIGHTS
from compiler.ir.module import Body
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import Run
from compiler.lower.draft import Draft, member
from compiler.lower.emit import Emitted
from compiler.lower.forward_conditions import ForwardConditions
from compiler.lower.forward_loops import ForwardLoops
from compiler.lower.forward_scans import ForwardScans
from compiler.lower.forward_values import ForwardValues


class Forward:
    """The statements of `forward`, layer by layer."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.layers = ForwardValues(draft)
        self.conditions = ForwardConditions(self.layers)
        self.loops = ForwardLoops(self.layers)
        self.scans = ForwardScans(self.layers, self.conditions)

    def body(self) -> Body:
        """All of it, with the outputs of the scope."""
        refs = self.draft.plan.scope.outputs.values()
        outputs = tuple(map(self.layers.needed, refs))
        statements = tuple(self.layers.statements)
        return Body(tuple(self.layers.inputs), statements, outputs, self.draft.origins)

    def run(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """Run a layer that an output depends on."""
        layer = typed.node.layer
        decided = self.draft.plan.decides(typed.node.name)
        if not runs or decided is False:
            self.conditions.pass_on(typed)
        elif layer.scan is not None:
            self.scans.scan(typed, runs)
        elif typed.routed is not None:
            self._routed(typed)
        elif layer.repeat is not None:
            self.loops.loop(typed, runs)
        elif layer.when is not None and decided is None:
            self.conditions.choice(typed, runs)
        else:
            emitted = self.layers.apply(
                typed, runs, self.layers.inputs_of(typed), Placeholder(member(typed))
            )
            self.layers.bind(typed, emitted)

    def _routed(self, typed: TypedNode) -> None:
        """Copies that are experts: `run_experts(self.experts, x, experts, weights)`."""
        self.draft.library.add("run_experts")
        if typed.routed is not None and not typed.routed.counted:
            name = typed.node.name
            self.draft.demand_copies(typed, f"an expert gives {name} its output")
        value = routed_code(Placeholder(member(typed)), self.layers.inputs_of(typed))
        self.layers.bind(typed, Emitted(value))


def routed_code(module: Expr, given: Mapping[str, Any]) -> Expr:
    """The run of experts on what a layer is given."""
    routing = given[EXPERTS], given[WEIGHTS]
    tokens = (value for port, value in given.items() if port not in (EXPERTS, WEIGHTS))
    (x,) = (value for value in tokens if value is not None)
    return call("run_experts", module, x, *routing)
