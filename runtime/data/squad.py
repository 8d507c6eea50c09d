"""Questions in the JSON of SQuAD (Rajpurkar et al., 2016)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.tasks.data.squad import Squad
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.questions import Question, questions
from runtime.data.split_items import split_items
from runtime.data.user_files import read_json

Group = list[Question]
"""The questions on one article, or one passage: they are held out together."""


def load(options: Squad, section: DataSection) -> DataSplits:
    """The questions of the files; without a file for it, those on some articles or passages are held out.

    Raises:
        SpecError: if a file does not exist, is not JSON of that form, or has too few questions.
    """

    def read(option: str) -> list[Group]:
        articles = _articles(section, option, getattr(options, option))
        return articles if len(articles) > 1 else _by_passage(articles)

    train, held_out, test = (
        None if part is None else [one for group in part for one in group]
        for part in split_items(read("path"), options, section, read, "passages")
    )
    assert train is not None and held_out is not None
    facts = options.facts()
    return questions(train, held_out, options.words, facts, options.stride, test)


def _by_passage(articles: list[Group]) -> list[Group]:
    groups: dict[str, Group] = {}
    for one in (question for article in articles for question in article):
        groups.setdefault(one.passage, []).append(one)
    return list(groups.values())


def _articles(section: DataSection, option: str, written: str) -> list[Group]:
    path = section.path(written)
    content = read_json(section, option, written)
    try:
        found = [list(_questions(article)) for article in content["data"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        message = f"{path} is not of the form of SQuAD: {reason}"
        help = "data: [{paragraphs: [{context, qas: [{question, answers: [{text, answer_start}]}]}]}]"
        section.fail("data-format", message, option, help=help)
    return [group for group in found if group]


def _questions(article: dict[str, Any]) -> Iterator[Question]:
    for paragraph in article["paragraphs"]:
        passage = str(paragraph["context"])
        for one in paragraph["qas"]:
            answers = [(str(a["text"]), int(a["answer_start"])) for a in one["answers"]]
            wrong = [
                text
                for text, start in answers
                if passage[max(0, start) :][: len(text)] != text
            ]
            if wrong:
                raise ValueError(f"the answer {wrong[0]!r} is not where it should be")
            if answers and answers[0][0].strip():
                texts = tuple(dict.fromkeys(text for text, _ in answers))
                yield Question(str(one["question"]), passage, texts, answers[0][1])
