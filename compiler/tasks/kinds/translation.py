"""Translation: from one sequence of tokens to another (Sutskever et al., 2014)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.decoding import Decoding
from compiler.tasks.formulas import Count, Share
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class Translation(Task):
    """One sequence of tokens from another.

    In training, each token of the target is predicted from those before it (teacher
    forcing); the output at a position must not depend on later tokens of the target.
    Translations are decoded token by token, and evaluated by BLEU and chrF, and as answers: by
    the fraction of exact ones and the F1 of their words. Token 0 is padding; both sides end
    with token 2, and targets start with token 1.

    Attributes:
        label_smoothing: target mass spread evenly over the tokens (Szegedy et al., 2016).
        scheduled_sampling: the probability, at the end of training, that a token of the target is
            replaced by the network's own (Bengio et al., 2015); it rises linearly.
        decoding: how translations are decoded.
        decode_every: number of epochs between evaluations that decode translations.
    """

    forms: ClassVar[tuple[Form, ...]] = ("pairs",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("source", "input", "int[B, S]", "the source text"),
        Role("target", "input", "int[B, T]", "the target text before each token"),
        Role(
            "logits",
            "output",
            "float[B, T, vocab]",
            "logits of the next token at each position",
        ),
    )

    decodes: ClassVar[str] = "target"
    example: ClassVar[str] = """\
kind: translation
data: {verses: {tokens: {bpe: 4000}}}
label_smoothing: 0.1
schedule: {noam: {width: 256, warmup: 1000}}
optimizer: {adam: {lr: 1.0, betas: [0.9, 0.98], eps: 1e-9}}
decoding: {beam: 4}
"""

    kind: Literal["translation"]
    label_smoothing: Share = 0.0
    scheduled_sampling: Share = 0.0
    decoding: Decoding = Field(default_factory=Decoding)
    decode_every: Count = 0

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        source = check.input(net, "source", "int", (FREE, FREE))
        target = check.input(net, "target", "int", (FREE, FREE))
        check.fed(net, ("source", "target"))
        if source:
            check.tokens(net, source, facts.vocab, f"the source of {self.data.name}")
        if target:
            name = f"the target of {self.data.name}"
            check.tokens(net, target, facts.target_vocab, name)
        check.output(net, "logits", "float", (FREE, FREE, facts.target_vocab))
