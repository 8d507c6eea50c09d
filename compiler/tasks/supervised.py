"""Supervised learning: tasks that predict the same of every example, whatever its form."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final

from compiler.diagnostics.text import either
from compiler.ir.typed import Instance
from compiler.tasks.data_facts import Answer, DataFacts, Form
from compiler.tasks.example_inputs import FORMS, check_inputs
from compiler.tasks.losses import Loss
from compiler.tasks.ports import PortCheck
from compiler.tasks.task import Task

OPTIONS: Final = {"classes": "label", "numbers": "target", "labels": "labels"}
"""The options by which a data set of the user's has each form of answer."""


class Supervised(Task):
    """The options of supervised tasks.

    Attributes:
        answer: what is predicted of an example.
    """

    forms: ClassVar[tuple[Form, ...]] = FORMS
    answer: ClassVar[Answer]

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        if self.answer not in facts.answers:
            message = f"{self.kind} predicts {self.answer}"
            label = f"{self.data.name} has {either(facts.answers)}"
            option = OPTIONS[self.answer]
            known = option in type(self.data).model_fields
            help = f"name columns by the option `{option}`" if known else ""
            check.report("data-misfit", ("data",), message, label, help)
            return
        check_inputs(check, net, facts, self.data.name)
        self.check_outputs(check, net, facts)

    @abstractmethod
    def check_outputs(self, check: PortCheck, net: Instance, facts: DataFacts) -> None:
        """Report outputs that do not fit the task or the data."""

    def check_loss(self, check: PortCheck, loss: Loss) -> None:
        """Report a loss that compares something else than the task predicts."""
        if loss.answer != self.answer:
            message = f"{loss.name} is a loss of {loss.answer}"
            label = f"{self.kind} predicts {self.answer}"
            check.report("task-misfit", ("loss",), message, label)
