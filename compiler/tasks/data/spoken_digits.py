"""The digits 0 to 9 as waveforms, said by six voices in five languages: real speech, shipped with LayerGraph."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Count, Whole


class SpokenDigits(DataSet):
    """Options of the digits: 8,000 samples in a second. Their speed, loudness and place in the window are random.

    Attributes:
        length: number of samples of a waveform; longer words are cut off.
        count: number of waveforms to train on, made from 60 recordings.
        held_out: number of held-out waveforms, made from the same recordings.
        seed: random seed of the changes.
    """

    name: ClassVar[str] = "spoken_digits"
    forms: ClassVar[tuple[Form, ...]] = ("waveforms",)

    length: Annotated[Whole, Field(le=100_000)] = 8192
    count: Annotated[Whole, Field(le=100_000)] = 1200
    held_out: Annotated[Whole, Field(le=10_000)] = 240
    seed: Count = 0

    def facts(self) -> DataFacts:
        return DataFacts("waveforms", classes=10, length=self.length)
