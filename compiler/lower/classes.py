"""From a plan to a class: its layers written, its needs settled, its parts put in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Compare,
    Expr,
    Logic,
    Name,
    TupleExpr,
    attr,
    call,
    lit,
    method,
    subscript,
)
from compiler.codegen.statements import (
    Assign,
    Class,
    ExprStatement,
    For,
    Function,
    FunctionParameter,
    If,
    Return,
    Stmt,
)
from compiler.ir.graph import Scope
from compiler.ir.sequential import is_chain
from compiler.ir.typed import TypedNode
from compiler.language.spec import Spec
from compiler.lower.class_plan import ClassPlan, Key, Plans
from compiler.lower.constructors import declare, value_code
from compiler.lower.defaults import default_of, resolved_defaults, settle_needs
from compiler.lower.documentation import class_docstring
from compiler.lower.forward import apply, bind, choice, inputs, module, pass_on
from compiler.lower.initialization import own_reset, root_reset
from compiler.lower.loops import run_loop
from compiler.lower.scan_call import run_scan
from compiler.lower.signatures import (
    TENSOR,
    constructor_params,
    forward_params,
    needed,
    returns,
)
from compiler.lower.writer import ClassWriter, Written

_TYPED = {
    "torch.cat",
    "torch.stack",
    "F.relu",
    "F.gelu",
    "F.silu",
    "F.softmax",
    "F.scaled_dot_product_attention",
}
"""Functions whose stubs say that they return a Tensor."""


def write_classes(kept: list[ClassPlan], plans: Plans, spec: Spec) -> list[Written]:
    """Write the classes of a file, in their order.

    A class must know what the constructors of those that it uses take. These come
    before it, but where blocks call themselves: there the round is repeated until
    nothing changes.
    """
    classes = {plan.key: _unwritten(plan) for plan in kept}
    finished: dict[Key, Written] = {}
    while True:
        before = {key: written.code for key, written in classes.items()}
        early = False
        for plan in kept:
            used = _uses(plan, plans)
            early = early or plan.key in used or not used <= finished.keys()
            writer = ClassWriter(plan, plans, classes, spec)
            finished[plan.key] = _write_class(writer, finished.values())
            classes[plan.key] = finished[plan.key]
        if not early or all(classes[key].code == code for key, code in before.items()):
            return list(classes.values())


def _unwritten(plan: ClassPlan) -> Written:
    return Written(plan, (), (), {}, Class(plan.name))


def _uses(plan: ClassPlan, plans: Plans) -> set[Key]:
    runs = [run for node in plan.layers.values() for run in node.calls]
    return {plans.key(run.instance) for run in runs if run.instance is not None}


def _write_class(writer: ClassWriter, done: Iterable[Written]) -> Written:
    """Write one class; twice where sizes that are used often become variables."""
    written = _write(writer, done)
    if any(count > 1 for count in writer.reads.values()):
        written = _write(writer, done)
    return written


def is_sequential(plan: ClassPlan) -> bool:
    """Whether a scope needs no class, being an `nn.Sequential` of what stands in its list."""
    targets = [node.target for node in plan.layers.values()]
    single = all(len(node.outputs) <= 1 for node in plan.layers.values())
    return (
        single
        and is_chain(plan.scope)
        and all(
            isinstance(target, Scope) or (bool(target.module) and target.chains)
            for target in targets
        )
    )


def _write(writer: ClassWriter, every: Iterable[Written]) -> Written:
    writer.restart()
    plan = writer.plan
    for node, typed in plan.ordered():
        declare(writer, typed)
        if node.name in writer.variables.live:
            _run(writer, typed)
    writer.init += _ties(writer)
    _return(writer)
    settle_needs(writer)
    dims, params = needed(writer)
    reset, resets = _reset(writer, every)
    names = {name: writer.argument_name(name) for name in [*dims, *params]}
    constructor = _constructor(writer, dims, params, resets)
    empty = len(constructor.body) == 1 and len(constructor.params) == 1
    body = [*([] if empty else [constructor]), *reset, _forward(writer)]
    code = Class(
        plan.name, (Name("nn.Module"),), class_docstring(plan, writer.spec), tuple(body)
    )
    required = frozenset(names[n] for n in params if default_of(writer, n) is None)
    library = frozenset(writer.library)
    return Written(
        plan, tuple(dims), tuple(params), names, code, required, library, resets
    )


def _run(writer: ClassWriter, typed: TypedNode) -> None:
    """Add to `forward` what a layer does, and remember what its outputs are called."""
    if not typed.calls:
        pass_on(writer, typed)
    elif typed.scan is not None:
        run_scan(writer, typed)
    elif typed.node.layer.repeat is not None:
        run_loop(writer, typed)
    elif typed.node.layer.when is not None:
        choice(writer, typed)
    else:
        given = inputs(writer, typed)
        value = apply(writer, typed, given, module(typed), writer.in_forward)
        bind(writer, typed, value)


def _constructor(
    writer: ClassWriter, dims: list[str], params: list[str], resets: bool
) -> Function:
    body: list[Stmt] = [ExprStatement(method(call("super"), "__init__"))]
    body += resolved_defaults(writer, params)
    body += writer.kept()
    body += writer.init
    if resets:
        body.append(ExprStatement(call("self.reset_parameters")))
    signature = (FunctionParameter("self"), *constructor_params(writer, dims, params))
    return Function("__init__", signature, lit(None), tuple(body))


def _ties(writer: ClassWriter) -> list[Stmt]:
    """`self.lm_head.weight = self.wte.weight`, in an `if` where params decide."""
    lines: list[Stmt] = []
    for node, typed in writer.plan.ordered():
        if node.layer.tie is not None and typed.calls:
            tensors = node.layer.tie.tensors
            tied = tuple(
                Assign((Name(f"self.{node.name}.{name}"),), _path(path))
                for name, path in tensors.items()
            )
            ends = (node.name, *(path.split(".")[0] for path in tensors.values()))
            lines += _where(writer, dict.fromkeys(ends), node.layer.tie.when, tied)
    return lines


def _where(
    writer: ClassWriter, layers: Iterable[str], condition: Any, lines: tuple[Stmt, ...]
) -> tuple[Stmt, ...]:
    """Statements under a condition, and where all the layers are there."""
    nodes = writer.plan.scope.nodes
    tests: list[Expr] = [
        Compare("is not", Name(f"self.{name}"), lit(None))
        for name in layers
        if nodes[name].layer.when is not None and nodes[name].layer.repeat is None
    ]
    if condition is not None:
        tests.append(value_code(condition, writer.in_init))
    if not tests:
        return lines
    return (If(tests[0] if len(tests) == 1 else Logic("and", tuple(tests)), lines),)


def _path(path: str) -> Expr:
    place: Expr = Name("self")
    for step in path.split("."):
        place = subscript(place, int(step)) if step.isdigit() else attr(place, step)
    return place


def _reset(writer: ClassWriter, every: Iterable[Written]) -> tuple[list[Stmt], bool]:
    lines = (
        root_reset(writer, every)
        if writer.plan.scope.kind == "network"
        else own_reset(writer)
    )
    if not lines:
        return [], False
    return [
        Function(
            "reset_parameters", (FunctionParameter("self"),), lit(None), tuple(lines)
        )
    ], True


def _forward(writer: ClassWriter) -> Function:
    signature = (FunctionParameter("self"), *forward_params(writer))
    return Function("forward", signature, returns(writer), tuple(writer.forward))


def _return(writer: ClassWriter) -> None:
    """End `forward`: return what the last line computes, or the names of the outputs."""
    values = [writer.value(ref) for ref in writer.plan.scope.outputs.values()]
    last = writer.forward[-1] if writer.forward else None
    if len(values) > 1:
        writer.forward.append(Return(TupleExpr(tuple(values))))
        return
    alone = (
        isinstance(last, Assign)
        and last.targets == (values[0],)
        and last.value is not None
    )
    if (
        alone
        and isinstance(last, Assign)
        and last.value is not None
        and _is_tensor(last.value, _typed_names(writer))
    ):
        writer.forward[-1] = Return(last.value, last.comment)
        return
    _annotate(writer, values[0])
    if isinstance(last, Assign) and last.value is not None and _again(writer, last):
        writer.forward[-1] = Return(last.value, last.comment)
    else:
        writer.forward.append(Return(values[0]))


def _again(writer: ClassWriter, last: Assign) -> bool:
    """Whether the last line goes on with a variable of its own name, by methods of tensors alone."""
    (target, *more) = last.targets
    value = last.value
    while isinstance(value, Call) and isinstance(value.func, Attribute):
        value = value.func.value
    return (
        not more
        and value == target
        and value != last.value
        and any(
            isinstance(line, Assign) and line.targets == (target,)
            for line in writer.forward[:-1]
        )
    )


def _typed_names(writer: ClassWriter) -> set[str]:
    """The variables that a strict type checker knows to be tensors."""
    typed = {writer.input_name(port) for port in writer.plan.scope.inputs}
    for line in writer.forward:
        if (
            isinstance(line, Assign)
            and len(line.targets) == 1
            and isinstance(line.targets[0], Name)
            and line.value is not None
        ):
            if _is_tensor(line.value, typed):
                typed.add(line.targets[0].id)
            else:
                typed.discard(line.targets[0].id)
    return typed


def _is_tensor(value: Expr, typed: set[str]) -> bool:
    """Whether a strict type checker sees that an expression is a Tensor."""
    if isinstance(value, Name):
        return value.id in typed
    if isinstance(value, Binary):
        return _is_tensor(value.left, typed) and _is_tensor(value.right, typed)
    return (
        isinstance(value, Call)
        and isinstance(value.func, Name)
        and value.func.id in _TYPED
    )


def _annotate(writer: ClassWriter, value: Expr) -> None:
    """Say at its first assignment that a variable is a Tensor: calling a module gives `Any`."""
    for place, line in enumerate(writer.forward):
        if isinstance(line, For):
            continue
        if isinstance(line, Assign) and line.targets == (value,):
            writer.forward[place] = Assign(
                line.targets, line.value, TENSOR, line.comment
            )
            return
