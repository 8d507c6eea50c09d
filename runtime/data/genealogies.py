"""Questions on kinships and offices, made from verses by patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compiler.tasks.data.genealogies import Genealogies
from runtime.data.bible import verses
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.questions import Question, questions

_NAME: Final = r"([A-Z][a-z]+(?:-[a-z]+)*)"
_PATTERNS: Final = (
    (rf"{_NAME} begat {_NAME}", "Who begat {1}?", "Whom did {0} beget?"),
    (rf"{_NAME},? the son of {_NAME}", "Who was the son of {1}?", "Whose son was {0}?"),
    (
        rf"{_NAME},? the wife of {_NAME}",
        "Who was the wife of {1}?",
        "Whose wife was {0}?",
    ),
    (
        rf"{_NAME},? the daughter of {_NAME}",
        "Who was the daughter of {1}?",
        "Whose daughter was {0}?",
    ),
    (rf"{_NAME},? king of {_NAME}", "Who was king of {1}?", "Of what was {0} king?"),
)
"""What a verse says, and the questions that its first and its second name answer."""


def load(options: Genealogies, section: DataSection) -> DataSplits:
    """The questions on the training books and on the held-out books."""
    parts: dict[bool, list[Question]] = {False: [], True: []}
    for verse in verses():
        parts[verse.held_out] += made(verse.english)
    return questions(parts[False], parts[True], options.words, options.facts())


def made(verse: str) -> Iterator[Question]:
    """The questions on a verse that it answers in one way only.

    >>> for one in made("And Obed begat Jesse, and Jesse begat David."):
    ...     print(one.question, *one.answers)
    Who begat Jesse? Obed
    Whom did Obed beget? Jesse
    Who begat David? Jesse
    Whom did Jesse beget? David
    """
    found = [
        (asked.format(*match.groups()), match, group)
        for pattern, *both in _PATTERNS
        for match in re.finditer(rf"(?={pattern})", verse)
        if match.start() == 0 or not verse[match.start() - 1].isalpha()
        for group, asked in enumerate(both, 1)
    ]
    for question, match, group in found:
        answers = {one[group] for asked, one, group in found if asked == question}
        if len(answers) == 1:
            yield Question(question, verse, (match[group],), match.start(group))
