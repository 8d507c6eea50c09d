"""Check `init`: it must name tensors of the layer or op."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.other_names import NO_GUESS, op_help
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import listed, shorten
from compiler.expr.syntax import names_in
from compiler.infer.param_values import shown
from compiler.infer.repeats import counts_copies
from compiler.infer.ties import is_path
from compiler.ir.graph import Place, Scope
from compiler.ir.typed import Instance, LayerCall, TypedGraph, TypedNode, walk_instances
from compiler.language.initializers import Initializer
from compiler.language.parametrizations import PREFIX
from compiler.op.arg_types import Formula
from compiler.op.registry import op_names
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import COUNTER


def check_inits(typed: TypedGraph, report: Report) -> None:
    """Report every initialisation of a tensor that does not exist."""
    values = _Values(report)
    for instance in typed.instances:
        for node in instance.nodes.values():
            if node.node.layer.init:
                _check_layer(node, report)
                values.check_layer(instance, node)
    run = _ops_that_run(typed.instances)
    for name, tensors in typed.graph.spec.init.items():
        place = Place(typed.graph.document, ("init", name))
        if name in run or not all(
            _known(rule, typed.params) for rule in tensors.values()
        ):
            values.check(tensors, place, [typed.params])
        if name in op_names():
            _check_op(name, tensors, typed.instances, place, report)
        else:
            like = op_help(name) or report.like(name, op_names())
            help = like or NO_GUESS
            message = f"there is no op {name}"
            report.error("unknown-op", place.span(key=True), message, help=help)


def _ops_that_run(instances: Iterable[Instance]) -> set[str]:
    """The ops of which there are modules: where there are none, nothing is initialised, whatever it comes to."""
    layers = (node for instance in instances for node in instance.nodes.values())
    runs = (call for node in layers for call in node.calls)
    return {call.op.name for call in runs if call.op is not None}


def _known(rule: Initializer, params: Mapping[str, Value]) -> bool:
    """Whether all names in the formulas of a rule are params."""
    return all(names_in(one.expr) <= params.keys() for one in rule.formulas.values())


def _wrong(rule: Initializer, names: Mapping[str, Value]) -> str:
    """Why torch would refuse the numbers of a rule; "" where one of them is none, which is an error of its own."""
    numbers: dict[str, float] = {}
    for name in type(rule).model_fields:
        value = getattr(rule, name)
        if isinstance(value, Formula):
            try:
                value = evaluate(value.expr, names)
            except ExpressionError:
                return ""
            if isinstance(value, bool) or not isinstance(value, int | float):
                return ""
        numbers[name] = value
    return rule.wrong(numbers)


class _Values:
    """What the formulas in `init` come to, each fault reported once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._known: set[tuple[Span, str]] = set()

    def check_layer(self, instance: Instance, node: TypedNode) -> None:
        """Check the formulas of a layer, for each of its copies if they depend on the number of the copy."""
        tensors, repeat = node.node.layer.init or {}, node.node.layer.repeat
        numbers = [
            n for one in node.calls for n in range(one.counter, one.counter + one.count)
        ]
        if repeat is None or not counts_copies(tensors):
            numbers = numbers[:1]
        counted = repeat is not None
        values = [
            {**instance.values, COUNTER: n} if counted else instance.values
            for n in numbers
        ]
        self.check(tensors, node.node.place.at("init"), values)

    def check(
        self,
        tensors: Mapping[str, Initializer],
        place: Place,
        values: Iterable[Mapping[str, Value]],
    ) -> None:
        """Check that each formula is a known number with each of several values of its names, and torch takes it."""
        written = [
            (
                place.at(tensor, rule.name, *([] if name == rule.alone else [name])),
                name,
                formula,
            )
            for tensor, rule in tensors.items()
            for name, formula in rule.formulas.items()
        ]
        known = list(values)
        for names in known if written else ():
            for at, name, formula in written:
                self._check(at, name, formula, names)
        for tensor, rule in tensors.items():
            for names in known if rule.formulas else [{}]:
                if wrong := _wrong(rule, names):
                    self._add("bad-init", wrong, place.span(tensor, rule.name))

    def _check(
        self, place: Place, name: str, formula: Formula, names: Mapping[str, Value]
    ) -> None:
        try:
            value = evaluate(formula.expr, names)
        except ExpressionError as error:
            span = place.part(error.start, error.end)
            help = self._meant(error, formula, names)
            self._add(error.code, error.message, span, help)
            return
        if isinstance(value, Dim):
            message = f"{name} must be known when the network is built, and is {value}"
            self._add("not-constant", message, place.span())
        elif isinstance(value, bool) or not isinstance(value, int | float):
            message = f"{name} must be a number, and is {shorten(shown(value))}"
            self._add("bad-init", message, place.span())

    def _meant(
        self, error: ExpressionError, formula: Formula, names: Mapping[str, Value]
    ) -> str:
        """What a name may mean that is none."""
        if error.code != "unknown-name":
            return ""
        name = formula.text[error.start : error.end]
        return self._report.like(name, names) or f"the params are: {listed(names)}"

    def _add(self, code: str, message: str, span: Span, help: str = "") -> None:
        if (span, message) not in self._known:
            self._known.add((span, message))
            self._report.error(code, span, message, help=help)


def _check_layer(node: TypedNode, report: Report) -> None:
    place = node.node.place.at("init")
    if isinstance(node.target, Scope):
        message = f"{node.target.name} is a block: it has no tensors of its own"
        help = "`init` stands at the layers inside, or at the top of the file by op"
        report.error("bad-init", place.span(key=True), message, help=help)
    else:
        tensors = node.node.layer.init or {}
        _check(node.node.name, tensors, node.calls, place, report)


def _check_op(
    name: str,
    tensors: Mapping[str, Initializer],
    instances: Iterable[Instance],
    place: Place,
    report: Report,
) -> None:
    known = list(_with_those_off(instances))
    if any(_may_be(target, name) for target in _unknown(known)):
        # what does not run, so that its tensors are not known, may have this one
        tensors = {one: rule for one, rule in tensors.items() if not is_path(one)}
    runs = [
        call
        for instance in known
        for node in instance.nodes.values()
        for call in node.shown.calls
        if call.op is not None and call.op.name == name
    ]
    _check(name, tensors, runs, place, report)


def _unknown(instances: Sequence[Instance]) -> Iterator[object]:
    """What layers would run that are off, and were not inferred as they would run; what none is, and could be."""
    layers = [node for instance in instances for node in instance.nodes.values()]
    yield from (x.target for x in layers if not x.calls and not x.speculative)
    known = {id(node.node) for node in layers}
    for scope in {id(one.scope): one.scope for one in instances}.values():
        for name in scope.choices:
            others = (one for one in scope.nodes[name].each if id(one) not in known)
            yield from (one.target for one in others)


def _may_be(target: object, op: str) -> bool:
    """Whether what a layer runs is an op, or a block that may have such a layer."""
    return isinstance(target, Scope) or getattr(target, "name", "") == op


def _with_those_off(instances: Iterable[Instance]) -> Iterator[Instance]:
    """The instances, and those of blocks that are off: a rule is for other values of the params, too."""
    for instance in instances:
        yield instance
        off = [node for node in instance.nodes.values() if not node.calls]
        inner = (call.instance for node in off for call in node.speculative)
        yield from walk_instances(one for one in inner if one is not None)


def _check(
    what: str,
    tensors: Mapping[str, object],
    runs: Sequence[LayerCall],
    place: Place,
    report: Report,
) -> None:
    own = {name for run in runs for name in run.weights}
    if not runs or "" in own:  # "": it is a tensor itself
        tensors = {one: rule for one, rule in tensors.items() if not is_path(one)}
    computed = {name.split(".")[1] for name in own if name.startswith(PREFIX)}
    for tensor in tensors:
        span = place.span(tensor, key=True)
        if tensor in computed - own:
            message = f"{tensor} of {what} is parametrized: init would not reach it"
            help = "leave it out: it starts as torch starts it"
            report.error("bad-init", span, message, help=help)
        elif tensor not in own or tensor.startswith(PREFIX):
            message = f"{what} has no tensor {tensor}"
            known = f"its tensors are {listed(sorted(own))}" if own else ""
            help = report.like(tensor, own) or known
            report.error("bad-init", span, message, help=help)
