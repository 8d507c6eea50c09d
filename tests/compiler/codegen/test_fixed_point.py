"""The printer against ruff's formatter: it finds nothing to change.

Hypothesis draws whole modules, with names and texts of all lengths, so that lines end
just before and just behind the margin.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.codegen.printer import print_module
from compiler.codegen.python import (
    BINARY,
    COMPARISONS,
    LOGIC,
    UNARY,
    Attribute,
    Binary,
    Call,
    Compare,
    Comprehension,
    Conditional,
    DictExpr,
    Expr,
    Lambda,
    ListExpr,
    Literal,
    Logic,
    Name,
    Slice,
    Starred,
    Subscript,
    TupleExpr,
    Unary,
)
from compiler.codegen.statements import (
    Assign,
    AugAssign,
    Blank,
    Class,
    CommentLine,
    ExprStatement,
    For,
    Function,
    FunctionParameter,
    If,
    Import,
    Module,
    Raise,
    Return,
    Stmt,
    Verbatim,
)

RUFF = str(Path(sys.executable).with_name("ruff"))

SLOW = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def ruff_format(source: str) -> str:
    """The source as `ruff format` with its default settings has it."""
    command = [RUFF, "format", "--isolated", "-"]
    done = subprocess.run(
        command, input=source.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, (done.stderr.decode(), source)
    return done.stdout.decode()


LENGTHS = st.sampled_from([1, 1, 1, 2, 3, 5, 8, 13, 20, 34, 70, 80, 86, 90])
identifiers = st.builds(lambda char, n: char * n, st.sampled_from("abxyT"), LENGTHS)
names = st.lists(identifiers, min_size=1, max_size=3).map(lambda x: Name(".".join(x)))
literals = st.builds(
    Literal,
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.just(...),
)
atoms = st.one_of(names, names, names, literals)
tuples = st.lists(names, min_size=2, max_size=3).map(lambda x: TupleExpr(tuple(x)))
places = names | tuples


def many(
    items: st.SearchStrategy[Expr], least: int = 0
) -> st.SearchStrategy[tuple[Expr, ...]]:
    return st.lists(items, min_size=least, max_size=3).map(tuple)


def grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """Expressions made of smaller ones."""
    items = inner | st.builds(Starred, inner)
    keywords = st.lists(
        st.tuples(identifiers, inner), max_size=2, unique_by=lambda k: k[0]
    )
    calls = st.builds(Call, names | inner, many(items), keywords.map(tuple))
    maybe = st.none() | inner
    slices = st.builds(Slice, maybe, maybe, maybe)
    indices = st.lists(st.one_of(inner, slices), min_size=1, max_size=3).map(tuple)
    loops = st.builds(Comprehension, inner, places, inner, maybe, st.booleans())
    return st.one_of(
        calls,
        calls,
        calls,
        st.builds(Call, names, st.tuples(loops)),
        st.builds(Attribute, inner, identifiers),
        st.builds(Subscript, names | inner, indices),
        st.builds(TupleExpr, many(items)),
        st.builds(ListExpr, many(items)),
        st.builds(DictExpr, st.lists(st.tuples(inner, inner), max_size=2).map(tuple)),
        st.builds(Unary, st.sampled_from(sorted(UNARY)), inner),
        st.builds(Binary, st.sampled_from(sorted(BINARY)), inner, inner),
        st.builds(Compare, st.sampled_from(sorted(COMPARISONS)), inner, inner),
        st.builds(Logic, st.sampled_from(sorted(LOGIC)), many(inner, 2)),
        st.builds(Conditional, inner, inner, inner),
        loops,
        st.builds(
            lambda f, args, body: Call(f, (Lambda(args, body),)),
            names,
            st.lists(identifiers, max_size=2, unique=True).map(tuple),
            inner,
        ),
    )


@cache
def expression(depth: int) -> st.SearchStrategy[Expr]:
    """Expressions of a depth. Deferred, lest Hypothesis write them all out as a name."""
    if not depth:
        return atoms
    inner = st.deferred(lambda: expression(depth - 1))
    return st.one_of(atoms, grown(inner), grown(inner))


expressions = st.deferred(lambda: expression(3))
comments = st.just("") | st.text(max_size=80) | LENGTHS.map(lambda n: "c" * n)
docstrings = st.just("") | st.text(max_size=120)
targets = st.one_of(names, names, st.builds(Subscript, names, st.tuples(atoms)))


@st.composite
def parameters(draw: st.DrawFn) -> tuple[FunctionParameter, ...]:
    found = draw(st.lists(identifiers, max_size=4, unique=True))
    plain = draw(st.integers(0, len(found)))
    notes = st.none() | names
    return tuple(
        FunctionParameter(name, draw(notes), draw(literals) if i >= plain else None)
        for i, name in enumerate(found)
    )


def is_text(expr: Expr) -> bool:
    return isinstance(expr, Literal) and isinstance(expr.value, str)


simple = st.one_of(
    st.builds(Assign, st.tuples(names), expressions, st.none(), comments),
    st.builds(Assign, st.tuples(names), expressions, st.none(), comments),
    st.builds(Assign, many(targets, 1), expressions, st.none(), comments),
    st.builds(Assign, st.tuples(names), st.none() | expressions, names, comments),
    st.builds(AugAssign, names, st.sampled_from(sorted(BINARY)), expressions, comments),
    st.builds(ExprStatement, expressions.filter(lambda x: not is_text(x)), comments),
    st.builds(Return, st.none() | expressions, comments),
    st.builds(Raise, expressions, comments),
    st.builds(CommentLine, comments),
    st.builds(Blank),
)


def compound(inner: st.SearchStrategy[Stmt]) -> st.SearchStrategy[Stmt]:
    """Statements made of others."""
    bodies = st.lists(inner, max_size=3).map(tuple)
    functions = st.builds(
        Function, identifiers, parameters(), st.none() | names, bodies, docstrings
    )
    return st.one_of(
        st.builds(For, places, expressions, bodies, comments),
        st.builds(If, expressions, bodies, bodies, comments),
        functions,
        st.builds(Class, identifiers, many(names), docstrings, bodies),
    )


@cache
def statement(depth: int) -> st.SearchStrategy[Stmt]:
    """Statements nested up to a depth."""
    if not depth:
        return simple
    inner = st.deferred(lambda: statement(depth - 1))
    return st.one_of(simple, compound(inner))


statements = st.deferred(lambda: statement(2))
modules = st.builds(
    Module,
    docstrings,
    st.lists(
        st.builds(Import, identifiers, st.lists(identifiers, max_size=3).map(tuple)),
        max_size=3,
    ).map(tuple),
    st.lists(statements, min_size=1, max_size=6).map(tuple),
)


@SLOW
@given(modules)
def test_ruff_changes_nothing(module: Module) -> None:
    printed = print_module(module)
    assert printed == ruff_format(printed)


@pytest.mark.parametrize("length", range(60, 95))
def test_every_length_of_line_and_comment(length: int) -> None:
    name = Name("n" * (length // 2))
    other = Name("m" * (length - length // 2))
    values: list[Expr] = [
        name,
        other,
        Binary("+", name, other),
        Call(name, (other,)),
        Call(Attribute(Call(Name("f"), (name,)), "g"), (other, Name("x"))),
        Call(
            Attribute(Call(Attribute(Call(Attribute(name, "f"), (other,)), "g")), "h")
        ),
        Conditional(Name("t"), name, other),
        Subscript(name, (other, Slice(None, Name("a.b")))),
        Unary("not", Compare("==", name, other)),
        Comprehension(name, Name("i"), other),
        TupleExpr((name, other)),
        Binary("+", Name("x"), Call(name, (other,))),
    ]
    body: list[Stmt] = []
    for value in values:
        body += [
            Assign((Name("self.layer"),), value, comment="[B, T, width]"),
            Assign((Name("a"), Name("b")), value),
            Return(value, "c" * (length - 40)),
            ExprStatement(value),
            If(value, (For(Name("i"), value, (), "again and again"),)),
        ]
    verbatim = Verbatim('class A:\n    """A class."""\n\n    x = 1\n')
    printed = print_module(
        Module("Doc.", (Import("torch"),), (verbatim, *body, verbatim))
    )
    assert printed == ruff_format(printed)


@pytest.mark.parametrize("annotation", [None, Name("int")])
@pytest.mark.parametrize("length", range(60, 90))
def test_a_single_param_of_every_length(annotation: Expr | None, length: int) -> None:
    params = (
        FunctionParameter(name="a" * 8, annotation=annotation, default=Literal(None)),
    )
    printed = print_module(Module("", (), (Function("f" * length, params),)))
    assert printed == ruff_format(printed)
