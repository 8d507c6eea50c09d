"""The 1,797 handwritten digits of scikit-learn (`sklearn.datasets.load_digits`)."""

from __future__ import annotations

from typing import Final

import torch
from sklearn.datasets import load_digits

from compiler.tasks.data.digits import Digits
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits, TensorExamples
from runtime.data.images import images_data, scaled
from runtime.data.split import split_by_class

CLASSES: Final = [str(digit) for digit in range(10)]


def load(options: Digits, section: DataSection) -> DataSplits:
    """The digits as images or as sequences of rows, a fraction of each class held out."""
    digits = load_digits()
    images, labels = torch.tensor(digits.images).float(), torch.tensor(digits.target)
    parts = split_by_class(labels, options)
    if options.form == "sequences":
        rows = scaled(images, 16, options.range)
        train, held_out = (
            TensorExamples({"sequence": rows[i], "label": labels[i]}) for i in parts
        )
        metadata = {"classes": CLASSES, "range": options.range}
        return DataSplits(train, held_out, options.facts(), metadata)
    train_part, held_out_part = (
        {"images": images[i].unsqueeze(1), "labels": labels[i]} for i in parts
    )
    return images_data(train_part, held_out_part, 16, CLASSES, options)
