"""Object detection: where objects are and what they are, a box for each (FCOS; Tian et al., 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Positive
from compiler.tasks.ports import FREE, PortCheck, Wanted
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class Detection(Task):
    """Boxes around the objects of an image, and their classes, without anchors.

    The outputs are on a grid of cells over the image. `logits` has a score of each class at each cell. `boxes` has
    the distances from the middle of the cell to the left, top, right and bottom of its object, in cells, before
    softplus. A cell learns the smallest object whose middle is within 1.5 cells of its own. The loss of scores is
    the quality focal loss (Li et al., 2020): the score of the true class is the IoU of the box; that of boxes is
    1 - GIoU (Rezatofighi et al., 2019). Both are sums, divided by the number of objects.

    The metric is the average precision of COCO: its mean over classes and over IoUs from 0.5 to 0.95 (`map`);
    `map_50` is that at an IoU of 0.5. Of overlapping boxes of a class, the best stays (an IoU above 0.6). `predict`
    gives boxes in the pixels of the image, and with `-o FOLDER` draws them.

    Attributes:
        box_weight: weight of the loss of boxes.
    """

    forms: ClassVar[tuple[Form, ...]] = ("boxed images",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("image", "input", "float[B, C, H, W]", "an image"),
        Role(
            "logits",
            "output",
            "float[B, classes, rows, columns]",
            "logits of the classes at each cell",
        ),
        Role(
            "boxes",
            "output",
            "float[B, 4, rows, columns]",
            "distances to the left, top, right and bottom, in cells, before softplus",
        ),
    )
    metric: ClassVar[str] = "map"
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    example: ClassVar[str] = """\
kind: detection
data: {digit_scenes: {form: boxed images, size: 48}}
epochs: 20
"""

    kind: Literal["detection"]
    box_weight: Positive = 2.0

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        channels, height, width = facts.image or (None, None, None)
        check.input(net, "image", "float", (FREE, channels, height, width))
        check.fed(net, ("image",))
        name = check.output(net, "logits", "float", (FREE, facts.classes, None, None))
        found = net.outputs.get(name)
        grid: Sequence[Wanted] = (None, None)
        if found is not None:
            grid = [net.context.value(size).constant for size in found.shape[2:]]
        check.output(net, "boxes", "float", (FREE, 4, *grid))
