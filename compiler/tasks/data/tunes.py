"""22 melodies as notes in ABC notation: folk songs, hymns and others in the public domain, shipped with LayerGraph."""

from __future__ import annotations

from typing import ClassVar, Final

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Whole

TOKENS: Final = 320
"""Size of the vocabulary: notes with their lengths."""


class Tunes(DataSet):
    """Options of the melodies; a token is a note with its length. Whole melodies are held out.

    Those to train on are also transposed into the other keys. Melodies of your own are the data set `text`.

    Attributes:
        length: number of notes of an example.
    """

    name: ClassVar[str] = "tunes"
    forms: ClassVar[tuple[Form, ...]] = ("text",)

    length: Whole = 48

    def facts(self) -> DataFacts:
        return DataFacts("text", vocab=TOKENS, length=self.length)
