"""Python statements and modules as immutable data; `python` has the expressions."""

from __future__ import annotations

import re

from compiler.codegen.python import (
    BINARY,
    Expr,
    Literal,
    Name,
    Value,
    check_name,
    check_operator,
    check_path,
    lit,
)
from compiler.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Assign:
    """`a, b = value # comment`, or `x: annotation = value` with an optional value."""

    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None = None
    comment: str = ""

    def __post_init__(self) -> None:
        if not self.targets or (self.annotation and len(self.targets) > 1):
            raise ValueError(
                "an assignment needs a target, and an annotated one exactly one"
            )
        if self.value is None and self.annotation is None:
            raise ValueError("an assignment needs a value or an annotation")


@dataclass(frozen=True, slots=True)
class AugAssign:
    """`target op= value`."""

    target: Expr
    op: str
    value: Expr
    comment: str = ""

    def __post_init__(self) -> None:
        check_operator(self.op, BINARY)


@dataclass(frozen=True, slots=True)
class ExprStatement:
    """An expression evaluated for its effect; not a string, which would be a docstring."""

    value: Expr
    comment: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.value, Literal) and isinstance(self.value.value, str):
            raise ValueError("a string alone has no effect")


@dataclass(frozen=True, slots=True)
class Return:
    """`return value`, or a bare `return`."""

    value: Expr | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Raise:
    """`raise value`."""

    value: Expr
    comment: str = ""


@dataclass(frozen=True, slots=True)
class For:
    """`for target in iterable:`."""

    target: Expr
    iterable: Expr
    body: tuple[Stmt, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class If:
    """`if test:`; an `orelse` that is a single If is printed as `elif`."""

    test: Expr
    body: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class FunctionParameter:
    """A parameter, `name: annotation = default`; the name can be `*`, `*x` or `**x`."""

    name: str
    annotation: Expr | None = None
    default: Expr | None = None

    def __post_init__(self) -> None:
        if self.name != "*":
            check_name(re.sub(r"\A\*\*?", "", self.name))


@dataclass(frozen=True, slots=True)
class Function:
    """`def name(params) -> returns:`; an empty body is printed as `pass`."""

    name: str
    params: tuple[FunctionParameter, ...] = ()
    returns: Expr | None = None
    body: tuple[Stmt, ...] = ()
    docstring: str = ""
    decorators: tuple[Expr, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.name)


@dataclass(frozen=True, slots=True)
class Class:
    """`class name(bases):`; an empty body is printed as `pass`."""

    name: str
    bases: tuple[Expr, ...] = ()
    docstring: str = ""
    body: tuple[Stmt, ...] = ()
    decorators: tuple[Expr, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.name)


@dataclass(frozen=True, slots=True)
class Import:
    """`import module`, or `from module import names`; a name can be `x as y`."""

    module: str
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part in self.module.split(" as "):
            check_path(part)
        for name in self.names:
            for part in name.split(" as "):
                check_name(part)


@dataclass(frozen=True, slots=True)
class CommentLine:
    """A comment on its own line; directly above a definition, it belongs to it."""

    text: str


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Trusted, formatted source code, from compiler/library only; never text of a spec."""

    text: str


@dataclass(frozen=True, slots=True)
class Blank:
    """A blank line between statements, where the formatter allows one."""


Stmt = (
    Assign
    | AugAssign
    | ExprStatement
    | Return
    | Raise
    | For
    | If
    | Function
    | Class
    | Import
    | CommentLine
    | Verbatim
    | Blank
)


@dataclass(frozen=True, slots=True)
class Module:
    """A file; its imports are printed sorted and in sections."""

    docstring: str = ""
    imports: tuple[Import, ...] = ()
    body: tuple[Stmt, ...] = ()


def assign(
    target: Expr | str,
    value: Value,
    *,
    annotation: Expr | None = None,
    comment: str = "",
) -> Assign:
    """`target = value # comment`; a str as the target is a name."""
    name = Name(target) if isinstance(target, str) else target
    return Assign((name,), lit(value), annotation, comment)
