"""The ports of encoders of text: tokens, optionally a mask and the numbers of segments, and logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compiler.ir.typed import Instance
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task

OPTIONAL_ROLES: Final[Mapping[str, Role]] = {
    "mask": Role(
        "mask", "input", "bool[B, T]", "true at tokens, false at padding", optional=True
    ),
    "segment_ids": Role(
        "segment_ids", "input", "int[B, T]", "the segment of each token", optional=True
    ),
}


def check_encoder_inputs(
    task: Task, check: PortCheck, net: Instance, vocab: int | None, source: str
) -> None:
    """Report inputs that are not tokens [B, T], a mask [B, T] or segments [B, T].

    Args:
        task: the task.
        check: where errors are reported.
        net: the network.
        vocab: number of tokens that the network must have vectors for; None if it is not known yet.
        source: what has them, for messages.
    """
    port = check.input(net, "tokens", "int", (FREE, FREE))
    found = [role for role in OPTIONAL_ROLES if task.has(net.scope.inputs, role)]
    for role in found:
        check.input(net, role, "bool" if role == "mask" else "int", (FREE, FREE))
    check.fed(net, ("tokens", *found))
    if port:
        check.tokens(net, port, vocab, source)


def check_logits(check: PortCheck, net: Instance, vocab: int | None) -> None:
    """Report logits that are not float[B, T, vocab], or of fewer tokens than there are; there may be more."""
    port = check.output(net, "logits", "float", (FREE, FREE, None))
    kind = net.outputs.get(port)
    if kind is None or vocab is None:
        return
    size = net.context.value(kind.shape[2]).constant
    if size is not None and size < vocab:
        check.output(net, "logits", "float", (FREE, FREE, vocab))
