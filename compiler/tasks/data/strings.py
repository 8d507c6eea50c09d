"""Strings of random symbols, and the same strings reversed or sorted."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from compiler.language.model import fault
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Whole


class Strings(DataSet):
    """Options of the strings. Held-out strings are not among the training strings.

    Attributes:
        what: the operation: reversing or sorting.
        symbols: number of different symbols.
        shortest, longest: range of the lengths of strings.
        count: number of training strings.
        held_out: number of held-out strings.
    """

    name: ClassVar[str] = "strings"
    forms: ClassVar[tuple[Form, ...]] = ("pairs",)

    what: Literal["reverse", "sort"] = "reverse"
    symbols: Annotated[Whole, Field(le=100_000)] = 16
    shortest: Whole = 3
    longest: Annotated[Whole, Field(le=10_000)] = 12
    count: Annotated[Whole, Field(le=10_000_000)] = 20000
    held_out: Annotated[Whole, Field(le=1_000_000)] = 1000

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.shortest > self.longest:
            message = "`shortest` is larger than `longest`"
            raise fault("bad-value", message, at=("shortest",))
        return self

    def facts(self) -> DataFacts:
        vocab = self.symbols + 4
        return DataFacts("pairs", vocab=vocab, target_vocab=vocab)
