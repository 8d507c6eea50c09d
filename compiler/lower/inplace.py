"""Values that may be overwritten: new ones, which nothing else takes and no gradient needs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from compiler.codegen.traversal import placeholders
from compiler.ir.module import Let, Local, Stmt, defined, reads
from compiler.lower.class_ir import ClassIR


def overwrite(ir: ClassIR) -> ClassIR:
    """Let a layer put its result where its input was, if that is new and it alone takes it.

    Neither of them may be under a condition or in copies, where another value could stand behind the same name.
    """
    if not ir.overwriting:
        return ir
    keys = [key for statement in ir.body.statements for key in reads(statement)]
    keys += [key for output in ir.body.outputs for key in placeholders(output)]
    read = Counter(key for key in keys if isinstance(key, Local))
    sources = {source for source, _ in ir.overwriting.values()}
    new = {
        value
        for statement in ir.body.statements
        if isinstance(statement, Let)
        for value in defined(statement.target)
        if value in sources and _is_new(ir, statement.layer)
    }

    def one(statement: Stmt) -> Stmt:
        if not isinstance(statement, Let):
            return statement
        for value in defined(statement.target):
            source, code = ir.overwriting.get(value.number, (None, statement.value))
            if source in new and read[source] == 1:
                return replace(statement, value=code)
        return statement

    body = replace(ir.body, statements=tuple(map(one, ir.body.statements)))
    return replace(ir, body=body)


def _is_new(ir: ClassIR, layer: str) -> bool:
    """Whether a layer always runs, and gives a new tensor that its own gradient does without."""
    if layer not in ir.plan.layers or ir.plan.layers[layer].node.layer.when is not None:
        return False
    return all(
        run.call.op is not None and run.call.op.fresh for run in ir.plan.runs(layer)
    )
