"""Progression of diabetes in a year, of 442 patients; comes with scikit-learn (Efron et al., 2004)."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.splits import RandomSplit


class Diabetes(RandomSplit):
    """Options of the table. It has nine numbers, and the sex as a category."""

    name: ClassVar[str] = "diabetes"
    forms: ClassVar[tuple[Form, ...]] = ("tables",)

    def facts(self) -> DataFacts:
        return DataFacts(
            "tables",
            ("numbers",),
            targets=("progression",),
            numbers=9,
            categories=1,
            vocab=3,
        )
