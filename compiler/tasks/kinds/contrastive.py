"""Contrastive learning: vectors that are near where things belong together (Chopra et al., 2005)."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from compiler.ir.typed import Instance
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Positive
from compiler.tasks.ports import FREE, PortCheck, Wanted
from compiler.tasks.roles import Role
from compiler.tasks.task import Task

SIMILARITY: Final = "similarity"
"""The network that compares vectors, which a spec may lack."""


class Contrastive(Task):
    """Vectors of images that are near to those of their captions, or to those of other images of their class.

    With captioned images, the spec has the networks `image` and `text` (Radford et al., 2021),
    and may have a third, `similarity`, for the logits of all pairs. With labelled images it has
    one network, of which two copies with the same weights compare images (siamese networks;
    Khosla et al., 2020). Examples of a batch that show the same are positive pairs, all others
    negative. The metric is how often the nearest one is a positive: of images and captions, or of
    the other held-out images. The final evaluation adds baselines: chance (`.chance`), and the
    nearest image by its pixels (`.pixels`).

    Attributes:
        temperature: what cosines are divided by, if there is no network for that.
    """

    forms: ClassVar[tuple[Form, ...]] = ("captioned images", "images")
    roles: ClassVar[tuple[Role, ...]] = (
        Role("image", "input", "float[B, C, H, W]", "an image", network="image"),
        Role("image_embeds", "output", "float[B, D]", "its vector", network="image"),
        Role(
            "tokens",
            "input",
            "int[B, T]",
            "a caption; the greatest token is its end, token 0 padding",
            network="text",
        ),
        Role("text_embeds", "output", "float[B, D]", "its vector", network="text"),
        Role(
            "text_embeds",
            "input",
            "float[N, D]",
            "vectors of captions",
            True,
            SIMILARITY,
        ),
        Role(
            "image_embeds",
            "input",
            "float[M, D]",
            "vectors of images",
            True,
            SIMILARITY,
        ),
        Role(
            "logits_per_text",
            "output",
            "float[N, M]",
            "a logit for each pair",
            True,
            SIMILARITY,
        ),
    )
    metric: ClassVar[str] = "retrieval"
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    example: ClassVar[str] = """\
kind: contrastive
data: captioned_digits
epochs: 30
batch_size: 128
"""

    kind: Literal["contrastive"]
    temperature: Positive = 0.1

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        captioned = facts.form == "captioned images"
        image = check.network("image" if captioned else "")
        if image is not None:
            self._image(check, image, facts)
        if not captioned:
            return
        text = check.network("text")
        if text is not None:
            port = check.input(text, "tokens", "int", (FREE, FREE))
            check.fed(text, ("tokens",))
            if port:
                check.tokens(text, port, facts.vocab, self.data.name)
            check.output(text, "text_embeds", "float", (FREE, None))
        if SIMILARITY in check.typed.networks:
            net = check.typed.networks[SIMILARITY]
            for role in ("text_embeds", "image_embeds"):
                check.input(net, role, "float", (FREE, None))
            check.fed(net, ("text_embeds", "image_embeds"))
            check.output(net, "logits_per_text", "float", (FREE, FREE))

    def _image(self, check: PortCheck, net: Instance, facts: DataFacts) -> None:
        sizes: tuple[Wanted, ...] = facts.image or (None, None, None)
        check.input(net, "image", "float", (FREE, *sizes))
        check.fed(net, ("image",))
        check.output(net, "image_embeds", "float", (FREE, None))
