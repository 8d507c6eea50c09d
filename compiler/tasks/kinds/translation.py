"""Translation: from one sequence of tokens to another (Sutskever et al., 2014)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from compiler.language.model import Model
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Count, NotNegative, Share, Whole
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class Decoding(Model):
    """How a translation is found.

    Attributes:
        beam: hypotheses that are kept; 1 is greedy decoding.
        length_penalty: the exponent of the length by which scores are divided (Wu et al., 2016).
        most: tokens of a translation at most.
    """

    beam: Whole = 1
    length_penalty: NotNegative = 0.6
    most: Whole = 100


class Translation(Task):
    """One sequence of tokens from another.

    In training the target is given up to each token, and that token is to be told
    (teacher forcing); what the network says of one place must not depend on the tokens of the target
    behind it. Afterwards translations are found token by token, and judged by BLEU and
    chrF. Token 0 is padding; both sides end with token 2, and targets start with token 1.

    Attributes:
        label_smoothing: the share of the truth that all tokens get alike (Szegedy et al., 2016).
        scheduled_sampling: the probability, at the end of training, that a token of the target is
            replaced by the network's own (Bengio et al., 2015); it rises in a straight line.
        decoding: how translations are found.
        decode_every: epochs between evaluations that also translate.
    """

    forms: ClassVar[tuple[Form, ...]] = ("pairs",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("source", "input", "int[B, S]", "what is to be translated"),
        Role("target", "input", "int[B, T]", "its translation up to some token"),
        Role("logits", "output", "float[B, T, vocab]", "a score for each next token"),
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
