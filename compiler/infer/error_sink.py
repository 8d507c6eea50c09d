"""Collect the errors of inference, and merge them into one diagnostic for each place.

A block is inferred for every distinct use, and the same line may be wrong in several;
the conditions that would mend it then add up.
"""

from __future__ import annotations

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import InstancePath, Report
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import shorten
from compiler.elaborate.targets import op_span
from compiler.infer.instances import InstanceBuilder
from compiler.ir.graph import Node, Ref
from compiler.op.errors import OpError
from compiler.symbolic.explain import Conditions


@dataclass
class FoundError:
    """The first error found at a place, with the conditions of all errors there."""

    fault: OpError
    message: str
    label: str
    path: InstancePath
    conditions: Conditions


_UNTYPED = {"bad-value", "missing-argument", "recursion", "too-large"}
"""Faults that have nothing to do with the types of what goes in."""


class TrialFailed(Exception):
    """A layer of a trial has an error: the trial ends."""

    def __init__(self, fault: OpError) -> None:
        super().__init__(fault.worded(fault.port))
        self.code = fault.code


class ErrorSink:
    """The errors of layers by place; with `stops`, the first one ends the inference."""

    def __init__(self, *, stops: bool = False) -> None:
        self._stops = stops
        self._found: dict[tuple[str, Span], FoundError] = {}

    def add(
        self, instance: InstanceBuilder, node: Node, fault: OpError, path: InstancePath
    ) -> None:
        """Add an error of a layer; for a known one, its conditions are added.

        Raises:
            TrialFailed: if the first error ends the inference.
        """
        if self._stops:
            raise TrialFailed(fault)
        key = fault.code, blamed(node, fault)
        known = self._found.get(key)
        if known is not None:
            if known.conditions.known and not fault.conditions.known:
                known.message = _message(node, fault)  # no size mends it
            known.conditions = known.conditions.merged(fault.conditions)
            return
        label = fault.label or (
            "" if fault.code in _UNTYPED else _label(instance, node)
        )
        message = _message(node, fault)
        label = shorten(label, 300)
        self._found[key] = FoundError(fault, message, label, path, fault.conditions)

    def report(self, report: Report) -> None:
        """Make diagnostics of all; a size that is too small is one where it begins."""
        known: Conditions | None = None
        for (code, span), found in self._found.items():
            if code == "size-too-small" and found.conditions.least:
                if known is not None and known.implies(found.conditions):
                    continue
                known = known.merged(found.conditions) if known else found.conditions
            help = found.fault.help or found.conditions.help
            report.error(
                code, span, found.message, label=found.label, path=found.path, help=help
            )


def blamed(node: Node, fault: OpError) -> Span:
    """The place at which an error is shown.

    At the argument that is wrong, where it is written; else at the inputs where they
    are; else at the layer's name.
    """
    place = node.place
    if fault.argument and place.has(fault.argument):
        return place.span(fault.argument)
    if fault.argument and place.has("op"):
        return op_span(place)
    return place.span("in") if place.has("in") else place.span(key=True)


def _message(node: Node, fault: OpError) -> str:
    """The message, with the value's name for the number of a variadic input."""
    if not fault.port.isdigit():
        return fault.worded(fault.port)
    refs = [ref for _, ref in node.refs()]
    number = int(fault.port)
    return fault.worded(str(refs[number]) if number < len(refs) else "an input")


def _label(instance: InstanceBuilder, node: Node) -> str:
    """The types of what goes in, as they are for the network's inputs."""
    shown: dict[str, None] = {}
    for _, ref in node.refs():
        kind = instance.type_of(Ref(ref.node, ref.port))
        if kind is not None:
            shown[f"{ref} is {instance.context.values(kind)}"] = None
    return ", ".join(list(shown)[:4])
