"""Question answering: the part of a passage that answers a question (Rajpurkar et al., 2016)."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.encoder_ports import OPTIONAL_ROLES, check_encoder_inputs
from compiler.tasks.formulas import Whole
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class QuestionAnswering(Task):
    """The part of a passage that answers a question.

    The network reads the question, token 2, and the passage, and scores each token as the first
    and as the last of the answer (Devlin et al., 2018); segments are 0 for the question and 1
    for the passage. Evaluation reports the fraction of exact answers and their F1 in words, as
    SQuAD does, beside those of the most frequent answer. `predict` answers the question that a
    text begins with from the rest of it. Answers in words of their own are the task
    `translation` of pairs.

    Attributes:
        longest: maximum number of tokens of an answer.
    """

    forms: ClassVar[tuple[Form, ...]] = ("questions",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("tokens", "input", "int[B, T]", "a question and a passage"),
        *OPTIONAL_ROLES.values(),
        Role("start", "output", "float[B, T]", "logits of the first token"),
        Role("end", "output", "float[B, T]", "logits of the last token"),
    )
    metric: ClassVar[str] = "f1"
    better: ClassVar[Literal["lower", "higher"]] = "higher"
    example: ClassVar[str] = """\
kind: question_answering
data: {worlds: {sentences: 6}}
epochs: 10
optimizer: {adamw: {lr: 2e-3}}
"""

    kind: Literal["question_answering"]
    longest: Whole = 15

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        check_encoder_inputs(self, check, net, facts.vocab, self.data.name)
        for role in ("start", "end"):
            check.output(net, role, "float", (FREE, FREE))
