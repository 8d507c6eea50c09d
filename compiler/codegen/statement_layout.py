"""Simple statements and the heads of compound statements, as layout documents."""

from __future__ import annotations

from compiler.codegen.expression_layout import (
    assigned,
    flat,
    inside,
    open_,
    targets,
    value,
)
from compiler.codegen.line_breaks import (
    SOFT,
    SPACE,
    Assignment,
    Doc,
    Group,
    Hug,
    IfBroken,
    Indent,
    brackets,
    parenthesized_if_broken,
)
from compiler.codegen.parentheses import Parentheses, parentheses
from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Compare,
    Expr,
    ListExpr,
    Literal,
    Logic,
    Name,
    Subscript,
    TupleExpr,
)
from compiler.codegen.statements import (
    Assign,
    AugAssign,
    Class,
    ExprStatement,
    For,
    Function,
    FunctionParameter,
    If,
    Import,
    Raise,
    Return,
)

Simple = Assign | AugAssign | ExprStatement | Return | Raise | Import


def simple(stmt: Simple) -> Doc:
    """The document of a simple statement."""
    match stmt:
        case Assign():
            return _assign(stmt)
        case AugAssign(target, op, right):
            return [open_(target), f" {op}= ", assigned(right)]
        case ExprStatement(result):
            is_operation = isinstance(result, Binary | Compare | Logic)
            return value(result) if is_operation else open_(result)
        case Return(result):
            return _return(result)
        case Raise(error):
            is_best = parentheses(error) is Parentheses.IF_THEY_HELP
            return ["raise ", open_(error) if is_best else value(error)]
        case Import(module, names):
            return _import(module, names)


def one_line(stmt: Simple) -> str | None:
    """The text of a simple statement on one line, where that takes no document: the same as that of its document."""
    match stmt:
        case Assign((Name() | Attribute() as target,), result, None) if result:
            return f"{flat(target)} = {flat(result)}"
        case Return(Name() | Attribute() | Call() | Binary() as result):
            return f"return {flat(result)}"
        case ExprStatement(Call() as result):
            return flat(result)
    return None


def head(stmt: For | If | Function | Class) -> Doc:
    """The head of a compound statement: `for x in y:`, `if x:`, `def f(x):`, `class A(B):`."""
    match stmt:
        case For(target, iterable):
            return ["for ", _loop_target(target), " in ", value(iterable), ":"]
        case If(test):
            return ["if ", value(test), ":"]
        case Function():
            return _function(stmt)
        case Class(name, bases):
            items = (
                brackets("(", [inside(base) for base in bases], ")") if bases else ""
            )
            return [f"class {name}", items, ":"]


def _loop_target(target: Expr) -> Doc:
    return targets((target,)) if isinstance(target, TupleExpr) else value(target)


def _return(result: Expr | None) -> Doc:
    if result is None:
        return "return"
    if isinstance(result, TupleExpr) and len(result.items) > 1:
        return ["return ", targets(result.items)]
    return ["return ", assigned(result)]


def _import(module: str, names: tuple[str, ...]) -> Doc:
    if not names:
        return f"import {module}"
    listed = _comma_separated(list(names))
    return [f"from {module} import ", parenthesized_if_broken(listed)]


def _comma_separated(items: list[Doc]) -> Doc:
    """Items separated by commas, with a trailing comma if broken, even after a single item."""
    first, *rest = items
    return [first, *([",", SPACE, item] for item in rest), IfBroken(",")]


def _assign(stmt: Assign) -> Doc:
    left = targets(stmt.targets)
    if stmt.annotation is not None:
        annotate = value if stmt.value is None else open_
        left = [left, ": ", annotate(stmt.annotation)]
    if stmt.value is None:
        return left
    is_sole = len(stmt.targets) == 1
    if is_sole and not isinstance(stmt.targets[0], TupleExpr | ListExpr | Subscript):
        return [left, " = ", assigned(stmt.value)]
    return _assign_to_brackets(left, stmt.value)


def _assign_to_brackets(left: Doc, right: Expr) -> Doc:
    """An assignment to targets that can break: the value breaks first."""
    if parentheses(right) is Parentheses.IF_THEY_HELP:
        if isinstance(right, Attribute | Call | Subscript):
            return Assignment(left, Hug(open_(right)), open_(right))
        if isinstance(right, Name | Literal):
            near = parenthesized_if_broken(open_(right))
            return Assignment(left, near, open_(right))
    return [left, " = ", assigned(right)]


def _function(stmt: Function) -> Doc:
    returns: Doc
    if not stmt.params:
        returns = "" if stmt.returns is None else [" -> ", value(stmt.returns, False)]
        return [f"def {stmt.name}()", returns, ":"]
    returns = "" if stmt.returns is None else [" -> ", value(stmt.returns)]
    params = _comma_separated([_param(param) for param in stmt.params])
    # A single parameter on its own line always has a trailing comma.
    inner = params if len(stmt.params) == 1 else Group(params)
    signature: Doc = ["(", Indent([SOFT, inner]), SOFT, ")", returns, ":"]
    return [f"def {stmt.name}", Group(signature)]


def _param(param: FunctionParameter) -> Doc:
    parts: list[Doc] = [param.name]
    if param.annotation is not None:
        parts += [": ", inside(param.annotation)]
    if param.default is not None:
        equals = "=" if param.annotation is None else " = "
        parts += [equals, inside(param.default)]
    return parts
