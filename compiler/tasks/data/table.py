"""A CSV file with an example in each line: numbers and categories."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from compiler.language.model import fault
from compiler.tasks.answer_columns import AnswerColumns
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Whole
from compiler.tasks.list_options import Names, names_of


class Table(AnswerColumns):
    """Options of a table.

    A column whose values are numbers is an input of numbers, any other of categories. Numbers
    are standardised by the training part, blanks are its mean. All categories are indices of
    one embedding: those of a column follow those of the column before it, and the first of
    each column stands for values that the training part does not have. Blanks are a category.

    Attributes:
        categories: columns of categories that are written as numbers, such as postal codes.
        ignore: columns that are not used.
        rare: number of examples below which a category counts as one that the training part does not have.
    """

    name: ClassVar[str] = "table"
    forms: ClassVar[tuple[Form, ...]] = ("tables",)

    categories: Names = ()
    ignore: Names = ()
    rare: Whole = 1

    @model_validator(mode="after")
    def _used_once(self) -> Self:
        """Check that no column has two uses."""
        for option in ("categories", "ignore"):
            for name in names_of(getattr(self, option)):
                if name in self.answer_columns:
                    message = f"{name} is to be predicted"
                    raise fault("bad-value", message, at=(option,))
        return self

    def facts(self) -> DataFacts:
        return DataFacts(
            "tables",
            self.answers,
            targets=names_of(self.target),
            labels=names_of(self.labels),
        )
