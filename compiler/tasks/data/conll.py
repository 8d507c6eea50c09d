"""Tagged sentences in a CoNLL file: a token and its tags on each line, a blank line after each sentence."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File, Vocabulary
from compiler.tasks.formulas import Whole
from compiler.tasks.splits import OwnFiles, RandomSplit


class Conll(OwnFiles, RandomSplit):
    """Options of the file. Columns are separated by spaces or tabs; lines that begin with `#` are comments.

    Attributes:
        path: the file.
        token: number of the column with the tokens, from 1.
        tag: number of the column with the tags; negative numbers count from the last.
        words: size of the vocabulary: the most frequent tokens.
        lower: whether tokens are put in small letters.
        classes: number of tags, to check the network; default: those of the file.
        length: maximum number of tokens; longer sentences are truncated.
        held_out: fraction of the sentences that is held out; 0: train on everything, without evaluations.
    """

    name: ClassVar[str] = "conll"
    forms: ClassVar[tuple[Form, ...]] = ("tagged text",)

    path: File
    token: Whole = 1
    tag: Annotated[int, Field(ge=-100, le=100)] = -1
    words: Vocabulary = 10000
    lower: bool = False
    classes: Whole | None = None
    length: Whole = 128

    def facts(self) -> DataFacts:
        return DataFacts(
            "tagged text", vocab=self.words, classes=self.classes, length=self.length
        )
