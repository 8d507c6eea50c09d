"""Supervised learning: tasks that predict the same of every example, whatever its form."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import Field

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import either, listed, shorten
from compiler.ir.typed import Instance
from compiler.tasks.data_facts import Answer, DataFacts, Form
from compiler.tasks.example_inputs import FORMS, check_inputs
from compiler.tasks.losses import Loss
from compiler.tasks.metrics import Better, Metric, Metrics
from compiler.tasks.ports import FREE, PortCheck, Wanted, bound
from compiler.tasks.roles import Role
from compiler.tasks.task import Task

OPTIONS: Final = {"classes": "label", "numbers": "target", "labels": "labels"}
"""The options by which a data set of the user's has each form of answer."""


class Supervised(Task):
    """The options of supervised tasks.

    Attributes:
        metrics: further metrics of every evaluation.
        losses: losses of further outputs, by output: each is added with its weight.
        best: the metric that tells the best weights, and for early stopping; default: that of the kind.
    """

    forms: ClassVar[tuple[Form, ...]] = FORMS
    answer: ClassVar[Answer]
    """What is predicted of an example."""
    output: ClassVar[str]
    """The role of the output that predicts it."""
    measured: ClassVar[Mapping[str, Better]]
    """The metrics of every evaluation."""

    losses: dict[str, Loss] = Field(default={})
    metrics: Metrics = ()
    best: str | None = None

    @property
    def used_roles(self) -> tuple[Role, ...]:
        others = (Role(port, "output", "", "") for port in self.losses)
        return (*self.roles, *others)

    @property
    def best_metric(self) -> tuple[str, Better]:
        better = {**self.measured, **{one.label: one.better for one in self.metrics}}
        return (self.best, better[self.best]) if self.best else super().best_metric

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
        self._check_losses(check, net, facts)
        self._check_metrics(check)

    @abstractmethod
    def check_outputs(self, check: PortCheck, net: Instance, facts: DataFacts) -> None:
        """Report outputs that do not fit the task or the data."""

    def _check_losses(self, check: PortCheck, net: Instance, facts: DataFacts) -> None:
        """Report further losses of outputs that do not fit, or do not exist."""
        own = bound(net.outputs, self.output, self.ports)
        for port, loss in self.losses.items():
            path = ("losses", port)
            if port not in net.scope.outputs:
                known = [name for name in net.scope.outputs if name != own]
                message = f"there is no output {shorten(port)}"
                help = suggest(port, known) or f"the others are {listed(known)}"
                check.report("task-misfit", path, message, help=help, key=True)
            elif check.lacks(net, port):
                continue
            elif port == own:
                message = (
                    f"{port} is the output of the task, whose loss is {self.kind}'s"
                )
                check.report("task-misfit", path, message, key=True)
            elif loss.answer not in facts.answers:
                message = f"{loss.name} is a loss of {loss.answer}"
                label = f"{self.data.name} has {either(facts.answers)}"
                check.report("data-misfit", path, message, label)
            elif self.check_targets(check, loss, facts, path):
                check_output(check, net, port, loss, facts)

    def check_targets(
        self, check: PortCheck, loss: Loss, facts: DataFacts, path: tuple[str, ...]
    ) -> bool:
        """Whether the data has the numbers that a loss names; reports those that it lacks."""
        unknown = [name for name in loss.targets if name not in facts.targets]
        for name in unknown:
            help = suggest(name, facts.targets) or f"it has {listed(facts.targets)}"
            message = f"{self.data.name} has no number {shorten(name)} to predict"
            check.report("bad-value", path, message, help=help)
        return not unknown

    def _check_metrics(self, check: PortCheck) -> None:
        """Report metrics of something else than the task predicts, and a best one that is not measured."""
        for number, metric in enumerate(self.metrics):
            if self.answer not in metric.answers:
                message = f"{metric.name} is a metric of {either(metric.answers)}"
                label = f"{self.kind} predicts {self.answer}"
                check.report("task-misfit", ("metrics", number), message, label)
        known = [*self.measured, *(one.label for one in self.metrics)]
        if self.best is not None and self.best not in known:
            message = f"{shorten(self.best)} is not measured"
            there = self.best in Metric.members()
            help = (
                f"write metrics: [{self.best}]" if there else suggest(self.best, known)
            )
            help = help or f"the metrics are {listed(known)}"
            check.report("bad-value", ("best",), message, help=help)

    def check_loss(self, check: PortCheck, loss: Loss) -> None:
        """Report a loss that compares something else than the task predicts."""
        if loss.answer != self.answer:
            message = f"{loss.name} is a loss of {loss.answer}"
            label = f"{self.kind} predicts {self.answer}"
            check.report("task-misfit", ("loss",), message, label)


def check_output(
    check: PortCheck, net: Instance, role: str, loss: Loss, facts: DataFacts
) -> None:
    """Report an output that does not have the type that its loss needs."""
    match loss.answer:
        case "classes":
            count = facts.classes
        case "labels":
            count = len(facts.labels) or None
        case "numbers":
            count = len(loss.targets or facts.targets)
    found = net.outputs.get(bound(net.outputs, role, check.ports))
    flat = (
        loss.answer == "numbers"
        and count == 1
        and found is not None
        and found.rank == 1
    )
    sizes: tuple[Wanted, ...] = (FREE,) if flat else (FREE, count)
    check.output(net, role, "float", sizes)
