"""Semantic segmentation: the class of every pixel (Long et al., 2014)."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.class_weights import ClassWeights, check_class_weights
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class Segmentation(Task):
    """The class of every pixel of an image.

    The loss is the cross-entropy over the pixels; pixels whose class is 255 do not count. The
    metric is the intersection over union of predicted and true pixels of a class (IoU), its mean
    over the classes. `predict -o FOLDER` writes masks.

    Attributes:
        class_weights: factors of the loss of a pixel by its class, for those named; `balanced` weighs all classes the
            same, and a number is the exponent of the inverse frequency of a class. The mean factor of training pixels
            is 1.
    """

    forms: ClassVar[tuple[Form, ...]] = ("segmented images",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("image", "input", "float[B, C, H, W]", "an image"),
        Role(
            "logits",
            "output",
            "float[B, classes, H, W]",
            "logits of the classes of each pixel",
        ),
    )
    metric: ClassVar[str] = "iou"
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    example: ClassVar[str] = """\
kind: segmentation
data: {digit_scenes: {size: 48, augment: [{rotate: {degrees: 10}}]}}
epochs: 20
"""

    kind: Literal["segmentation"]
    class_weights: ClassWeights | None = None

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        check_class_weights(check, self.class_weights, facts.class_names, "class")
        channels, height, width = facts.image or (None, None, None)
        check.input(net, "image", "float", (FREE, channels, height, width))
        check.fed(net, ("image",))
        check.output(net, "logits", "float", (FREE, facts.classes, height, width))
