"""What a strict type checker sees in `forward`: torch's modules give `Any`, and some of its methods have no types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import heappop, heappush

from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Conditional,
    Expr,
    Name,
    Slice,
    Subscript,
    TupleExpr,
    Unary,
)
from compiler.codegen.statements import Assign, For, If, Return, Stmt
from compiler.codegen.traversal import mapped, walk
from compiler.op.registry import typed_functions

TENSOR = Name("Tensor")
UNTYPED = frozenset({"unflatten"})
"""Methods of a Tensor without types in torch, each beside a function of its name that has them."""


def returning(
    lines: list[Stmt], values: Sequence[Expr], inputs: set[str], kind: Expr = TENSOR
) -> None:
    """End `forward`: return what the last line computes, or the names of the outputs; `kind` is the type of one."""
    if len(values) > 1:
        lines.append(Return(TupleExpr(tuple(values))))
        return
    last = lines[-1] if lines else None
    value = values[0]
    if (
        isinstance(last, Assign)
        and last.value is not None
        and last.targets == (value,)
        and is_tensor(last.value, _typed_names(lines, inputs))
    ):
        lines[-1] = Return(last.value, last.comment)
        return
    if not (isinstance(value, Name) and value.id in inputs):
        _annotate(lines, value, kind)
    last = lines[-1] if lines else None
    if isinstance(last, Assign) and last.value is not None and _goes_on(lines, last):
        lines[-1] = Return(last.value, last.comment)
    else:
        lines.append(Return(value))


def _goes_on(lines: Sequence[Stmt], last: Assign) -> bool:
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
            for line in lines[:-1]
        )
    )


def _typed_names(lines: Sequence[Stmt], inputs: set[str]) -> set[str]:
    """The variables that a strict type checker knows to be tensors."""
    typed = set(inputs)
    for line in lines:
        if (
            isinstance(line, Assign)
            and len(line.targets) == 1
            and isinstance(line.targets[0], Name)
            and line.value is not None
        ):
            if is_tensor(line.value, typed):
                typed.add(line.targets[0].id)
            elif line.targets[0].id not in inputs:
                typed.discard(line.targets[0].id)
    return typed


def is_tensor(value: Expr, typed: set[str]) -> bool:
    """Whether a strict type checker sees that an expression is a Tensor."""
    if isinstance(value, Name):
        return value.id in typed
    if isinstance(value, Binary):
        return is_tensor(value.left, typed) and is_tensor(value.right, typed)
    return (
        isinstance(value, Call)
        and isinstance(value.func, Name)
        and value.func.id in typed_functions()
    )


def _annotate(lines: list[Stmt], value: Expr, kind: Expr) -> None:
    """Say at its first assignment that a variable is a Tensor: calling a module gives `Any`."""
    for place, line in enumerate(lines):
        if isinstance(line, For):
            continue
        if isinstance(line, Assign) and line.targets == (value,):
            if line.annotation is not None:
                return
            lines[place] = Assign(line.targets, line.value, kind, line.comment)
            return
        if isinstance(line, Assign) and value in _unpacked(line):
            lines.insert(place, Assign((value,), None, kind))
            return


def _unpacked(line: Assign) -> Iterator[Expr]:
    """The variables that a line assigns the items of a tuple to; those of a block's class are `Any`."""
    for target in line.targets:
        match line.value:
            case Call(Name(id)) if isinstance(target, TupleExpr):
                if id.startswith("self."):
                    yield from target.items


def typed_calls(lines: Sequence[Stmt]) -> list[Stmt]:
    """`torch.unflatten(x, ...)` for `x.unflatten(...)` in statements where a checker knows that x is a Tensor.

    It would report an untyped call there. Of what modules return, which is `Any`, it asks nothing.
    """
    found = list(lines)
    while True:
        anything = _anything(found)
        changed = [_with_functions(line, anything) for line in found]
        if changed == found:
            return found
        found = changed


def _with_functions(line: Stmt, anything: set[str]) -> Stmt:
    match line:
        case For() | If():
            body = tuple(_with_functions(inner, anything) for inner in line.body)
            return replace(line, body=body)
        case Assign(value=value) | Return(value=value) if value is not None:
            receivers = [x for part in walk(value) if (x := _receiver(part))]
            if all(_is_any(receiver, anything) for receiver in receivers):
                return line
            return replace(line, value=_as_functions(value))
    return line


def _receiver(part: Expr | Slice) -> Expr | None:
    """The tensor of which a method without types is called."""
    if isinstance(part, Call) and isinstance(part.func, Attribute):
        return part.func.value if part.func.attr in UNTYPED else None
    return None


def _as_functions(value: Expr) -> Expr:
    value = mapped(value, _as_functions)
    receiver = _receiver(value)
    if receiver is None:
        return value
    assert isinstance(value, Call) and isinstance(value.func, Attribute)
    return Call(Name(f"torch.{value.func.attr}"), (receiver, *value.args), value.kwargs)


def _anything(lines: Sequence[Stmt]) -> set[str]:
    """The variables that are certainly `Any`: whatever is assigned to them is."""
    assigned = list(_assignments(lines))
    found = {name for name, _ in assigned}
    readers: dict[str, dict[int, None]] = {}
    for place, (_, value) in enumerate(assigned):
        for read in () if value is None else _names(value):
            readers.setdefault(read.id, {})[place] = None
    # In the order of the lines: what comes later is looked at once, when all before it is known.
    waiting = list(range(len(assigned)))
    queued = set(waiting)
    while waiting:
        place = heappop(waiting)
        queued.remove(place)
        name, value = assigned[place]
        if name in found and (value is None or not _is_any(value, found)):
            found.remove(name)
            for reader in readers.get(name, {}).keys() - queued:
                heappush(waiting, reader)
                queued.add(reader)
    return found


def _assignments(lines: Sequence[Stmt]) -> Iterator[tuple[str, Expr | None]]:
    """Every variable with what is assigned to it; None where it is declared.

    The modules that a loop runs through stand for themselves: calling one gives `Any`, as calling a member does.
    """
    for line in lines:
        match line:
            case For(target, iterable, body):
                yield from ((one.id, one) for one in _modules(target, iterable))
                yield from _assignments(body)
            case If(body=body):
                yield from _assignments(body)
            case Assign(targets, value, annotation):
                for target in targets:
                    told = value if annotation is None else None
                    yield from ((name.id, told) for name in _names(target))


def _modules(target: Expr, iterable: Expr) -> list[Name]:
    """The variable for the modules that a loop goes through; none where it goes through numbers or tensors."""
    names = _names(target)
    if isinstance(iterable, Call) and iterable.func == Name("enumerate"):
        names, iterable = names[1:], iterable.args[0]
    if isinstance(iterable, Call) and iterable.func == Name("zip"):
        iterable = iterable.args[0]
    counts = isinstance(iterable, Call) and iterable.func == Name("range")
    modules = any(name.id.partition(".")[0] == "self" for name in _names(iterable))
    return names[:1] if modules and not counts else []


def _names(target: Expr) -> list[Name]:
    return [part for part in walk(target) if isinstance(part, Name)]


def _is_any(value: Expr, anything: set[str]) -> bool:
    """Whether an expression is certainly `Any`."""
    match value:
        case Name(id):
            return id in anything
        case Call(Name(id)):
            return id.startswith("self.") or id in anything
        case Call(Subscript(Name("self"))):
            return True
        case Call(Attribute(inner)) | Subscript(inner) | Unary(_, inner):
            return _is_any(inner, anything)
        case Binary(_, left, right):
            return _is_any(left, anything) or _is_any(right, anything)
        case Conditional(_, body, orelse):
            return _is_any(body, anything) and _is_any(orelse, anything)
    return False
