"""The loss, the metrics and the baselines."""

import math
from dataclasses import replace

import pytest
import sacrebleu
import torch
from torch.nn import functional as F

from compiler.tasks.data.strings import Strings
from runtime.data.dataset import DataSplits
from runtime.data.tokenizer import PAD, WordTokenizer
from runtime.tasks.translation import TranslationLearner
from tests.runtime.tasks.translation.learning import PAIRS, Make, evaluated, every, fit


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_that_of_torch_over_tokens_that_are_no_padding(
    make: Make, smoothing: float
) -> None:
    learner, data = make(f"label_smoothing: {smoothing}")
    batch = every(data)
    source, target = batch["source"], batch["target"]
    logits = learner.network(source, target[:, :-1])
    mask = target[:, 1:] != PAD
    expected = F.cross_entropy(
        logits[mask],
        target[:, 1:][mask],
        reduction="sum",
        label_smoothing=smoothing,
    )
    torch.testing.assert_close(learner.loss("", batch, 0.5), expected)
    assert learner.num_items(batch) == int(mask.sum())
    assert learner.num_items(batch) == sum(
        len(WordTokenizer.split(b)) + 1 for _, b in PAIRS
    )


def test_the_metrics_are_those_of_one_pair_after_another(make: Make) -> None:
    learner, data = make("label_smoothing: 0.1")
    fit(learner, data, 5)
    found = evaluated(learner, data, final=False)
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


def test_the_scores_are_those_of_sacrebleu_on_the_texts_as_they_were_read(
    make: Make,
) -> None:
    learner, data = make()
    fit(learner, data, 25)
    learner.setup(data)
    found = evaluated(learner, data)
    predicted = learner.translate([one for one, _ in PAIRS])
    expected = [[other for _, other in PAIRS]]
    assert found["bleu"] == sacrebleu.corpus_bleu(predicted, expected, force=True).score
    assert found["chrf"] == sacrebleu.corpus_chrf(predicted, expected).score
    right = sum(a == b for a, b in zip(predicted, expected[0], strict=True))
    assert found["exact"] == right / len(PAIRS)
    assert 0 < found["chrf"] < 100


def test_the_baselines_are_metrics_of_the_last_evaluation(
    trained: tuple[TranslationLearner, DataSplits],
) -> None:
    learner, data = trained
    learner.setup(data)
    baselines = {"bleu.copy", "chrf.copy", "bleu.dictionary", "chrf.dictionary"}
    baselines.add("loss.unigram")
    found = evaluated(learner, data)
    assert baselines < found.keys()
    assert found["chrf.copy"] < found["chrf.dictionary"] <= found["chrf"]
    assert found["loss"] < found["loss.unigram"]
    assert not baselines & evaluated(learner, data, final=False).keys()


def test_strings_of_symbols_have_only_exact_matches(
    trained: tuple[TranslationLearner, DataSplits],
) -> None:
    learner, data = trained
    learner.task = learner.task.model_copy(update={"data": Strings()})
    learner.setup(data)
    assert evaluated(learner, data).keys() == {
        "loss",
        "perplexity",
        "accuracy",
        "exact",
    }


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
        if "exact" in evaluated(learner, data, final=False):
            found.append(number * learner.task.evaluate_every)
        other, _ = make(task)
        other.load_state_dict(learner.state_dict())
        learner = other
        learner.network.eval()
    assert found == epochs


def test_samples_are_source_reference_and_translation(
    trained: tuple[TranslationLearner, DataSplits],
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


def test_without_texts_there_are_no_baselines(
    trained: tuple[TranslationLearner, DataSplits],
) -> None:
    learner, data = trained
    learner.data = replace(data, train=data.train.columns)  # type: ignore[attr-defined]
    found = evaluated(learner, data)
    assert found["bleu"] == pytest.approx(100)
    assert "bleu.copy" not in found
