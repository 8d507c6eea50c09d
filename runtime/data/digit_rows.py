"""Rows of the handwritten digits of scikit-learn (`sklearn.datasets.load_digits`)."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.data.digit_rows import DigitRows
from compiler.tasks.data.digits import Digits
from runtime.data.answers import standardised
from runtime.data.augment import Augmenter
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.images import ImageExamples, PixelScale
from runtime.data.split import split_by_class
from runtime.data.table_columns import answers_metadata, fit_numbers


def load(options: DigitRows, section: DataSection) -> DataSplits:
    """Random rows; those of the held-out part are of digits that the training part lacks."""
    digits = load_digits()
    images, labels = torch.tensor(digits.images), torch.tensor(digits.target)
    generator = torch.Generator().manual_seed(options.seed)
    parts = [
        _rows(images[part], labels[part], count, options.digits, generator)
        for part, count in zip(
            split_by_class(labels, Digits()),
            (options.count, options.held_out),
            strict=True,
        )
    ]
    scales = [fit_numbers("sum", parts[0][1].sum(1).tolist())]
    scale = PixelScale.of(options)
    augmenter = Augmenter(options.augment) if options.augment else None
    train, held_out = (
        ImageExamples(
            rows,
            {
                "labels": F.one_hot(label, 10).amax(1).float(),
                "target": standardised(label.sum(1, keepdim=True).double(), scales),
            },
            16,
            scale,
            augmenter if rows is parts[0][0] else None,
        )
        for rows, label in parts
    )
    facts = options.facts()
    answers = answers_metadata(targets=scales, labels=facts.labels)
    return DataSplits(train, held_out, facts, {**answers, **scale.metadata()})


def _rows(
    images: Tensor, labels: Tensor, count: int, digits: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rows uint8[count, 1, 8, 8 * digits], and the digits in each int[count, digits]."""
    chosen = torch.randint(len(images), (count, digits), generator=generator)
    rows = images[chosen].to(torch.uint8).transpose(1, 2).flatten(2)
    return rows.unsqueeze(1), labels[chosen]
