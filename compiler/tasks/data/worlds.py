"""Made stories of persons, places and things, with questions, in the manner of bAbI (Weston et al., 2015)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Count, Whole

TOKENS: Final = 64
"""Size of the vocabulary, which is closed."""
TURNS: Final = 3
"""Questions of a dialogue."""


class Worlds(DataSet):
    """Options of the stories, which a generator makes. Held-out stories are not among those to train on.

    Attributes:
        form: questions whose answer is a word of the story; or pairs of a question with its story and
            an answer in words of its own, which also counts things and says yes or no; or dialogues of
            a user who asks several such questions.
        sentences: number of sentences of a story.
        count: number of questions to train on.
        held_out: number of held-out questions.
        seed: random seed of the stories.
    """

    name: ClassVar[str] = "worlds"
    forms: ClassVar[tuple[Form, ...]] = ("questions", "pairs", "dialogues")

    form: Literal["questions", "pairs", "dialogues"] = "questions"
    sentences: Annotated[Whole, Field(ge=2, le=100)] = 6
    count: Annotated[Whole, Field(le=1_000_000)] = 10000
    held_out: Annotated[Whole, Field(le=100_000)] = 500
    seed: Count = 0

    def facts(self) -> DataFacts:
        if self.form == "pairs":
            return DataFacts("pairs", vocab=TOKENS, target_vocab=TOKENS)
        length = 16 + 10 * self.sentences
        if self.form == "dialogues":
            return DataFacts("dialogues", vocab=TOKENS, length=length + TURNS * 20)
        return DataFacts("questions", vocab=TOKENS, length=length)
