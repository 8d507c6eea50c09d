import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sacrebleu
import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics import RequestError, SpecError
from compiler.pipeline import compile_spec
from runtime.data.base import Data
from runtime.data.texts import Pair, text_pairs
from runtime.data.tokens import BOS, EOS, PAD, WordTokens
from runtime.loading import build_networks
from runtime.tasks.translation import Translator

SPEC = """
name: Net
DIMS
inputs:
  source: int[B, S]
  target: int[B, T]
layers:
  mask: {op: padding_mask, padding_idx: 0, in: source}
  source_embedding: {op: embedding, num_embeddings: 40, embedding_dim: 16, in: source}
  encoder: {op: gru, hidden_size: 16}
  target_embedding: {op: embedding, num_embeddings: 40, embedding_dim: 16, in: target}
  decoder: {op: gru, hidden_size: 16, bidirectional: AHEAD}
  narrow: {op: linear, out_features: 16, in: decoder.output}
  look:
    op: attention
    num_heads: 1
    in: {query: narrow, key: encoder.output, value: encoder.output, mask: mask}
  both: {op: concat, dim: -1, in: [narrow, look]}
  head: {op: linear, out_features: 40}
outputs:
  logits: head
task: {kind: translation, data: {pairs: {path: none.tsv, tokens: {words: 40}}}TASK}
"""
PAIRS: list[Pair] = [
    ("one man", "un hombre"),
    ("one good man", "un hombre bueno"),
    ("two men", "dos hombres"),
    ("one woman sleeps.", "una mujer duerme."),
    ("two women sleep.", "dos mujeres duermen."),
    ("two good women sleep.", "dos mujeres buenas duermen."),
]
Make = Callable[..., tuple[Translator, Data]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A learner on networks of its own, and its data."""

    def made(task: str = "", dims: str = "", ahead: str = "false") -> Any:
        text = SPEC.replace("TASK", f", {task}" if task else "")
        file = tmp_path / "net.yaml"
        file.write_text(text.replace("DIMS", dims).replace("AHEAD", ahead))
        program = compile_spec(file)
        assert program.task is not None
        options = program.task.data.chosen
        data = text_pairs(PAIRS, PAIRS, options.tokens, True, options.facts())
        torch.manual_seed(0)
        networks = build_networks(program)
        types = program.typed.networks
        return Translator(program.task, types, networks, data.kept), data

    return made


@pytest.fixture
def trained(make: Make) -> tuple[Translator, Data]:
    """A learner that knows the pairs by heart."""
    learner, data = make()
    fit(learner, data, 90)
    return learner, data


def every(data: Data) -> dict[str, Tensor]:
    return data.train.__getitems__(list(range(len(data.train))))


def fit(learner: Translator, data: Data, steps: int) -> None:
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.02)
    for step in range(steps):
        optimizer.zero_grad()
        torch.autograd.backward(learner.loss("", every(data), step / steps))
        optimizer.step()
    learner.network.eval()


def judged(learner: Translator, data: Data, final: bool = True) -> dict[str, float]:
    batches = [data.held_out.__getitems__(rows) for rows in ([0, 1, 2, 3], [4, 5])]
    with torch.no_grad():
        return learner.evaluate(batches, final)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_that_of_torch_over_tokens_that_are_no_padding(
    make: Make, smoothing: float
) -> None:
    learner, data = make(f"label_smoothing: {smoothing}")
    batch = every(data)
    source, target = batch["source"], batch["target"]
    logits = learner.network(source, target[:, :-1])
    there = target[:, 1:] != PAD
    wanted = F.cross_entropy(
        logits[there],
        target[:, 1:][there],
        reduction="sum",
        label_smoothing=smoothing,
    )
    torch.testing.assert_close(learner.loss("", batch, 0.5), wanted)
    assert learner.count(batch) == int(there.sum())
    assert learner.count(batch) == sum(len(WordTokens.cut(b)) + 1 for _, b in PAIRS)


def test_the_metrics_are_those_of_one_pair_after_another(make: Make) -> None:
    learner, data = make("label_smoothing: 0.1")
    fit(learner, data, 5)
    found = judged(learner, data, final=False)
    losses, hits = [], []
    for i in range(len(PAIRS)):
        pair = data.held_out.__getitems__([i])
        logits = learner.network(pair["source"], pair["target"][:, :-1])[0]
        truth = pair["target"][0, 1:]
        losses.append(F.cross_entropy(logits, truth, reduction="none"))
        hits.append(logits.argmax(-1) == truth)
    loss = float(torch.cat(losses).detach().mean())
    assert found == {
        "loss": pytest.approx(loss, rel=1e-5),
        "perplexity": pytest.approx(math.exp(loss), rel=1e-4),
        "accuracy": pytest.approx(float(torch.cat(hits).float().mean())),
    }


def test_what_it_has_learned_by_heart_it_translates(
    trained: tuple[Translator, Data],
) -> None:
    learner, data = trained
    learner.begin(data)
    found = judged(learner, data)
    assert found["exact"] == 1
    assert found["bleu"] == pytest.approx(100)
    assert found["chrf"] == pytest.approx(100)
    texts = ["two men", "one good man"]
    assert learner.translations(texts) == ["dos hombres", "un hombre bueno"]
    assert learner.predict(texts[:1]) == [
        {"source": "two men", "translation": "dos hombres"}
    ]


def test_the_scores_are_those_of_sacrebleu_on_the_texts_as_they_were_read(
    make: Make,
) -> None:
    learner, data = make()
    fit(learner, data, 25)
    learner.begin(data)
    found = judged(learner, data)
    told = learner.translations([one for one, _ in PAIRS])
    wanted = [[other for _, other in PAIRS]]
    assert found["bleu"] == sacrebleu.corpus_bleu(told, wanted, force=True).score
    assert found["chrf"] == sacrebleu.corpus_chrf(told, wanted).score
    right = sum(a == b for a, b in zip(told, wanted[0], strict=True))
    assert found["exact"] == right / len(PAIRS)
    assert 0 < found["chrf"] < 100


def test_the_baselines_are_metrics_of_the_last_evaluation(
    trained: tuple[Translator, Data],
) -> None:
    learner, data = trained
    learner.begin(data)
    beside = {"bleu.copy", "chrf.copy", "bleu.dictionary", "chrf.dictionary"}
    beside.add("loss.unigram")
    found = judged(learner, data)
    assert beside < found.keys()
    assert found["chrf.copy"] < found["chrf.dictionary"] <= found["chrf"]
    assert found["loss"] < found["loss.unigram"]
    assert not beside & judged(learner, data, final=False).keys()


def test_strings_of_symbols_are_only_right_or_wrong(
    trained: tuple[Translator, Data],
) -> None:
    learner, data = trained
    strings = learner.task.data.model_validate("strings")
    learner.task = learner.task.model_copy(update={"data": strings})
    learner.begin(data)
    assert judged(learner, data).keys() == {"loss", "perplexity", "accuracy", "exact"}


@pytest.mark.parametrize("beam", [1, 3])
def test_translations_do_not_depend_on_what_is_translated_beside(
    make: Make, beam: int
) -> None:
    learner, data = make(f"decoding: {{beam: {beam}, most: 9}}")
    fit(learner, data, 30)
    texts = [one for one, _ in PAIRS]
    alone = [learner.translations([text])[0] for text in texts]
    assert learner.translations(texts) == alone
    assert learner.translations(texts[::-1]) == alone[::-1]


def test_greedy_translation_takes_the_best_token_each_time(make: Make) -> None:
    learner, data = make("decoding: {most: 7}")
    fit(learner, data, 15)
    source = torch.tensor([[*learner.source.encode("two good men"), EOS]])
    given = [BOS]
    while len(given) < 8 and given[-1] != EOS:
        logits = learner.network(source, torch.tensor([given]))
        given.append(int(logits[0, -1].argmax()))
    assert learner.decoded([source[0]]) == [[i for i in given[1:] if i != EOS]]


def test_translations_end_after_most_tokens(make: Make) -> None:
    learner, _ = make("decoding: {most: 3}")
    learner.network.eval()
    rows = learner.decoded([torch.tensor([5, 6, EOS])])
    assert len(rows[0]) <= 3
    assert len(learner.decoded([torch.tensor([5, EOS])], most=1)[0]) <= 1


def test_a_network_may_want_lengths_of_some_multiple(make: Make) -> None:
    dims = "dims: {T: {multiple_of: 4, max: 8}, S: {multiple_of: 2, max: 8}}"
    learner, data = make(dims=dims)
    learner.begin(data)
    fit(learner, data, 90)
    source, target = (every(data)[role] for role in ("source", "target"))
    assert learner.fitting("target", target[:, :-1]).shape[1] == 8
    assert learner.logits(source, target[:, :-1]).shape[:2] == target[:, 1:].shape
    assert judged(learner, data)["exact"] == 1


def test_texts_that_are_too_long_are_refused(make: Make) -> None:
    learner, data = make(dims="dims: {S: {max: 5}}")
    with pytest.raises(SpecError) as caught:
        learner.begin(data)
    (found,) = caught.value.diagnostics
    assert found.code == "data-misfit"
    assert "longest source of the data has 6 tokens" in found.message
    assert found.span.line == 5
    with pytest.raises(RequestError, match="has 6 tokens"):
        learner.translations(["one man", "two good women sleep."])


def test_a_decoder_that_looks_ahead_is_refused(make: Make) -> None:
    learner, data = make(ahead="true")
    with pytest.raises(SpecError) as caught:
        learner.begin(data)
    (found,) = caught.value.diagnostics
    assert found.code == "task-misfit"
    assert found.message.startswith("decoder looks ahead")


def test_scheduled_sampling_puts_in_what_the_network_tells(make: Make) -> None:
    learner, data = make("scheduled_sampling: 0.5")
    learner.network.eval()
    batch = every(data)
    source, given = batch["source"], batch["target"][:, :-1]
    told = learner.network(source, given).argmax(-1)
    assert learner.mixed(source, given, 0.0) is given
    mixed = learner.mixed(source, given, 1.0)
    fixed = (given == PAD) | (given == BOS)
    assert (mixed[fixed] == given[fixed]).all()
    before = torch.cat([given[:, :1], told[:, :-1]], 1)
    assert (mixed[~fixed] == before[~fixed]).all()


def test_scheduled_sampling_rises_in_a_straight_line(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, data = make("scheduled_sampling: 0.5")
    asked: list[float] = []

    def mixed(source: Tensor, given: Tensor, probability: float) -> Tensor:
        asked.append(probability)
        return given

    monkeypatch.setattr(learner, "mixed", mixed)
    for progress in (0.0, 0.5, 1.0):
        learner.loss("", every(data), progress)
    assert asked == [0, 0.25, 0.5]


def test_the_share_of_tokens_that_are_put_in_is_the_probability(make: Make) -> None:
    learner, _ = make()
    learner.network.eval()
    source = torch.full((200, 2), 5)
    given = torch.full((200, 50), 39)
    given[:, 0] = BOS
    told = learner.network(source, given).argmax(-1)
    assert (told != 39).all()
    changed = learner.mixed(source, given, 0.3)[:, 1:] != 39
    assert float(changed.float().mean()) == pytest.approx(0.3, abs=0.02)


def test_training_with_scheduled_sampling_learns(make: Make) -> None:
    learner, data = make("scheduled_sampling: 0.3")
    fit(learner, data, 110)
    assert judged(learner, data)["exact"] == 1


@pytest.mark.parametrize(
    ("task", "epochs"),
    [
        ("decode_every: 2, decoding: {most: 2}", [2, 4, 6]),
        ("decode_every: 3, evaluate_every: 2, decoding: {most: 2}", [4, 6]),
        ("decode_every: 0", []),
    ],
)
def test_some_evaluations_translate(make: Make, task: str, epochs: list[int]) -> None:
    learner, data = make(task)
    learner.network.eval()
    found = []
    for number in range(1, 7 // learner.task.evaluate_every + 1):
        if "exact" in judged(learner, data, final=False):
            found.append(number * learner.task.evaluate_every)
        other, _ = make(task)
        other.restore(learner.state())
        learner = other
        learner.network.eval()
    assert found == epochs


def test_samples_are_source_reference_and_translation(
    trained: tuple[Translator, Data],
) -> None:
    learner, data = trained
    found = learner.samples([data.held_out.__getitems__([1, 2])], 3)
    assert found == {
        "epoch-003.txt": (
            "source:      two men\n"
            "reference:   dos hombres\n"
            "translation: dos hombres\n\n"
            "source:      one good man\n"
            "reference:   un hombre bueno\n"
            "translation: un hombre bueno\n"
        )
    }


def test_without_texts_at_hand_there_are_no_baselines(
    trained: tuple[Translator, Data],
) -> None:
    learner, data = trained
    learner.data = replace(data, train=data.train.columns)  # type: ignore[attr-defined]
    found = judged(learner, data)
    assert found["bleu"] == pytest.approx(100)
    assert "bleu.copy" not in found
