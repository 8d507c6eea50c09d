"""Networks against data that has been read: what the compiler could not know before."""

from __future__ import annotations

from compiler.diagnostics.diagnostic import Report
from compiler.pipeline import Program
from compiler.tasks.check_task import resolved
from compiler.tasks.data_facts import Facts
from compiler.tasks.ports import Fit
from compiler.tasks.task import Task


def hold_against(program: Program, task: Task, facts: Facts) -> None:
    """Check that the networks take what the data holds.

    Raises:
        SpecError: where they do not.
    """
    report = Report()
    document = resolved(program.typed, program.variant, program.changes)
    task.check(Fit(program.typed, document, task.ports, task.kind, report), facts)
    report.raise_if_failed()
