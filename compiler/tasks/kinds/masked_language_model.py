"""Masked language modelling (Devlin et al., 2018)."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.encoder_ports import (
    OPTIONAL_ROLES,
    check_encoder_inputs,
    check_logits,
)
from compiler.tasks.formulas import Share
from compiler.tasks.ports import PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class MaskedLanguageModel(Task):
    """The tokens of a text that were masked (Devlin et al., 2018).

    Of every text a share of the tokens is chosen: 80 % of them are replaced by `[MASK]`, 10 %
    by a random token, and 10 % stay; the loss is the cross-entropy of what they were. `[MASK]`
    is the token after the last of the vocabulary: with `{bpe: 4000}` the network needs 4001.
    Evaluation reports the accuracy, beside that of the most frequent token, and the loss beside
    that of the frequencies of tokens. `predict` fills in each `[MASK]` of a text.

    Attributes:
        masked: share of the tokens that is chosen.
    """

    forms: ClassVar[tuple[Form, ...]] = ("text",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("tokens", "input", "int[B, T]", "a text with masked tokens"),
        *OPTIONAL_ROLES.values(),
        Role(
            "logits",
            "output",
            "float[B, T, vocab]",
            "logits of the token at each position",
        ),
    )
    example: ClassVar[str] = """\
kind: masked_language_model
data: {kjv: {tokens: {bpe: 4000}, length: 64}}
minutes: 15
optimizer: {adamw: {lr: 1e-3}}
"""

    kind: Literal["masked_language_model"]
    masked: Share = 0.15

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        vocab = None if facts.vocab is None else facts.vocab + 1
        source = f"{self.data.name} with [MASK]"
        check_encoder_inputs(self, check, net, vocab, source)
        check_logits(check, net, vocab)
