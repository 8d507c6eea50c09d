"""Layers whose code holds for no other number of copies: it lists a size for each, or none of a far one is known."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.codegen.python import Expr, Slice
from compiler.codegen.traversal import placeholders, walk
from compiler.infer.copy_course import FARTHEST, first_departure
from compiler.ir.module import Choose, Let, Loop, Stmt
from compiler.ir.typed import TypedNode
from compiler.lower.class_ir import ClassIR, Construct, Held
from compiler.lower.class_plan import Run
from compiler.lower.constructors import Constructors
from compiler.lower.copy_sizes import is_listed
from compiler.lower.scope_code import value_code


def listed_copies(ir: ClassIR, constructors: Constructors) -> Iterator[TypedNode]:
    """The repeated layers of a class whose sizes follow no rule that is known to hold for any number of copies.

    `size_of_copy` has found a list of sizes, or sizes of copies that are too far away to be inferred differ.
    """
    for name, typed in ir.plan.layers.items():
        runs = ir.plan.runs(name)
        if typed.node.layer.repeat is not None and any(map(_differs_late, runs)):
            yield typed
    for held in ir.held:
        if held.copies and _has_list(_built(held, ir, constructors), held.typed):
            yield held.typed
    for statement in ir.body.statements:
        if isinstance(statement, Loop) and statement.layer in ir.plan.layers:
            typed = ir.plan.layers[statement.layer]
            if _has_list(_run(statement.body), typed):
                yield typed


def _differs_late(run: Run) -> bool:
    """Whether a copy has another number than those before it show, and comes after all that are inferred."""
    arguments, names = run.node.arguments, run.use.names
    copy = first_departure(arguments, names, run.node.count)
    return copy is not None and copy > FARTHEST


def _built(held: Held, ir: ClassIR, constructors: Constructors) -> Iterator[Expr]:
    """What is built for a copy: its module, and what the classes that it may have are given."""
    yield held.build
    for key in placeholders(held.build):
        if isinstance(key, Construct):
            for _, plan, runs in constructors.choices(key, ir):
                for name in constructors.of(plan).all:
                    code = constructors.argument(key, plan, runs, name, ir)
                    if code is not None:
                        yield code


def _run(body: tuple[Stmt, ...]) -> Iterator[Expr]:
    for statement in body:
        if isinstance(statement, Let):
            yield statement.value
        elif isinstance(statement, Choose):
            yield from _run(statement.body)


def _has_list(codes: Iterator[Expr], typed: TypedNode) -> bool:
    """Whether code takes an item of a list of sizes that the spec has not written."""
    written = {
        part for value in typed.arguments.values() for part in _lists(value_code(value))
    }
    return any(part not in written for code in codes for part in _lists(code))


def _lists(code: Expr) -> Iterator[Expr | Slice]:
    return (
        part for part in walk(code) if not isinstance(part, Slice) and is_listed(part)
    )
