"""Images of a class or of a caption that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compiler.diagnostics.diagnostic import RequestError
from compiler.pipeline import compile_spec
from compiler.tasks.kinds.adversarial import Adversarial
from runtime.data.dataset import DataSplits
from runtime.load import build_networks
from runtime.tasks.adversarial import AdversarialLearner
from runtime.tasks.conditions import ImageConditions
from runtime.tasks.learner import GenerationRequest
from tests.runtime.data.section import read

SPEC = """\
name: Told
networks:
  generator:
    inputs: {noise: "float[B, 3]", ROLE}
    layers:
      told: {op: embedding, num_embeddings: 23, embedding_dim: 6, in: NAME}
      POOL
      both: {op: concat, dim: 1, in: [noise, WHAT]}
      flat: {op: linear, out_features: SIZE}
      values: tanh
      image: {op: unflatten, dim: 1, sizes: [CHANNELS, 8, 8]}
    outputs: [image]
  discriminator:
    inputs: {image: "float[B, CHANNELS, 8, 8]", ROLE}
    layers:
      told: {op: embedding, num_embeddings: 23, embedding_dim: 6, in: NAME}
      POOL
      flat: {op: flatten, in: image}
      both: {op: concat, dim: 1, in: [flat, WHAT]}
      score: {op: linear, out_features: 1}
    outputs: [score]
task:
  kind: adversarial
  data: DATA
  samples: 6
"""
LABEL = {
    "ROLE": 'label: "int[B]"',
    "NAME": "label",
    "      POOL\n": "",
    "WHAT": "told",
    "SIZE": "64",
    "CHANNELS": "1",
    "DATA": '{digits: {range: "-1..1"}}',
}
CAPTION = {
    "ROLE": 'tokens: "int[B, T]"',
    "NAME": "tokens",
    "POOL": "mean: {op: mean, dim: 1, in: told}",
    "WHAT": "mean",
    "SIZE": "192",
    "CHANNELS": "3",
    "DATA": '{captioned_digits: {digits: 1, count: 300, held_out: 40, range: "-1..1"}}',
}


def made(folder: Path, words: dict[str, str]) -> tuple[AdversarialLearner, DataSplits]:
    text = SPEC
    for name, value in words.items():
        text = text.replace(name, value)
    file = folder / "net.yaml"
    file.write_text(text)
    found = compile_spec(file)
    assert isinstance(found.task, Adversarial)
    data = read(words["DATA"])
    torch.manual_seed(0)
    networks = build_networks(found)
    for network in networks.values():
        network.eval()
    learner = AdversarialLearner(
        found.task, found.typed.networks, networks, data.metadata
    )
    return learner, data


@pytest.mark.parametrize("words", [LABEL, CAPTION], ids=["label", "caption"])
def test_a_conditional_pair_is_trained(words: dict[str, str], tmp_path: Path) -> None:
    learner, data = made(tmp_path, words)
    batch = data.train.__getitems__(list(range(16)))
    role = words["NAME"]
    for name in ("discriminator", "generator"):
        torch.autograd.backward(learner.loss(name, batch, 0.0))
        told = learner.networks[name].told.weight.grad
        assert told is not None and bool(told.abs().sum() > 0)
    images, shown = learner.generate_images(5)
    assert len(images) == len(shown[role]) == 5
    scores = learner.score(images, shown)
    other = {**shown, role: shown[role].flip(0)}
    assert not torch.allclose(scores, learner.score(images, other))


def test_the_class_that_is_asked_for(tmp_path: Path) -> None:
    learner, _ = made(tmp_path, LABEL)
    shown = learner._requested(GenerationRequest(label="7"))
    assert shown is not None and shown["label"].tolist() == [7] * 6
    seven = learner.generate(GenerationRequest(label="7"))
    assert seven.startswith(b"\x89PNG")
    assert seven != learner.generate(GenerationRequest(label="3"))
    with pytest.raises(RequestError, match="there is no class 12"):
        learner.generate(GenerationRequest(label="12"))
    with pytest.raises(RequestError, match="no input tokens, so there is no --prompt"):
        learner.generate(GenerationRequest("a seven"))


def test_the_caption_that_is_asked_for(tmp_path: Path) -> None:
    learner, data = made(tmp_path, CAPTION)
    prompt = "a red seven"
    shown = learner._requested(GenerationRequest(prompt))
    assert shown is not None
    known = {text: int(label) for label, text in data.metadata["captions"].items()}
    batch = data.train.__getitems__(list(range(300)))
    row = batch["tokens"][batch["label"] == known[prompt]][0]
    assert torch.equal(shown["tokens"][0], row)
    assert learner.generate(GenerationRequest(prompt)).startswith(b"\x89PNG")
    with pytest.raises(
        RequestError, match="no caption of the training data has purple"
    ):
        learner.generate(GenerationRequest("a purple seven"))
    with pytest.raises(RequestError, match="no input label, so there is no --label"):
        learner.generate(GenerationRequest(label="7"))


def test_conditions_are_those_of_the_training_data(tmp_path: Path) -> None:
    _, data = made(tmp_path, CAPTION)
    found = ImageConditions.of(data.metadata, 4)
    batch = data.train.__getitems__(list(range(300)))
    assert set(found.rows["label"].tolist()) == set(batch["label"].tolist())
    by_label = dict(
        zip(found.rows["label"].tolist(), found.rows["tokens"], strict=True)
    )
    for label, tokens in zip(batch["label"].tolist(), batch["tokens"], strict=True):
        assert torch.equal(by_label[label], tokens)
    assert len(found.random(500)["label"].unique()) > 30


def test_images_match_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime.tasks import adversarial, image_evaluator

    monkeypatch.setattr(image_evaluator, "_STEPS", 60)
    monkeypatch.setattr(adversarial, "_EVAL_IMAGES", 250)
    learner, data = made(tmp_path, LABEL)
    learner.setup(data)
    batch = data.train.__getitems__(list(range(1000)))
    # A generator that shows real digits of the class that it is told.
    monkeypatch.setattr(
        learner,
        "images_of",
        lambda noise, shown: torch.stack(
            [
                batch["image"][(batch["label"] == label).nonzero()[0, 0]]
                for label in shown["label"].tolist()
            ]
        ),
    )
    with torch.no_grad():
        found = learner.evaluate([], final=False)
    assert found["match"] > 0.6
