"""Classification: one of several classes for an image, a text or a sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.symbolic.tensor import Kind
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Share
from compiler.tasks.ports import FREE, PortCheck, Wanted
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class Classification(Task):
    """One of several classes for an image, a sequence or a text.

    The loss is the cross-entropy over the classes. The network has the input
    `image`, `sequence` or `tokens`, depending on the data. Every evaluation plots the confusion
    matrix.

    Attributes:
        label_smoothing: target mass spread evenly over the classes (Szegedy et al., 2016).
    """

    forms: ClassVar[tuple[Form, ...]] = ("images", "sequences", "labelled text")
    roles: ClassVar[tuple[Role, ...]] = (
        Role("image", "input", "float[B, C, H, W]", "an image"),
        Role("sequence", "input", "float[B, T, C]", "a sequence of vectors"),
        Role("tokens", "input", "int[B, T]", "a text; token 0 is padding"),
        Role(
            "mask",
            "input",
            "bool[B, T]",
            "true at tokens, false at padding",
            optional=True,
        ),
        Role("logits", "output", "float[B, classes]", "logits of the classes"),
    )
    metric: ClassVar[str] = "accuracy"
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    example: ClassVar[str] = """\
kind: classification
data: {digits: {augment: [{shift: {pixels: 1}}, {rotate: {degrees: 10}}]}}
label_smoothing: 0.1
epochs: 30
"""

    kind: Literal["classification"]
    label_smoothing: Share = 0.0

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        role, kind, sizes = input_of(facts)
        port = check.input(net, role, kind, sizes)
        masked = role == "tokens" and "mask" in net.scope.inputs
        if masked:
            check.input(net, "mask", "bool", (FREE, None))
        check.fed(net, (role, "mask") if masked else (role,))
        if role == "tokens" and port:
            check.tokens(net, port, facts.vocab, self.data.name)
        check.output(net, "logits", "float", (FREE, facts.classes))


def input_of(facts: DataFacts) -> tuple[str, Kind, tuple[Wanted, ...]]:
    """The role of an example in a network, and its type."""
    if facts.form == "images":
        return "image", "float", (FREE, *(facts.image or (None, None, None)))
    if facts.form == "sequences":
        return "sequence", "float", (FREE, None, facts.features)
    return "tokens", "int", (FREE, None)
