"""Masked language modelling and replaced tokens: what is masked, losses, texts that are filled in."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError, SpecError
from compiler.tasks.data_set import Bpe
from runtime.data.tokenizer import TEXT_SPECIALS, train_tokenizer
from runtime.open_run import LoadedRun, open_run
from runtime.tasks.masking import Masked, encode_masked, encoded, num_chosen
from runtime.tasks.replaced_tokens import ReplacedTokensLearner
from tests.runtime.engine.train_specs import SPECS, trained

BY_NAME = {file.stem: file for file in SPECS}
SENTENCES = "the cat sat on the mat. the dog ran to the house. a bird flew over it.\n"


def test_what_is_masked() -> None:
    torch.manual_seed(0)
    tokens = torch.randint(1, 50, (400, 40))
    masked = Masked.of(tokens, 0.15, 50)
    assert (masked.chosen.sum(1) == num_chosen(40, 0.15)).all()
    assert num_chosen(40, 0.15) == 6
    assert masked.tokens[~masked.chosen].equal(tokens[~masked.chosen])
    new, old = masked.tokens[masked.chosen], tokens[masked.chosen]
    assert float((new == 50).float().mean()) == pytest.approx(0.8, abs=0.03)
    same = float((new == old).float().mean())
    assert same == pytest.approx(0.1 + 0.1 / 49, abs=0.02)
    assert int(new.min()) > 0 and int(new.max()) == 50
    # Every position is chosen as often as another.
    often = masked.chosen.float().mean(0)
    assert float((often - 0.15).abs().max()) < 0.07


def test_at_least_one_token_is_masked() -> None:
    assert num_chosen(3, 0.0) == num_chosen(3, 0.15) == 1


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "text.txt").write_text(SENTENCES * 60)
    spec = folder / "net.yaml"
    spec.write_text(BY_NAME["masked_language_model"].read_text())
    trained(spec, folder / "run", "task.epochs=40", "task.optimizer.adam.lr=0.02")
    return open_run(folder / "run")


def test_masks_are_filled_in(run: LoadedRun) -> None:
    found = run.evaluate()
    assert found == run.evaluate()
    assert found["accuracy"] > 0.9 > found["accuracy.frequent"]
    assert found["loss"] < found["loss.unigram"]
    (one,) = run.predict(["the cat [MASK] on the [MASK]."])
    assert one["filled"] == "the cat sat on the mat."
    assert [next(iter(top)) for top in one["top"]] == ["sat", "mat"]
    with pytest.raises(RequestError, match=r"has no \[MASK\]"):
        run.predict(["the cat sat"])
    samples = (run.folder.path / "samples/epoch-001.txt").read_text()
    assert "[MASK]" in samples and "filled: " in samples


def test_the_loss_is_that_of_the_masked_tokens(run: LoadedRun) -> None:
    learner, batch = run.learner, run.data().held_out.__getitems__([0, 1])
    torch.manual_seed(3)
    loss = learner.loss("", batch, 0.0)
    torch.manual_seed(3)
    texts = batch["tokens"][:, :-1]
    masked = Masked.of(texts, 0.15, 60)
    logits = run.networks[""](masked.tokens)[masked.chosen]
    expected = F.cross_entropy(logits, texts[masked.chosen])
    torch.testing.assert_close(loss / learner.num_items(batch), expected)


def test_masks_between_byte_pairs() -> None:
    tokenizer = train_tokenizer([SENTENCES] * 20, Bpe(bpe=300), TEXT_SPECIALS)
    ids = encode_masked("the [MASK] sat", tokenizer)
    (place,) = (i for i, id in enumerate(ids) if id == 300)
    ids[place : place + 1] = tokenizer.encode(" cat")
    assert tokenizer.decode(ids) == "the cat sat"


def test_replaced_tokens_are_found(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(SENTENCES * 60)
    spec = tmp_path / "net.yaml"
    spec.write_text(BY_NAME["replaced_tokens"].read_text())
    trained(spec, tmp_path / "run", "task.epochs=25", "task.optimizer.adam.lr=0.02")
    run = open_run(tmp_path / "run")
    found = run.evaluate()
    assert found["f1"] > found["f1.all"]
    assert 0 < found["precision"] <= 1
    learner, batch = run.learner, run.data().held_out.__getitems__([0, 1])
    assert isinstance(learner, ReplacedTokensLearner)
    (one,) = run.predict(["the cat house on the mat."])
    assert all(word in "the cat house on the mat." for word, _ in one["replaced"])
    texts = batch["tokens"][:, :-1]
    masked = Masked.of(texts, 0.15, 60)
    written = learner.replace(texts, masked)
    assert written[~masked.chosen].equal(texts[~masked.chosen])
    assert int(written.max()) < 60
    for network in ("generator", "discriminator"):
        assert learner.loss(network, batch, 0.0).isfinite()
    assert encoded(learner, "discriminator", texts).shape == texts.shape


def test_a_network_without_a_vector_for_the_mask(tmp_path: Path) -> None:
    spec = BY_NAME["masked_language_model"].read_text()
    file = tmp_path / "net.yaml"
    (tmp_path / "text.txt").write_text(SENTENCES * 60)
    for old, code in (
        ("num_embeddings: 61", "vocabulary-mismatch"),
        ("out_features: 61", "task-misfit"),
    ):
        file.write_text(spec.replace(old, old.replace("61", "60")))
        with pytest.raises(SpecError) as caught:
            trained(file, tmp_path / "run")
        (one,) = caught.value.diagnostics
        assert one.code == code
