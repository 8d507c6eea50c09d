"""The sets of optional inputs that a network is inferred without, and what may not differ between them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.text import listed
from compiler.ir.graph import Place, Scope
from compiler.ir.tensors import OwnTensor, own_tensors
from compiler.ir.typed import Instance, TypedGraph

MOST_OPTIONAL = 5
"""So many optional inputs has a network at most whose layers ask for them: each set of them is inferred."""


def asks_given(scopes: Collection[Scope]) -> bool:
    """Whether a layer asks for an input."""
    return any(node.layer.asks_given for one in scopes for node in one.each_node())


def sets_of_absent(
    scope: Scope, asks: bool, report: Report
) -> Iterator[frozenset[str]]:
    """The sets of optional inputs to infer a network without: all, then the others where layers ask for them."""
    optional = [name for name, kind in scope.inputs.items() if kind and kind.optional]
    if not optional:
        return
    yield frozenset(optional)
    if not asks:
        return
    if len(optional) > MOST_OPTIONAL:
        message = f"a network whose layers ask for `given` has at most {MOST_OPTIONAL} optional inputs"
        place = scope.place.at("inputs", optional[MOST_OPTIONAL])
        report.error("too-large", place.span(key=True), message)
        return
    for number in range(2 ** len(optional) - 2, 0, -1):
        yield frozenset(name for n, name in enumerate(optional) if number >> n & 1)


def check_ways(typed: TypedGraph, report: Report) -> None:
    """Report what differs with the optional inputs of a network that are given: its outputs, and its weights."""
    for name, whole in typed.networks.items():
        every = {(one.name, one.shape) for one in _tensors(whole)}
        counted = False
        for one in typed.bare.get(name, ()):
            _check_outputs(whole, one, report)
            for tensor in _tensors(one):
                if (tensor.name, tensor.shape) in every:
                    continue
                if not counted:  # copies that are equal there may differ here
                    every = {(one.name, one.shape) for one in own_tensors(whole)}
                    counted = True
                if (tensor.name, tensor.shape) not in every:
                    message = f"{tensor.name} would be there only {_without(one)}, and is built whatever is given"
                    report.error("bad-when", tensor.place.span(), message)


def _check_outputs(whole: Instance, one: Instance, report: Report) -> None:
    for name, kind in one.outputs.items():
        other = whole.outputs.get(name)
        if other is not None and one.context.values(kind) != whole.context.values(
            other
        ):
            place = whole.scope.place
            ref = whole.scope.outputs[name]
            message = f"the output {name} is {other}, and {kind} {_without(one)}"
            help = "a network gives one type, whichever inputs it is given"
            span = Place(place.document, ref.path).span()
            report.error("shape-mismatch", span, message, help=help)


def _without(instance: Instance) -> str:
    return f"without {listed(instance.absent)}"


def _tensors(instance: Instance) -> Iterator[OwnTensor]:
    """The tensors of a network; of equal copies the first."""
    return own_tensors(instance, numbers=lambda first, _: (first,))
