"""Coloured digits with captions; held-out images show held-out digits."""

from __future__ import annotations

from typing import Final

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from compiler.tasks.data.captioned_digits import (
    COLOURS,
    NAMES,
    RELATIONS,
    SIDE,
    CaptionedDigits,
)
from compiler.tasks.data.digits import Digits
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.encode_captions import Captioned, captioned_images
from runtime.data.split import split_by_class
from runtime.data.tokenizer import PAIR_SPECIALS, WordTokenizer

_RGB: Final = torch.tensor(
    [[255, 40, 40], [40, 255, 40], [70, 90, 255], [255, 240, 40]]
)


def load(options: CaptionedDigits, section: DataSection) -> DataSplits:
    """The images: the same ones every time."""
    digits = load_digits()
    images = torch.tensor(digits.images).float() / 16
    labels = torch.tensor(digits.target)
    counts = {"train": options.count, "validation": options.held_out}
    rows = split_by_class(labels, Digits())
    parts = {
        name: _composed(images[part], labels[part], count, options.digits, seed)
        for seed, ((name, count), part) in enumerate(
            zip(counts.items(), rows, strict=True)
        )
    }
    words = sorted({"a", *NAMES, *COLOURS, *" ".join(RELATIONS).split()})
    tokenizer = WordTokenizer(words, PAIR_SPECIALS)
    return captioned_images(parts, tokenizer, options.facts(), options)


def _composed(
    images: Tensor, labels: Tensor, count: int, digits: int, seed: int
) -> Captioned:
    """Images of one or two digits each, in random colours, and their captions."""
    generator = torch.Generator().manual_seed(seed)

    def draw(below: int, *shape: int) -> Tensor:
        return torch.randint(below, (count, *shape), generator=generator)

    chosen = draw(len(images), digits)
    colours = draw(len(COLOURS), digits)
    relations = draw(len(RELATIONS))
    things = (
        labels[chosen] * len(COLOURS) + colours
    )  # what each digit is: int[N, digits]
    ink = images[chosen].unsqueeze(2) * _RGB[colours][..., None, None]
    pixels = torch.zeros(count, 3, SIDE * digits, SIDE * digits)
    half = SIDE // 2
    for image, parts, relation in zip(pixels, ink, relations.tolist(), strict=True):
        for place, part in enumerate(parts):
            first, second = (half * (digits - 1), SIDE * place)
            top, left = (second, first) if relation else (first, second)
            image[:, top : top + SIDE, left : left + SIDE] = part
    names = [f"a {colour} {name}" for name in NAMES for colour in COLOURS]
    if digits == 1:
        captions = [names[i] for i in things[:, 0].tolist()]
        return Captioned(pixels.round().byte(), captions, things[:, 0])
    captions = [
        f"{names[one]} {RELATIONS[relation]} {names[other]}"
        for (one, other), relation in zip(
            things.tolist(), relations.tolist(), strict=True
        )
    ]
    meanings = (relations * len(names) + things[:, 0]) * len(names) + things[:, 1]
    return Captioned(pixels.round().byte(), captions, meanings)
