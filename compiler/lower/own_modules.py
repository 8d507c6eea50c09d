"""Torch's own modules in place of those that generated code carries for torch.compile and torch.export.

`nn.LSTM` and its like stop a graph of torch.compile, and fix the number of steps in one of torch.export. A file that
is for neither has them as they are: the weights, their names and the results are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from compiler.codegen.python import Call, Expr, Name, lit
from compiler.codegen.statements import Stmt
from compiler.codegen.traversal import map_line, mapped
from compiler.lower.class_ir import ClassIR
from compiler.op.registry import own_modules

RecurrentModules = Literal["torch", "portable"]
"""Whose LSTM, GRU and RNN a file has: torch's, or those that torch.compile and torch.export take whole."""


def with_own_modules(ir: ClassIR) -> ClassIR:
    """A class that holds torch's own modules where there are some."""
    if not ir.library:
        return ir
    held = tuple(replace(one, build=_with_own(one.build)) for one in ir.held)
    carried = {op.library for op in own_modules().values()}
    return replace(ir, held=held, library=ir.library - carried)


def named_after_torch(lines: Sequence[Stmt]) -> list[Stmt]:
    """The lines of `reset_parameters` that look for these modules."""
    return [map_line(line, _with_own) for line in lines]


def _with_own(code: Expr) -> Expr:
    """Code with torch's modules for those of the library, and what they are to be told besides."""
    match code:
        case Call(Name(kind), args, kwargs) if kind in own_modules():
            op = own_modules()[kind]
            options = tuple((key, lit(value)) for key, value in op.own_options.items())
            return Call(Name(op.own_module), args, (*kwargs, *options))
        case Name(kind) if kind in own_modules():
            return Name(own_modules()[kind].own_module)
    return mapped(code, _with_own)
