"""What comes out of a condition that asks for inputs: in an instance, and whatever else is given when it runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.text import listed
from compiler.expr.given import answered, asked_inputs
from compiler.expr.syntax import Expression, Given
from compiler.infer.instances import InstanceBuilder
from compiler.ir.graph import Node, Place, Ref, Scope, may_lack
from compiler.ir.tensors import OwnTensor, own_tensors
from compiler.ir.typed import Instance, TypedGraph
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.tensor import TensorType

Inputs = Mapping[str, TensorType | None]
NOTHING_ASSUMED: Mapping[str, bool] = MappingProxyType({})

MOST_OPTIONAL = 5
"""So many optional inputs has a network at most whose layers ask for them: each set of them is inferred."""


def given_values(node: Node, inputs: Inputs) -> dict[str, Value]:
    """The answers to what the condition of a layer asks for."""
    when = node.layer.when
    if not isinstance(when, Formula):
        return {}
    return {one.key: _is_there(one, inputs) for one in asked_inputs(when.expr)}


def hopeful(
    when: Expression,
    inputs: Inputs,
    open: Collection[str],
    hope: bool,
    assumed: Mapping[str, bool] = NOTHING_ASSUMED,
) -> Expression:
    """A condition with its questions answered, those for open inputs as they hope, or as they do not.

    `assumed` says of some of these whether they are there.
    """

    def answer(one: Given, hoped: bool) -> bool:
        if one.input in assumed:
            return assumed[one.input]
        return hoped is hope if one.input in open else _is_there(one, inputs)

    return answered(when, answer)


def settled_by(
    node: Node, instance: InstanceBuilder, values: Mapping[str, Value]
) -> dict[str, bool]:
    """The open inputs that are always there where a layer runs, and those that never are."""
    when = node.layer.when
    if not node.layer.asks_given or not isinstance(when, Formula):
        return {}

    def may_hold(assumed: Mapping[str, bool]) -> bool:
        best = hopeful(when.expr, instance.inputs, instance.open, True, assumed)
        try:
            return evaluate(best, values) is not False
        except ExpressionError:
            return True

    settled: dict[str, bool] = {}
    for name in dict.fromkeys(one.input for one in asked_inputs(when.expr)):
        if name in instance.open:
            ways = [there for there in (True, False) if may_hold({name: there})]
            settled |= {name: ways[0]} if len(ways) == 1 else {}
    return settled


def is_open(instance: Instance | InstanceBuilder, ref: Ref) -> bool:
    """Whether a value may be there or not when the network runs."""
    source = instance.nodes.get(ref.node)
    if source is None:
        return ref.node in instance.open
    if source.node.may_be_absent and len(source.outcomes) > 1:
        return True
    inner = source.calls[0].instance if source.calls else None
    if inner is None or not may_lack(source.node, ref.port):
        return False
    return is_open(inner, inner.scope.outputs[ref.port])


def _is_there(asked: Given, inputs: Inputs) -> bool:
    return inputs.get(asked.input) is not None


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
