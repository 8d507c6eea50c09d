"""Question answering, trained for seconds: losses, spans, answers to texts."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError, SpecError
from runtime.open_run import LoadedRun, open_run
from runtime.tasks.answer_metrics import answer_metrics
from runtime.tasks.question_answering import QuestionAnsweringLearner
from tests.runtime.engine.train_specs import SPECS, trained

(SPEC,) = (file for file in SPECS if file.stem == "question_answering")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    folder = tmp_path_factory.mktemp("runs") / "run"
    trained(SPEC, folder, "task.epochs=30", "task.optimizer.adam.lr=0.02")
    return open_run(folder)


def test_questions_are_answered(run: LoadedRun) -> None:
    found = run.evaluate()
    assert found["exact"] > 0.8 > found["exact.frequent"]
    assert found["f1"] >= found["exact"]
    (one,) = run.predict(
        ["Where is Emma? Ben went to the hall. Emma ran to the garden."]
    )
    assert (one["question"], one["answer"]) == ("Where is Emma?", "garden")
    (one,) = run.predict(
        ["Where is Ben\nBen went to the hall. Emma ran to the garden."]
    )
    assert one["answer"] == "hall"
    assert 0.5 < one["probability"] <= 1
    for text in ("Where is Emma?", "Emma", ""):
        with pytest.raises(RequestError, match="must be a question"):
            run.predict([text])
    samples = (run.folder.path / "samples/epoch-001.txt").read_text()
    assert samples.count("expected: ") == 6


def test_the_loss_is_that_of_both_ends(run: LoadedRun) -> None:
    learner, batch = run.learner, run.data().held_out.__getitems__([0, 1, 2])
    assert isinstance(learner, QuestionAnsweringLearner)
    start, end = run.networks[""](batch["tokens"], batch["segment_ids"])
    told = batch["segment_ids"].bool() & batch["mask"]
    lead = F.pad(told[:, 1:], (0, 1))  # the separator before the passage
    expected = sum(
        F.cross_entropy(
            one.masked_fill(~(told | lead), -1e4), batch[role], reduction="sum"
        )
        for role, one in (("start", start), ("end", end))
    )
    torch.testing.assert_close(learner.loss("", batch, 0.0), expected)


@torch.no_grad()
def test_the_best_span_is_found(run: LoadedRun) -> None:
    learner, batch = run.learner, run.data().held_out.__getitems__([0, 1, 2, 3])
    assert isinstance(learner, QuestionAnsweringLearner)
    start, end = (one.log_softmax(-1) for one in learner.scores(batch))
    told = batch["segment_ids"].bool() & batch["mask"]
    for row, (first, last, _) in enumerate(learner.find(batch)):
        places = told[row].nonzero().flatten().tolist()
        best = max(
            ((a, b) for a in places for b in places if a <= b < a + 15),
            key=lambda span: float(start[row, span[0]] + end[row, span[1]]),
        )
        assert (first, last) == best


def test_passages_beyond_the_maximum_of_the_network(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(
        SPEC.read_text().replace("inputs:", "dims: {T: {max: 6}}\ninputs:", 1)
    )
    with pytest.raises(SpecError, match="the longest tokens has"):
        trained(file, tmp_path / "run")


def test_answers_are_compared_as_squad_does() -> None:
    expected = [["Red Sea", "the sea"], ["Nile"], ["a b"]]
    found = answer_metrics(["The red sea!", "the river Nile", ""], expected)
    assert found["exact"] == pytest.approx(1 / 3)
    assert found["f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_windows_of_long_passages(tmp_path: Path) -> None:
    filler = "Nobody was there . " * 12
    stories = [
        (f"{filler if late else ''}Ben is in the {room} . {filler}", room)
        for room in ("hall", "garden", "kitchen", "attic")
        for late in (False, True)
    ] * 3
    paragraphs = [
        {
            "context": text,
            "qas": [
                {
                    "question": "Where is Ben?",
                    "answers": [{"text": room, "answer_start": text.index(room)}],
                }
            ],
        }
        for text, room in stories
    ]
    data = json.dumps({"data": [{"paragraphs": [one]} for one in paragraphs]})
    (tmp_path / "s.json").write_text(data)
    chosen = (
        f"{{squad: {{path: {tmp_path / 's.json'}, words: 40, length: 24, stride: 8}}}}"
    )
    sets = (f"task.data={chosen}", "task.epochs=20", "task.optimizer.adam.lr=0.03")
    trained(SPEC, tmp_path / "run", *sets)
    run = open_run(tmp_path / "run")
    assert run.evaluate()["exact"] > 0.9
    for text, room in stories[:8]:
        (found,) = run.predict([f"Where is Ben? {text}"])
        assert found["answer"] == room
