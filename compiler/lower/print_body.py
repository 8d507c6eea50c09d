"""A body of a class as a method: `forward`, or a part of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from compiler.codegen.line_breaks import INDENT
from compiler.codegen.printer import WIDTH
from compiler.codegen.python import lit
from compiler.codegen.statements import Function, FunctionParameter, Stmt
from compiler.ir.module import Body
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_steps import Steps
from compiler.lower.class_text import ClassText
from compiler.lower.constructors import Constructors, either_none
from compiler.lower.join_conditions import join_conditions
from compiler.lower.name_conditions import name_conditions
from compiler.lower.names import check_names
from compiler.lower.print_statements import StatementPrinter
from compiler.lower.state_types import tensors
from compiler.lower.static_types import TENSOR, returning, typed_calls
from compiler.lower.tidy import tidy


class BodyPrinter:
    """Prints methods that run one body of a class; `asked` are the params that others of its methods ask for."""

    def __init__(
        self,
        ir: ClassIR,
        constructors: Constructors,
        steps: Steps | None,
        asked: Iterable[str] = (),
        *,
        every_line: bool = False,
    ) -> None:
        self.constructors, self.steps = constructors, steps
        self.every_line = every_line
        known = constructors.of(ir.plan).all
        before = ir.before
        ir, self.conditions = name_conditions(ir, known)
        if before is not None:
            _, more = name_conditions(replace(ir, body=before), known)
            self.conditions = {**self.conditions, **more}
        ir = join_conditions(ir)
        self.text = ClassText(ir, steps, asked, self.conditions)
        if not every_line:
            ir = tidy(ir, self.text, WIDTH - 2 * INDENT)
        check_names(ir, self.text.names)
        self.ir, self.plan = ir, ir.plan

    def function(
        self,
        name: str,
        inputs: Sequence[FunctionParameter],
        settings: Iterable[FunctionParameter] = (),
        begin: Iterable[Stmt] = (),
        optional: Collection[int] | None = None,
    ) -> Function:
        """The body as a method; `optional` are the results that may be None, by default those of the scope."""
        lines = list(begin)
        statements = StatementPrinter(self.ir, self.text)
        for statement in self.ir.body.statements:
            lines += statements.lines(statement)
        outputs = [self.text.code(output) for output in self.ir.body.outputs]
        known = {self.text.names[value] for _, value in self.ir.body.inputs}
        if optional is None:
            names = enumerate(self.plan.scope.outputs)
            optional = [n for n, name in names if name in self.plan.scope.optional]
        returning(lines, outputs, known, either_none(TENSOR) if optional else TENSOR)
        return Function(
            name,
            (FunctionParameter("self"), *inputs, *settings),
            tensors(len(outputs), optional),
            tuple(typed_calls(lines)),
        )

    def of_body(self, body: Body) -> BodyPrinter:
        """The printer of another body of the same class."""
        ir = replace(self.ir, body=body, before=None)
        other = BodyPrinter(
            ir,
            self.constructors,
            self.steps,
            every_line=self.every_line,
        )
        other.text.kept, other.text.flags = self.text.kept, self.text.flags
        return other

    def inputs(self, ports: Collection[str] | None = None) -> list[FunctionParameter]:
        """The inputs of `forward` as its parameters, or some of them."""
        made = self.ir.prepared
        values = {port: v for port, v in self.ir.body.inputs if v not in made}
        found = []
        for port in self.plan.ports():
            if port not in values or (ports is not None and port not in ports):
                continue
            optional = self.plan.is_optional(port)
            kind = either_none(TENSOR) if optional else TENSOR
            name = self.text.names[values[port]]
            default = lit(None) if optional else None
            found.append(FunctionParameter(name, kind, default))
        return found
