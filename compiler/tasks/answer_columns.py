"""Options of data sets in a CSV file of the user's: its columns, and which of them are to be predicted."""

from typing import Literal, Self

from pydantic import model_validator

from compiler.language.model import fault
from compiler.tasks.data_facts import Answer
from compiler.tasks.data_set import File
from compiler.tasks.list_options import Names, names_of
from compiler.tasks.splits import OwnFiles, RandomSplit


class AnswerColumns(OwnFiles, RandomSplit):
    """Options of a CSV file with columns that are to be predicted.

    Attributes:
        path: the file; its first line names the columns. They are separated by commas, semicolons, tabs or bars;
            numbers may have decimal commas, unless these separate the columns.
        target: columns with numbers to predict.
        label: column with the class to predict.
        labels: columns of which each says whether a label applies: 1 or 0, yes or no, true or false.
        encoding: the encoding of the file.
        held_out: fraction held out, of each class if there are classes; 0: train on everything, without evaluations.
    """

    path: File
    target: Names = ()
    label: str | None = None
    labels: Names = ()
    encoding: Literal["utf-8", "latin-1"] = "utf-8"

    @model_validator(mode="after")
    def _predicts(self) -> Self:
        """Check that something is to be predicted, and nothing twice."""
        if not self.answer_columns:
            message = f"{self.name} needs a column to predict"
            help = "write target: COLUMN for a number, label: COLUMN for a class"
            raise fault("missing-key", message, help=help, key=False)
        for option in ("target", "labels"):
            for name in names_of(getattr(self, option)):
                if self.answer_columns.count(name) > 1:
                    message = f"{name} is named twice"
                    raise fault("bad-value", message, at=(option,))
        return self

    @property
    def answer_columns(self) -> tuple[str, ...]:
        """The columns that are to be predicted."""
        label = () if self.label is None else (self.label,)
        return (*label, *names_of(self.target), *names_of(self.labels))

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What can be predicted."""
        found: list[tuple[Answer, bool]] = [
            ("classes", self.label is not None),
            ("numbers", bool(self.target)),
            ("labels", bool(self.labels)),
        ]
        return tuple(answer for answer, there in found if there)
