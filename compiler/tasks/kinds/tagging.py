"""Tagging: a tag for each token of a text."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class Tagging(Task):
    """A tag for each token of a text.

    The loss is the cross-entropy of the tags. With the output `transitions`, the score of each
    tag after each other one, the network is a conditional random field (Lafferty et al., 2001;
    Huang et al., 2015): the loss is that of the whole sequence of tags, and the likeliest
    sequence is found by Viterbi's algorithm. Evaluation counts F1 over all tags but `O`, and
    of each tag; of entities, if the tags begin with `B-` and `I-`; beside those of the most
    frequent tag of each word. `predict` tags texts, and restores what a data set took away.
    """

    forms: ClassVar[tuple[Form, ...]] = ("tagged text",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("tokens", "input", "int[B, T]", "a text; token 0 is padding"),
        Role(
            "mask",
            "input",
            "bool[B, T]",
            "true at tokens, false at padding",
            optional=True,
        ),
        Role("logits", "output", "float[B, T, tags]", "logits of the tags"),
        Role(
            "transitions",
            "output",
            "float[tags, tags]",
            "score of each tag, a row, before each other, a column",
            optional=True,
        ),
    )
    metric: ClassVar[str] = "f1"
    better: ClassVar[Literal["lower", "higher"]] = "higher"
    example: ClassVar[str] = """\
kind: tagging
data: {punctuation: {words: 8000}}
epochs: 5
optimizer: {adamw: {lr: 2e-3}}
"""

    kind: Literal["tagging"]

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        port = check.input(net, "tokens", "int", (FREE, FREE))
        masked = self.has(net.scope.inputs, "mask")
        if masked:
            check.input(net, "mask", "bool", (FREE, FREE))
        check.fed(net, ("tokens", "mask") if masked else ("tokens",))
        if port:
            check.tokens(net, port, facts.vocab, self.data.name)
        check.output(net, "logits", "float", (FREE, FREE, facts.classes))
        if self.has(net.outputs, "transitions"):
            sizes = (facts.classes, facts.classes)
            check.output(net, "transitions", "float", sizes)
