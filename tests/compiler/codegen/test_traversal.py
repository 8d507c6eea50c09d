"""The names that code uses."""

from __future__ import annotations

from compiler.codegen.python import (
    Binary,
    Comprehension,
    Expr,
    Lambda,
    Name,
    Slice,
    Starred,
    TupleExpr,
    call,
    subscript,
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
    Return,
    Verbatim,
    assign,
)
from compiler.codegen.traversal import used_names, walk

X, Y = Name("x"), Name("y")


def test_walk_gives_parents_first_from_left_to_right() -> None:
    index = Slice(X, None, Y)
    expr = call("f", subscript("z", index))
    assert list(walk(expr)) == [
        expr,
        Name("f"),
        expr.args[0],
        Name("z"),
        index,
        X,
        Y,
    ]


def test_a_dotted_name_uses_its_first_part() -> None:
    assert used_names(call("F.relu", Name("self.scale"), k=X)) == {"F", "self", "x"}


def test_bound_names_are_not_used_where_they_are_bound() -> None:
    loop = Comprehension(Binary("+", Name("i"), X), Name("i"), call("range", Y))
    assert used_names(call("nn.ModuleList", loop)) == {"nn", "x", "range", "y"}
    assert used_names(Comprehension(X, Name("i"), Name("i"))) == {"x", "i"}
    assert used_names(Lambda(("x",), Binary("+", X, Y))) == {"y"}


def test_statements() -> None:
    assert used_names(assign("x", Y)) == {"y"}
    assert used_names(Assign((Starred(X), Name("self.y")), Y)) == {"self", "y"}
    assert used_names(Assign((TupleExpr((X, subscript("z", 0))),), Y)) == {"z", "y"}
    assert used_names(AugAssign(X, "+", Y)) == {"x", "y"}
    assert used_names(assign("x", 1, annotation=Name("int"))) == {"int"}
    body = (Return(X), Return())
    assert used_names(For(Name("i"), Y, body)) == {"x", "y"}
    assert used_names(If(Y, (), (If(Name("z"), body),))) == {"x", "y", "z"}
    assert used_names(Import("torch")) == frozenset()


def test_definitions() -> None:
    function = Function(
        "forward",
        (
            FunctionParameter("self"),
            FunctionParameter("x", Name("Tensor"), Name("default")),
        ),
        Name("Tensor"),
        (ExprStatement(call("print", X)),),
        decorators=(Name("torch.no_grad"),),
    )
    used = used_names(Class("Net", (Name("nn.Module"),), "", (function,)))
    assert used == {"nn", "Tensor", "default", "print", "x", "torch"}


def test_several_at_once_and_verbatim_source() -> None:
    source = Verbatim("class A(nn.Module):\n    x = math.pi\n")
    assert used_names(X, [source, Return(Y)]) == {"x", "y", "nn", "math"}


def test_depth_is_no_limit() -> None:
    total: Expr = X
    for _ in range(5000):
        total = Binary("+", total, Y)
    assert used_names(total) == {"x", "y"}
