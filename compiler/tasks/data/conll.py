"""Tagged sentences in a CoNLL file: a token and its tags on each line, a blank line after each sentence."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet, File, Vocabulary
from compiler.tasks.formulas import Count, Share, Whole


class Conll(DataSet):
    """Options of the file. Columns are separated by spaces or tabs; lines that begin with `#` are comments.

    Attributes:
        path: the file.
        token: number of the column with the tokens, from 1.
        tag: number of the column with the tags; negative numbers count from the last.
        words: size of the vocabulary: the most frequent tokens.
        lower: whether tokens are put in small letters.
        classes: number of tags, to check the network; default: those of the file.
        length: maximum number of tokens; longer sentences are truncated.
        held_out: fraction of the sentences that is held out.
        split_seed: random seed of the split.
        fold: number of the fold that is held out, for cross-validation with 1 / held_out folds.
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
    held_out: Share = 0.2
    split_seed: Count = 0
    fold: Count = 0

    def facts(self) -> DataFacts:
        return DataFacts(
            "tagged text", vocab=self.words, classes=self.classes, length=self.length
        )
