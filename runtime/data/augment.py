"""Augment training images: the declared transforms, carried out by kornia."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from compiler.tasks import augmentations as declared

if TYPE_CHECKING:  # kornia takes a second to import, and only augmented data needs it
    from kornia.augmentation import AugmentationSequential

OUTSIDE = -1
"""The class of a mask's pixels that are outside of the image; it is ignored."""

_UNIT = torch.tensor([0.0, 0.0, 1.0, 1.0])
"""A box of one pixel."""
_LEAST_VISIBLE = 0.25
"""The smallest part of a box that must be in the image."""


class Augmenter:
    """Changes images of one batch at random, each in its own way; those of a video alike.

    Args:
        augmentations: what the spec declares, in order.
    """

    def __init__(self, augmentations: Sequence[declared.Augmentation]) -> None:
        self.augmentations = augmentations
        self._built: dict[tuple[int, int, tuple[str, ...]], AugmentationSequential] = {}

    def images(self, images: Tensor, seed: int | None) -> Tensor:
        """Images [B, C, H, W] with values from 0 to 1.

        Args:
            images: the images.
            seed: of the random numbers; None: torch's own are used.
        """
        with _seeded(seed):
            changed: Tensor = self._transform(images)(images)
        return changed

    def with_masks(
        self, images: Tensor, masks: Tensor, seed: int | None
    ) -> tuple[Tensor, Tensor]:
        """Images, and masks int[B, H, W] that move with them; pixels from outside are `OUTSIDE`."""
        with _seeded(seed):
            transform = self._transform(images, "mask")
            # 0 is what a transform fills in.
            filled = (masks + 1).unsqueeze(1).float()
            changed, moved = transform(images, filled)
        return changed, moved.squeeze(1).round().long() - 1

    def with_boxes(
        self, images: Tensor, boxes: Tensor, seed: int | None
    ) -> tuple[Tensor, Tensor]:
        """Images, and boxes with their classes [B, objects, 5] that move with them.

        A box that turns is the smallest around its corners. One of which less than a quarter stays in the image is
        left out: its row is -1.
        """
        there = boxes[..., 4] >= 0
        # An empty row moves, too: its box must be one.
        corners = torch.where(there[..., None], boxes[..., :4], _UNIT)
        with _seeded(seed):
            changed, moved = self._transform(images, "bbox_xyxy")(images, corners)
        height, width = images.shape[2:]
        inside = moved.clamp(min=0).minimum(moved.new_tensor([width, height] * 2))
        stays = _area(inside) >= _LEAST_VISIBLE * _area(moved)
        kept = (there & stays & (_area(inside) > 0))[..., None]
        found = torch.cat([inside, boxes[..., 4:]], -1)
        return changed, torch.where(kept, found, -1.0)

    def videos(self, videos: Tensor, seed: int | None) -> Tensor:
        """Videos [B, C, T, H, W] with values from 0 to 1; all frames of one are changed alike."""
        from kornia.augmentation import VideoSequential

        transforms = [_transform(one, videos.shape[3:]) for one in self.augmentations]
        with _seeded(seed):
            sequence = VideoSequential(*transforms, data_format="BCTHW")
            changed: Tensor = sequence(videos)
        return changed

    def _transform(self, images: Tensor, *others: str) -> AugmentationSequential:
        from kornia.augmentation import AugmentationSequential
        from kornia.constants import DataKey, Resample

        height, width = images.shape[2:]
        key = (height, width, others)
        if key not in self._built:
            transforms = [
                _transform(one, (height, width)) for one in self.augmentations
            ]
            nearest = {"resample": Resample.NEAREST, "align_corners": None}
            self._built[key] = AugmentationSequential(
                *transforms,
                data_keys=["input", *others],
                extra_args={DataKey.MASK: nearest},
            )
        return self._built[key]


def _area(boxes: Tensor) -> Tensor:
    """The areas [...] of boxes [..., 4]."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """While the context is open, random numbers come from a seed; the state outside does not change."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _transform(one: declared.Augmentation, size: Sequence[int]) -> Any:
    """The transform of kornia for images of a size."""
    from kornia import augmentation as kornia

    match one:
        case declared.RandomHorizontalFlip():
            return kornia.RandomHorizontalFlip(p=one.p)
        case declared.RandomVerticalFlip():
            return kornia.RandomVerticalFlip(p=one.p)
        case declared.RandomShift():
            return kornia.RandomCrop(
                tuple(size), padding=one.pixels, cropping_mode="slice"
            )
        case declared.RandomRotation():
            return kornia.RandomRotation(one.degrees, p=1.0)
        case declared.RandomResizedCrop():
            aspect = (1 / one.aspect, one.aspect)
            scale = (one.smallest, 1.0)
            return kornia.RandomResizedCrop(tuple(size), scale, aspect)
        case declared.ColorJitter():
            return kornia.ColorJitter(
                one.brightness, one.contrast, one.saturation, one.hue, p=1.0
            )
        case declared.RandomErasing():
            return kornia.RandomErasing(p=one.p)
    raise TypeError(f"no transform for {one.name}")
