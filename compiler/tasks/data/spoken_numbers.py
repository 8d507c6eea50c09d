"""Numbers read aloud by six voices in five languages: real speech, shipped with LayerGraph."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from compiler.language.model import fault
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, Mels, Tokens, Words, vocabulary
from compiler.tasks.formulas import Count, Whole

Voice = Literal[
    "en-allison", "es-allison", "fr-june", "it-carlo", "it-menardi", "ru-ivrvoice"
]


class SpokenNumbers(DataSet):
    """Options of the numbers. Strings of numbers are made: recordings of a voice, joined.

    Pauses, speed, loudness and noise are random; held-out strings are not among those to train on.

    Attributes:
        tokens: the tokenizer of the numerals, which are separated by spaces.
        mels: number of bands of the spectrogram.
        shortest, longest: range of the lengths of strings, in numbers.
        count: number of training strings.
        held_out: number of held-out strings.
        unheard: a voice that is not trained on, and says all held-out strings; default: all voices say both.
        seed: random seed of the strings.
    """

    name: ClassVar[str] = "spoken_numbers"
    forms: ClassVar[tuple[Form, ...]] = ("speech",)

    tokens: Tokens = Words(words=32)
    mels: Mels = 40
    shortest: Whole = 2
    longest: Annotated[Whole, Field(le=100)] = 5
    count: Annotated[Whole, Field(le=1_000_000)] = 3000
    held_out: Annotated[Whole, Field(le=100_000)] = 300
    unheard: Voice | None = None
    seed: Count = 0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.shortest > self.longest:
            message = "`shortest` is larger than `longest`"
            raise fault("bad-value", message, at=("shortest",))
        return self

    def facts(self) -> DataFacts:
        return DataFacts("speech", features=self.mels, vocab=vocabulary(self.tokens))
