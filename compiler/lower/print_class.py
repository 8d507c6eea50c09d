"""From the IR of a class to its Python: the last pass, in which every hole is filled."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from compiler.codegen.python import Expr, Name, lit
from compiler.codegen.statements import Class, Function, FunctionParameter, Stmt
from compiler.codegen.traversal import filled, map_line, placeholders
from compiler.ir.module import ScopeName
from compiler.language.spec import Spec
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_steps import Steps
from compiler.lower.class_text import ClassText
from compiler.lower.constructors import Constructors
from compiler.lower.documentation import class_docstring
from compiler.lower.evaluate_code import folded_numbers, number_code
from compiler.lower.initialization import names_in_reset
from compiler.lower.member_code import holds_numbers
from compiler.lower.print_body import BodyPrinter
from compiler.lower.print_constructor import ConstructorPrinter
from compiler.lower.print_steps import methods
from compiler.lower.sizes import Kept


def print_class(
    ir: ClassIR,
    constructors: Constructors,
    spec: Spec,
    reset: Sequence[Stmt],
    calls_reset: bool,
    steps: Steps | None = None,
    *,
    every_line: bool = False,
) -> Class:
    """The definition of a class. `reset` are the lines of its `reset_parameters`."""
    asked = names_in_reset(reset)
    printer = BodyPrinter(ir, constructors, steps, asked, every_line=every_line)
    text, conditions = printer.text, printer.conditions
    init = ConstructorPrinter(printer.ir, constructors, text, conditions)
    constructor = init.function(calls_reset)
    empty = len(constructor.body) == 1 and len(constructor.params) == 1
    base = "nn.ModuleDict" if holds_numbers(ir) else "nn.Module"
    body: list[Stmt] = [] if empty else [constructor]
    if reset:
        body.append(
            Function(
                "reset_parameters",
                (FunctionParameter("self"),),
                lit(None),
                tuple(_reset_lines(reset, text)),
            )
        )
    body += methods(printer, steps)
    signature = constructors.of(ir.plan)
    docstring = class_docstring(ir.plan, spec, signature, text.shapes)
    return Class(ir.plan.name, (Name(base),), docstring, tuple(body))


def _reset_lines(lines: Iterable[Stmt], text: ClassText) -> Iterator[Stmt]:
    """The lines of `reset_parameters` with every name as the object keeps it."""
    known = text.plan.fixed

    def fill(key: Hashable) -> Expr:
        assert isinstance(key, ScopeName), key
        kept = Kept(key.name)
        return number_code(known[kept.name]) if kept.name in known else text.fill(kept)

    def one(code: Expr) -> Expr:
        asks = bool(placeholders(code))
        done = filled(code, fill)
        return folded_numbers(done) if asks and known else done

    return (map_line(line, one) for line in lines)
