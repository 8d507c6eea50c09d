"""Dialogues: the template, the loss of replies alone, and replies to prompts."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import SpecError
from runtime.data.chat import (
    CHAT_SPECIALS,
    DialogueExamples,
    encode_dialogue,
    encode_prompt,
    show_dialogue,
)
from runtime.data.dataset import DataSplits
from runtime.data.tokenizer import CharTokenizer
from runtime.open_run import LoadedRun, open_run
from runtime.tasks.language_model import LanguageModelLearner
from runtime.tasks.learner import GenerationRequest
from tests.runtime.data.section import read
from tests.runtime.engine.train_specs import SPECS, trained

(SPEC,) = (file for file in SPECS if file.stem == "dialogues")
LETTERS = CharTokenizer("abcdefghijklmnopqrstuvwxyz ", CHAT_SPECIALS)
TALK = [
    ("system", "be kind"),
    ("user", "hi"),
    ("assistant", "yo"),
    ("user", "so"),
    ("assistant", "ok"),
]


def test_the_template() -> None:
    ids, replied = encode_dialogue(TALK[1:3], LETTERS)
    bos, eos, user, assistant = 1, 2, 5, 6
    assert ids == [
        bos,
        user,
        *LETTERS.encode("hi"),
        eos,
        assistant,
        *LETTERS.encode("yo"),
        eos,
    ]
    assert replied == [False] * 6 + [True] * 3
    assert encode_prompt("hi", LETTERS) == ids[:6]
    shown = show_dialogue(encode_dialogue(TALK, LETTERS)[0], LETTERS)
    assert shown.splitlines() == [f"{role}: {text}" for role, text in TALK]


def test_only_replies_are_scored() -> None:
    data = DialogueExamples([TALK, TALK[1:3]], LETTERS, 100)
    batch = data.__getitems__([0, 1])
    targets = batch["tokens"][:, 1:]
    said = [
        LETTERS.decode(row[flags])
        for row, flags in zip(targets, batch["scored"], strict=True)
    ]
    assert said == ["yook", "yo"]
    assert (targets[batch["scored"]] == 2).sum() == 3
    assert data.replies().tolist() == [
        id for t in ("yo", "ok", "yo") for id in (*LETTERS.encode(t), 2)
    ]
    prompt, reply = data.last_turn(0)
    assert LETTERS.decode(reply) == "ok"
    assert show_dialogue(prompt, LETTERS).splitlines()[-2:] == [
        "user: so",
        "assistant: ",
    ]


def test_dialogues_that_are_cut_off() -> None:
    data = DialogueExamples([TALK], LETTERS, 19)
    prompt, reply = data.last_turn(0)
    assert LETTERS.decode(reply) == "yo"
    assert show_dialogue(prompt, LETTERS).splitlines()[-2] == "user: hi"
    ids, none = DialogueExamples([TALK], LETTERS, 8).last_turn(0)
    assert (len(ids), none) == (9, [])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    folder = tmp_path_factory.mktemp("runs") / "run"
    trained(SPEC, folder, "task.epochs=20", "task.optimizer.adam.lr=0.02")
    return open_run(folder)


def test_replies_are_learned(run: LoadedRun) -> None:
    found = run.evaluate()
    assert found["loss"] < found["loss.unigram"]
    assert found["exact"] > 0.2
    question = "Anna went to the hall. Ben ran to the attic. Is Anna in the hall?"
    reply = run.learner.generate(
        GenerationRequest(question, sampling={"temperature": 0})
    )
    assert isinstance(reply, str)
    assert reply.split()[0] in ("yes", "no", "in", "none", "one")
    assert "Anna" not in reply
    samples = (run.folder.path / "samples/epoch-001.txt").read_text()
    assert samples.startswith("user: ") and "\nassistant: " in samples


def test_the_loss_is_that_of_the_scored_tokens(run: LoadedRun) -> None:
    learner, batch = run.learner, run.data().held_out.__getitems__([0, 1, 2])
    assert isinstance(learner, LanguageModelLearner)
    scored, tokens = batch["scored"], batch["tokens"]
    logits = run.networks[""](tokens[:, :-1])[scored]
    expected = F.cross_entropy(logits, tokens[:, 1:][scored])
    torch.testing.assert_close(
        learner.loss("", batch, 0.0) / learner.num_items(batch), expected
    )


def lines(*dialogues: object) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in dialogues)


def message(role: str, text: object) -> dict[str, object]:
    return {"role": role, "content": text}


GOOD = {"messages": [message("user", "hi"), message("assistant", "hello")]}


def test_a_file_of_dialogues(tmp_path: Path) -> None:
    text = lines(GOOD, GOOD, GOOD, GOOD["messages"])
    options = "path: d.jsonl, held_out: 0.25, tokens: characters"
    data: DataSplits = read(
        f"{{dialogues: {{{options}}}}}", tmp_path, {"d.jsonl": text}
    )
    assert (len(data.train), len(data.held_out)) == (3, 1)
    assert data.metadata["characters_per_token"] == pytest.approx(5 / 6)
    assert data.facts.vocab == len(CHAT_SPECIALS) + len(set("hihello"))


@pytest.mark.parametrize(
    ("second", "message_text"),
    [
        ("{oops", "invalid JSON"),
        (lines({"text": "hi"}), "a line must be"),
        (
            lines({"messages": [message("bot", "hi")]}),
            "the role of a message is bot, not one of",
        ),
        (lines({"messages": [message("assistant", 3)]}), "must be a text"),
        (lines({"messages": [message("user", "hi")]}), "no message of the assistant"),
        ("[" * 100_000, "invalid JSON|recursion"),
    ],
)
def test_lines_that_are_wrong(second: str, message_text: str, tmp_path: Path) -> None:
    files = {"d": lines(GOOD) + second}
    with pytest.raises(SpecError, match=message_text) as caught:
        read("{dialogues: {path: d}}", tmp_path, files)
    (one,) = caught.value.diagnostics
    assert (one.code, Path(one.span.file).name, one.span.line) == (
        "data-format",
        "d",
        2,
    )


def test_too_few_dialogues(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="too few dialogues"):
        read("{dialogues: {path: d}}", tmp_path, {"d": lines(GOOD)})
