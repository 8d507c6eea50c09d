"""Questions on passages: made from verses and stories, and read from SQuAD's JSON."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from compiler.diagnostics.diagnostic import SpecError
from runtime.data.dataset import DataSplits
from runtime.data.questions import Question, QuestionExamples
from runtime.data.tokenizer import PAIR_SPECIALS, SpacedTokenizer
from tests.runtime.data.section import read

PASSAGE = "The Nile is a river. It flows to the Mediterranean Sea, north of Cairo."


def squad(*questions: dict[str, Any], passages: int = 1) -> str:
    paragraph = {"context": PASSAGE, "qas": list(questions)}
    other = {
        "context": "Rome is old.",
        "qas": [
            {
                "question": "What is old?",
                "answers": [{"text": "Rome", "answer_start": 0}],
            }
        ],
    }
    paragraphs = [paragraph, other][: passages + 1]
    return json.dumps({"data": [{"paragraphs": [one]} for one in paragraphs]})


def question(text: str, answer: str) -> dict[str, Any]:
    answers = [{"text": answer, "answer_start": PASSAGE.index(answer)}]
    return {"question": text, "answers": answers}


SEA = question("Where does it flow?", "Mediterranean Sea")


def examples(data: DataSplits) -> tuple[QuestionExamples, QuestionExamples]:
    assert isinstance(data.train, QuestionExamples)
    assert isinstance(data.held_out, QuestionExamples)
    return data.train, data.held_out


def answered(part: QuestionExamples, index: int) -> str:
    """The text of the passage at the positions of a batch's answer."""
    batch = part.__getitems__([index])
    start, end = int(batch["start"]), int(batch["end"])
    return part.read[index].text(part.questions[index].passage, start, end)


@pytest.mark.parametrize("data", ["{genealogies: {words: 500}}", "worlds"])
def test_answers_are_where_the_examples_say(data: str) -> None:
    train, held_out = examples(read(data))
    assert len(train) > 3000
    for index in range(0, len(held_out), 5):
        assert answered(held_out, index) == held_out.questions[index].answers[0]
    batch = held_out.__getitems__([0, 1, 2])
    for row, one in enumerate(held_out.read[:3]):
        assert batch["segment_ids"][row, : one.first].sum() == 0
        assert batch["tokens"][row, one.first - 1] == 2
        assert batch["mask"][row].sum() == len(one.ids)


def solved(story: str, question: str) -> str:
    """The answer to a question on a story, found by a reader of its own: the last sentence that tells it."""
    places: dict[str, str] = {}
    holders: dict[str, str] = {}
    left: dict[str, str] = {}
    for sentence in story.rstrip(".").split(". "):
        words = sentence.split()
        who, what = words[0], words[-1]
        if words[1] in ("went", "moved", "ran"):
            places[who] = what
        elif words[1] == "took":
            holders[what] = who
        else:
            left[what] = places[holders.pop(what)]
    word = question.rstrip("?").split()[-1]
    if question.startswith("Who"):
        return holders[word]
    if word in places:
        return places[word]
    return places[holders[word]] if word in holders else left[word]


def test_answers_follow_from_the_stories() -> None:
    train, held_out = examples(
        read("{worlds: {sentences: 8, count: 300, held_out: 100}}")
    )
    for one in [*train.questions, *held_out.questions]:
        assert one.answers == (solved(one.passage, one.question),)
    assert {one.passage for one in train.questions}.isdisjoint(
        one.passage for one in held_out.questions
    )
    kinds = {re.sub(r"[A-Z]\w+\?", "P?", one.question) for one in train.questions}
    assert {"Where is P?", "Who has the ball?", "Where is the ball?"} <= kinds


def test_answers_in_words_of_their_own() -> None:
    data = read("{worlds: {form: pairs, count: 500, held_out: 20}}")
    targets = {target for _, target in data.train.texts}  # type: ignore[attr-defined]
    assert {"yes", "none", "in the attic", "no in the hall", "anna"} <= targets
    assert all(
        id < data.facts.vocab  # type: ignore[operator]
        for part in (data.train, data.held_out)
        for tensor in part.tensors()
        for id in tensor.tolist()
    )


def test_questions_of_a_file(tmp_path: Path) -> None:
    none = {"question": "Who?", "answers": [], "is_impossible": True}
    text = squad(SEA, none, question("What is it?", "a river"))
    data = read("{squad: {path: s.json, held_out: 0.5}}", tmp_path, {"s.json": text})
    every = [one for part in examples(data) for one in part.questions]
    assert {(one.question, one.answers[0]) for one in every} == {
        ("Where does it flow?", "Mediterranean Sea"),
        ("What is it?", "a river"),
        ("What is old?", "Rome"),
    }
    # Questions on one article are on one side.
    assert {len(part) for part in examples(data)} == {1, 2}
    for part in examples(data):
        for index, one in enumerate(part.questions):
            assert answered(part, index) == one.answers[0]


def test_an_answer_that_is_cut_off(tmp_path: Path) -> None:
    files = {"a.json": squad(SEA, passages=0), "b.json": squad(SEA)}
    data = read(
        "{squad: {path: a.json, validation: b.json, length: 15}}", tmp_path, files
    )
    train, held_out = examples(data)
    # The answer lies beyond the 15 tokens: it is not trained on, and never found.
    assert (len(train), len(held_out)) == (0, 2)
    batch = held_out.__getitems__([0])
    assert batch["start"] == batch["end"] == held_out.read[0].first - 1


@pytest.mark.parametrize(
    ("text", "code", "message", "line"),
    [
        ("{\n oops", "data-format", "invalid JSON", 2),
        ('{"data": [{}]}', "data-format", "it has no 'paragraphs'", 0),
        ("[]", "data-format", "is not of the form of SQuAD", 0),
        ('{"data": 3}', "data-format", "is not of the form of SQuAD", 0),
        ("[" * 100_000, "data-format", "nested too deeply|invalid JSON", 0),
        ('{"data": %s}' % ("9" * 5_000), "data-format", "too many digits", 0),
        ('{"data": []}', "data-empty", "too few passages", 0),
        (
            squad({"question": "q", "answers": [{"text": "x", "answer_start": 0}]}),
            "data-format",
            "the answer 'x' is not where it should be",
            0,
        ),
    ],
)
def test_files_that_are_wrong(
    text: str, code: str, message: str, line: int, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        read("{squad: {path: s.json}}", tmp_path, {"s.json": text})
    (one,) = caught.value.diagnostics
    file = "s.json" if line else one.span.file
    assert (one.code, Path(one.span.file).name) == (code, Path(file).name)
    assert not line or one.span.line == line


def test_an_answer_within_a_word_has_the_whole_word() -> None:
    part = QuestionExamples(
        [Question("Who?", "Johnson spoke.", ("John",), 0)],
        SpacedTokenizer(["spoke"], PAIR_SPECIALS),
        20,
    )
    assert answered(part, 0) == "Johnson"


LONG = " ".join(f"The n{k} is k{k}." for k in range(30))
FAR = {
    "question": "What is n27?",
    "answers": [{"text": "k27", "answer_start": LONG.index("k27.")}],
}


def long_file() -> dict[str, str]:
    """Two articles with a passage of 150 tokens."""
    passages = [{"context": LONG, "qas": [FAR]}]
    return {"s.json": json.dumps({"data": [{"paragraphs": passages}] * 2})}


def test_long_passages_are_read_in_windows(tmp_path: Path) -> None:
    data = "{squad: {path: s.json, held_out: 0.5, length: 40, stride: 10}}"
    train, held_out = examples(read(data, tmp_path, long_file()))
    assert len(held_out.questions) == 1 and set(held_out.numbers) == {0}
    assert all(len(one.ids) <= 40 for one in held_out.read)
    starts = [one.places[0][0] for one in held_out.read]
    tokens = [one.span()[0] for one in re.finditer(r"\w+|[^\w\s]", LONG)]
    assert starts == [tokens[k] for k in range(0, 10 * len(starts), 10)]
    assert held_out.read[-1].places[-1][1] == len(LONG)
    batch = train.__getitems__(list(range(len(train))))
    found = [
        read.text(LONG, int(start), int(end))
        for read, start, end in zip(
            train.read, batch["start"], batch["end"], strict=True
        )
        if start >= read.first
    ]
    assert found and set(found) == {"k27"}  # where it is not, it is at the separator
    assert len(found) < len(train)


def test_without_windows_long_passages_are_cut_off(tmp_path: Path) -> None:
    data = "{squad: {path: s.json, held_out: 0.5, length: 40}}"
    train, held_out = examples(read(data, tmp_path, long_file()))
    assert (len(train), len(held_out)) == (0, 1)
