"""What the local variables of `forward` are called, and which values share one."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

from compiler.codegen.namespace import Namespace
from compiler.codegen.python import Name
from compiler.ir.graph import Ref
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import ClassPlan

_PLAIN_PORTS = frozenset({"input", "other", "inputs", "x", "output"})
"""Ports whose names say nothing of what goes through them."""


def refs_of(typed: TypedNode) -> Iterator[tuple[str, Ref]]:
    """Every value that a layer takes, with its port."""
    for port, ref in typed.inputs.items():
        for item in ref if isinstance(ref, tuple) else (ref,):
            yield port, item
    for port, carry in typed.node.carry.items():
        if carry.ref is not None:
            yield port, carry.ref


def live_layers(plan: ClassPlan) -> set[str]:
    """The layers that an output depends on."""
    live = {ref.node for ref in plan.scope.outputs.values()}
    for name in reversed(tuple(plan.scope.nodes)):
        if name in live:
            live.update(ref.node for _, ref in refs_of(plan.layers[name]))
    return live


class Variables:
    """Names for the values of one class."""

    def __init__(self, plan: ClassPlan, names: Namespace) -> None:
        self.plan, self.names = plan, names
        self.live = live_layers(plan)
        self._consumers: dict[str, list[tuple[TypedNode, str, Ref]]] = {}
        for name in plan.scope.nodes:
            if name in self.live:
                for port, ref in refs_of(plan.layers[name]):
                    entry = (plan.layers[name], port, ref)
                    self._consumers.setdefault(ref.node, []).append(entry)
        self._outputs: dict[str, list[tuple[str, Ref]]] = {}
        for name, ref in plan.scope.outputs.items():
            self._outputs.setdefault(ref.node, []).append((name, ref))
        self._copies: dict[str, str] = {}
        self._state = ""
        self._chains = self._count_chains()
        self._own: dict[str, str] = {}

    def apart(self, names: Namespace) -> Variables:
        """The same with other names, so that what is named there is not named here."""
        other = copy(self)
        other.names, other._copies, other._own = names, {}, {}
        return other

    def uses(self, node: str, port: str) -> list[str]:
        """The ports that an output goes to; "" for one that says nothing of it."""
        wanted = {port, ""} if port == self._first(node) else {port}
        found = [
            "" if at.isdigit() or at in _PLAIN_PORTS else at
            for _, at, ref in self._consumers.get(node, ())
            if ref.port in wanted
        ]
        given = [ref for _, ref in self._outputs.get(node, ()) if ref.port in wanted]
        return found + [""] * len(given)

    def intermediate(self, node: str, wanted: str) -> str:
        """The variable for a step on the way to a layer's output."""
        name = self.names.fresh(wanted)
        if wanted == node:
            self._own[node] = name
        return name

    def of_output(self, node: str, port: str, wanted: str) -> str:
        """The variable for an output of a layer.

        It is its own, or that of the loop which the value goes into alone.
        """
        if node in self._own and len(self.plan.layers[node].outputs) == 1:
            return self._own[node]
        loop = self._feeds_loop(node) if port in ("", self._first(node)) else ""
        return self._loop_name(loop) if loop else self.names.fresh(wanted)

    def named_output(self, node: str) -> str:
        """The name of the output that a layer alone is, where the spec gives one."""
        names = [n for n, _ in self._outputs.get(node, ()) if n != "output"]
        if len(names) != 1 or names[0] in self.plan.layers:
            return ""
        return "" if names[0] in self.plan.scope.inputs else names[0]

    def copy(self, *wanted: str) -> str:
        """The variable of a loop over copies: the same one in every loop.

        It is the first word wanted that is no layer, input or output of the class.
        """
        scope = self.plan.scope
        taken = {*scope.nodes, *scope.inputs, *scope.outputs}
        word = next((name for name in wanted if name not in taken), wanted[0])
        if word not in self._copies:
            self._copies[word] = self.names.fresh(word)
        return self._copies[word]

    def may_go_on(self, ref: Ref, name: Name) -> bool:
        """Whether a loop may go on in the variable of its input: none else needs it."""
        inside = ref.node not in self.plan.scope.inputs
        return (
            inside and len(self.uses(ref.node, ref.port or self._first(ref.node))) == 1
        )

    def state(self, loop: str, wanted: str) -> str:
        """The variable that goes from copy to copy where its input cannot."""
        return self._loop_name(loop) if wanted == loop else self.names.fresh(wanted)

    def _loop_name(self, loop: str) -> str:
        """`x` where all loops are one chain, and nothing else is called so."""
        free = "x" not in self.plan.scope.inputs and "x" not in self.plan.layers
        if self._chains == 1 and free and not self._state:
            self._state = self.names.fresh("x")
            return self._state
        return self.names.fresh(loop)

    def _count_chains(self) -> int:
        """How many loops do not go on from another loop."""
        starts = 0
        for name in self.plan.scope.nodes:
            typed = self.plan.layers[name]
            if name in self.live and _is_loop(typed):
                source = self.plan.layers.get(next(refs_of(typed))[1].node)
                starts += source is None or not _is_loop(source)
        return starts

    def _feeds_loop(self, node: str) -> str:
        """The repeated layer that alone takes a value, to go on from copy to copy."""
        consumers = self._consumers.get(node, [])
        if self._state or len(consumers) != 1 or node in self._outputs:
            return ""
        layer, port, _ = consumers[0]
        chained = _is_loop(layer) and port == next(iter(layer.inputs))
        return layer.node.name if chained else ""

    def _first(self, node: str) -> str:
        typed = self.plan.layers.get(node)
        return next(iter(typed.outputs), "") if typed is not None else ""


def _is_loop(typed: TypedNode) -> bool:
    return typed.node.layer.repeat is not None and bool(typed.calls)
