"""What `__init__` builds for a layer: a module, a class of this file, a chain, or copies of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from compiler.codegen.python import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Expr,
    Literal,
    Name,
    TupleExpr,
    call,
    lit,
)
from compiler.codegen.statements import Assign, If
from compiler.codegen.traversal import used_names
from compiler.infer.call_op import op_inputs
from compiler.infer.repeats import uses_counter
from compiler.ir.graph import Scope
from compiler.ir.sequential import is_chain
from compiler.ir.typed import LayerCall, TypedNode
from compiler.lower.copy_sizes import Sizes, size_of_copy
from compiler.lower.layer_code import LayerCode
from compiler.lower.to_python import Resolve, to_python
from compiler.op.arg_types import Formula
from compiler.symbolic.dims import Dim

if TYPE_CHECKING:
    from compiler.lower.writer import ClassWriter, Written


def declare(writer: ClassWriter, typed: TypedNode) -> None:
    """Add to `__init__` what a layer needs there."""
    node = typed.node
    if node.shared or not typed.calls:
        return
    copies = node.layer.repeat is not None and not node.layer.repeat.share
    resolve = writer.in_loop if copies else writer.in_init
    built = build(writer, typed, resolve)
    if built is None:
        return
    target = Name(f"self.{attribute(typed)}")
    if copies:
        writer.init.append(Assign((target,), _module_list(writer, typed, built)))
    elif node.layer.when is not None:
        _declare_optional(writer, typed, target, built)
    else:
        writer.init.append(Assign((target,), built))


def attribute(typed: TypedNode) -> str:
    """The attribute that holds a layer's module; numbers of a list that is no plain chain get a word before them."""
    name = typed.node.shared or typed.node.name
    return f"layer_{name}" if name.isdigit() else name


def build(writer: ClassWriter, typed: TypedNode, resolve: Resolve) -> Expr | None:
    """The expression that builds one copy of a layer; None for a pure function."""
    if isinstance(typed.target, Scope):
        return _instance(writer, typed, resolve)
    op = typed.calls[0].op
    assert op is not None
    code = layer_code(writer, typed, resolve)
    built = op.construct(code, **op_inputs(typed.target, typed.calls[0].inputs))
    writer.carry(op.carries(code))
    return wrapped(typed, built)


def wrapped(typed: TypedNode, built: Expr | None) -> Expr | None:
    """A module as its parametrization wraps it: `weight_norm(nn.Conv1d(...))`."""
    given = typed.node.layer.parametrize
    if given is None or built is None:
        return built
    name = {} if given.tensor == "weight" else {"name": given.tensor}
    return call(given.function, built, **name, **dict(given.arguments))


def layer_code(
    writer: ClassWriter,
    typed: TypedNode,
    resolve: Resolve,
    before: TypedNode | None = None,
) -> LayerCode:
    """The `Code` of a layer in `__init__`, with the inferred sizes that differ from copy to copy."""
    first = typed.calls[0]
    varied: dict[Dim, Expr] = {}
    runs = (*typed.calls, *typed.speculative)
    if len(runs) > 1:
        inferred = [_inferred(typed, run) for run in runs]
        for name, size in inferred[0].items():
            sizes = [
                (run.counter, found[name])
                for run, found in zip(runs, inferred, strict=True)
            ]
            varied[size] = _of_copy(writer, typed, sizes, resolve)
    holder = Name(f"self.{attribute(typed)}")
    return LayerCode(writer, typed, first, resolve, holder, varied, before)


def _of_copy(
    writer: ClassWriter, typed: TypedNode, sizes: Sizes, resolve: Resolve
) -> Expr:
    def to_code(size: Dim) -> Expr:
        return to_python(size.to_expr(), resolve)

    counted = uses_counter(typed.target, typed.arguments)
    return size_of_copy(sizes, to_code, writer.plan.counted_as if counted else {})


def _inferred(typed: TypedNode, run: LayerCall) -> Mapping[str, Dim]:
    assert run.op is not None and not isinstance(typed.target, Scope)
    return run.op.inferred(**op_inputs(typed.target, run.inputs))


def _instance(writer: ClassWriter, typed: TypedNode, resolve: Resolve) -> Expr:
    instance = typed.calls[0].instance
    assert instance is not None
    written = writer.classes.get(writer.plans.key(instance))
    if written is None:
        chain = sequential(writer, typed, resolve)
        assert chain is not None, typed.node.name
        return chain
    writer.library |= written.library
    return _construction(writer, typed, written, resolve)


def _construction(
    writer: ClassWriter, typed: TypedNode, written: Written, resolve: Resolve
) -> Call:
    """`Block(width, heads, dropout)`: by position while it reads well, then by keyword."""
    places: list[Expr] = []
    keywords: dict[str, Expr] = {}
    skipped = False
    for name, value in _given(writer, typed, written, resolve):
        if value is None:
            skipped = True
        elif skipped or keywords or not reads_by_place(name, value, written):
            keywords[name] = value
        else:
            places.append(value)
    return call(written.plan.name, *places, **keywords)


def reads_by_place(name: str, value: Expr, written: Written) -> bool:
    """Whether an argument needs no name: a dimension, or a value that tells what it is."""
    dims = {written.names[symbol] for symbol in written.dims}
    required = name in written.required and not isinstance(value, Literal)
    return name in dims or isinstance(value, Name) or required


def _given(
    writer: ClassWriter, typed: TypedNode, written: Written, resolve: Resolve
) -> list[tuple[str, Expr | None]]:
    """The constructor's arguments in its order; None where the default is left to it."""
    given: list[tuple[str, Expr | None]] = []
    own = written.plan.scope.kind != "group"
    for symbol in written.dims:
        place = _dimension(writer, typed, symbol, resolve) if own else resolve(symbol)
        given.append((written.names[symbol], place))
    for param in written.params:
        if not own:
            given.append((written.names[param], resolve(param)))
            continue
        value = typed.arguments.get(param)
        given.append(
            (
                written.names[param],
                None if value is None else value_code(value, resolve),
            )
        )
    return given


def _dimension(
    writer: ClassWriter, typed: TypedNode, symbol: str, resolve: Resolve
) -> Expr:
    runs = (*typed.calls, *typed.speculative)
    sizes = [(run.counter, run.binding[symbol]) for run in runs]
    return _of_copy(writer, typed, sizes, resolve)


def value_code(value: Any, resolve: Resolve) -> Expr:
    """A value of the spec as Python: a formula, a literal or a list of them."""
    if isinstance(value, Formula):
        return to_python(value.expr, resolve)
    if isinstance(value, tuple | list):
        return TupleExpr(tuple(value_code(item, resolve) for item in value))
    return lit(value)


def count_code(typed: TypedNode, resolve: Resolve) -> Expr:
    """How often a layer is repeated: none at all where it is switched off."""
    repeat, when = typed.node.layer.repeat, typed.node.layer.when
    assert repeat is not None
    count = value_code(repeat.count, resolve)
    return (
        count if when is None else Conditional(value_code(when, resolve), count, lit(0))
    )


def _module_list(writer: ClassWriter, typed: TypedNode, built: Expr) -> Expr:
    counter = "i" if "i" in used_names(built) else "_"
    count = count_code(typed, writer.in_init)
    return call(
        "nn.ModuleList", Comprehension(built, Name(counter), call("range", count))
    )


def _declare_optional(
    writer: ClassWriter, typed: TypedNode, target: Expr, built: Expr
) -> None:
    """A module that is there only where `when` holds; several share one `if`."""
    kind: Expr = Name("nn.Module")
    if isinstance(built, Call) and typed.node.layer.parametrize is None:
        kind = built.func
    none = Assign((target,), lit(None), annotation=Binary("|", kind, lit(None)))
    test = value_code(typed.node.layer.when, writer.in_init)
    line = Assign((target,), built)
    last = writer.init[-1] if writer.init else None
    if isinstance(last, If) and last.test == test:
        writer.init[-1:] = [none, If(test, (*last.body, line))]
    else:
        writer.init += [none, If(test, (line,))]


def sequential(writer: ClassWriter, typed: TypedNode, resolve: Resolve) -> Expr | None:
    """`nn.Sequential(...)` for a group that is written as a list; None where it is more than a chain of modules."""
    instance = typed.calls[0].instance
    assert instance is not None
    modules: list[Expr] = []
    if not is_chain(instance.scope):
        return None
    before: TypedNode | None = None
    for inner in instance.nodes.values():
        module = _link(writer, inner, resolve, before)
        if module is None:
            return None
        modules.append(module)
        before = inner
    return call("nn.Sequential", *modules)


def _link(
    writer: ClassWriter, typed: TypedNode, resolve: Resolve, before: TypedNode | None
) -> Expr | None:
    if isinstance(typed.target, Scope):
        return _instance(writer, typed, resolve)
    op = typed.calls[0].op
    assert op is not None
    if not op.module or not op.chains or len(typed.outputs) > 1:
        return None
    code = layer_code(writer, typed, resolve, before)
    built = op.build(code, **op_inputs(typed.target, typed.calls[0].inputs))
    writer.carry(op.carries(code))
    return wrapped(typed, built)
