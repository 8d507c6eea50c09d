"""Captions of images as tokens, and data sets of captioned images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from compiler.tasks.data_facts import DataFacts
from compiler.tasks.image_data import ImageData
from runtime.data.augment import Augmenter
from runtime.data.dataset import DataSplits
from runtime.data.images import ImageExamples, Pixels, PixelScale
from runtime.data.tokenizer import PAD, Tokenizer


@dataclass(frozen=True)
class Captioned:
    """Images with captions.

    Attributes:
        pixels: the images uint8[N, C, H, W].
        captions: the caption of each.
        labels: what each shows int[N]; captions of the same say the same.
    """

    pixels: Pixels
    captions: Sequence[str]
    labels: Tensor


def encode_captions(
    tokenizer: Tokenizer, captions: Sequence[str], length: int
) -> Tensor:
    """The tokens of captions int[N, length]: each ends with the token of the greatest id, and is padded with 0.

    Where a network looks for the end of a text, it finds the greatest id (Radford et al., 2021).
    """
    rows = torch.full((len(captions), length), PAD)
    for row, caption in zip(rows, captions, strict=True):
        ids = [*tokenizer.encode(caption)[: length - 1], tokenizer.size]
        row[: len(ids)] = torch.tensor(ids)
    return rows


def captioned_images(
    parts: Mapping[str, Captioned],
    tokenizer: Tokenizer,
    facts: DataFacts,
    options: ImageData,
) -> DataSplits:
    """A data set of captioned images; batches are `image`, `tokens` int[B, T] and `label` int[B].

    Args:
        parts: the parts `train`, `validation`, and maybe `test`.
        tokenizer: of the captions.
        facts: the sizes that the spec declares.
        options: how images are scaled and augmented.
    """
    scale = PixelScale.of(options)
    augmenter = Augmenter(options.augment) if options.augment else None

    def examples(name: str) -> ImageExamples:
        part = parts[name]
        tokens = encode_captions(tokenizer, part.captions, facts.length)
        columns = {"tokens": tokens, "label": part.labels.long()}
        change = augmenter if name == "train" else None
        return ImageExamples(part.pixels, columns, 255, scale, change)

    known = dict(
        zip(parts["train"].labels.tolist(), parts["train"].captions, strict=True)
    )
    metadata: dict[str, Any] = {
        "tokenizer": tokenizer.to_json(),
        "captions": {str(label): known[label] for label in sorted(known)},
        **scale.metadata(),
    }
    labels = torch.cat([part.labels for part in parts.values()]).tolist()
    classes = facts.classes or 1 + max(labels, default=0)
    facts = replace(facts, vocab=tokenizer.size + 1, classes=classes)
    test = examples("test") if "test" in parts else None
    return DataSplits(examples("train"), examples("validation"), facts, metadata, test)
