"""Scenes of real digits with masks or boxes; held-out scenes are composed of held-out digits."""

from __future__ import annotations

import torch
from torch import Tensor

from compiler.tasks.data.digit_scenes import DigitScenes
from compiler.tasks.data.mnist import Mnist
from runtime.data.augment import Augmenter
from runtime.data.compose_scenes import PlacedDigit, mask_of, scenes
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.digits import CLASSES
from runtime.data.images import ImageExamples, PixelScale
from runtime.data.mnist import mnist_images
from runtime.data.split import split_by_class

BACKGROUND = "background"


def load(options: DigitScenes, section: DataSection) -> DataSplits:
    """The scenes."""
    images, labels = mnist_images()
    counts = (options.count, options.held_out)
    scale = PixelScale.of(options)
    augmenter = Augmenter(options.augment) if options.augment else None
    parts = []
    rows = split_by_class(labels, Mnist())
    for seed, (part, count) in enumerate(zip(rows, counts, strict=True)):
        found = list(
            scenes(
                images[part, 0], labels[part], count, options.size, options.most, seed
            )
        )
        pixels = torch.stack([scene for scene, _ in found])
        digits = [placed for _, placed in found]
        change = None if seed else augmenter
        if options.form == "segmented images":
            masks = torch.stack([mask_of(placed, options.size) for placed in digits])
            parts.append(ImageExamples(pixels, {}, 255, scale, change, masks))
        else:
            columns = {"boxes": boxes_of(digits, options.most)}
            parts.append(ImageExamples(pixels, columns, 255, scale, change))
    classes = CLASSES
    if options.form == "segmented images":
        classes = [BACKGROUND, *CLASSES]
    metadata = {"classes": classes, **scale.metadata()}
    return DataSplits(parts[0], parts[1], options.facts(), metadata)


def boxes_of(scenes: list[list[PlacedDigit]], most: int) -> Tensor:
    """The boxes of each scene float[N, most, 5]: left, top, right, bottom and class; -1 where there is none."""
    boxes = torch.full((len(scenes), most, 5), -1.0)
    for row, digits in zip(boxes, scenes, strict=True):
        for place, one in zip(row, digits, strict=False):
            place.copy_(torch.tensor([*one.box, one.label]))
    return boxes
