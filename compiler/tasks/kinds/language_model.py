"""Language modelling: the next token of a text."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class LanguageModel(Task):
    """The next token at every position of a text.

    The loss is the cross-entropy of the next token, also reported as
    perplexity and bits per character. The output at a position must not depend on later
    tokens. `generate` writes text with it. Of dialogues only the replies of the assistant are
    learned; `generate` replies to a prompt, and the final evaluation counts the last replies
    that are exactly as expected.
    """

    forms: ClassVar[tuple[Form, ...]] = ("text", "dialogues")
    roles: ClassVar[tuple[Role, ...]] = (
        Role("tokens", "input", "int[B, T]", "the text before each token"),
        Role(
            "logits",
            "output",
            "float[B, T, vocab]",
            "logits of the next token at each position",
        ),
    )

    decodes: ClassVar[str] = "tokens"
    example: ClassVar[str] = """\
kind: language_model
data: {kjv: {tokens: characters, length: 256}}
minutes: 15
optimizer: {adamw: {lr: 2e-3}}
schedule: {cosine: {warmup: 200}}
"""

    kind: Literal["language_model"]

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        port = check.input(net, "tokens", "int", (FREE, FREE))
        check.fed(net, ("tokens",))
        if port:
            check.tokens(net, port, facts.vocab, self.data.name)
        check.output(net, "logits", "float", (FREE, FREE, facts.vocab))
