"""Breast cancer: 569 tumours, malignant or benign, by 30 numbers; comes with scikit-learn (Wolberg et al., 1995)."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.splits import RandomSplit


class BreastCancer(RandomSplit):
    """Options of the table."""

    name: ClassVar[str] = "breast_cancer"
    forms: ClassVar[tuple[Form, ...]] = ("tables",)

    def facts(self) -> DataFacts:
        return DataFacts(
            "tables",
            classes=2,
            class_names=("malignant", "benign"),
            numbers=30,
            categories=0,
        )
