"""Replaced token detection (Clark et al., 2020)."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.encoder_ports import (
    OPTIONAL_ROLES,
    check_encoder_inputs,
    check_logits,
)
from compiler.tasks.formulas import Positive, Share
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class ReplacedTokens(Task):
    """Which tokens of a text a generator has replaced: ELECTRA (Clark et al., 2020).

    The spec has both as `networks`. The generator learns to fill in masked tokens; the
    discriminator tells of each token of what it wrote whether it is that of the text. `[MASK]`
    is the token after the last of the vocabulary. Evaluation reports the discriminator's
    precision, recall and F1 of replaced tokens; `f1.all` is that of taking all for replaced.
    `predict` gives the tokens that seem replaced.

    Attributes:
        masked: share of the tokens that the generator fills in.
        weight: of the discriminator's loss.
    """

    forms: ClassVar[tuple[Form, ...]] = ("text",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("tokens", "input", "int[B, T]", "a text"),
        *OPTIONAL_ROLES.values(),
        Role(
            "logits",
            "output",
            "float[B, T, vocab]",
            "logits of the token at each position",
            network="generator",
        ),
        Role(
            "logits",
            "output",
            "float[B, T]",
            "above 0 where the token seems replaced",
            network="discriminator",
        ),
    )
    metric: ClassVar[str] = "f1"
    better: ClassVar[Literal["lower", "higher"]] = "higher"
    example: ClassVar[str] = """\
kind: replaced_tokens
data: {kjv: {tokens: {words: 8000}, length: 64}}
minutes: 15
optimizer: {adamw: {lr: 1e-3}}
"""

    kind: Literal["replaced_tokens"]
    masked: Share = 0.15
    weight: Positive = 1.0

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        vocab = None if facts.vocab is None else facts.vocab + 1
        generator = check.network("generator")
        discriminator = check.network("discriminator")
        for net in (generator, discriminator):
            if net is not None:
                source = f"{self.data.name} with [MASK]"
                check_encoder_inputs(self, check, net, vocab, source)
        if generator is not None:
            check_logits(check, generator, vocab)
        if discriminator is not None:
            check.output(discriminator, "logits", "float", (FREE, FREE))
