from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from compiler.pipeline import compile_spec
from compiler.tasks.kinds.contrastive import Contrastive
from runtime.data.dataset import Batch, DataSplits
from runtime.load import build_networks
from runtime.tasks.contrastive import (
    ContrastiveLearner,
    contrastive_loss,
    retrieval,
)
from tests.runtime.data.section import read

CLIP = """\
name: Clip
networks:
  image:
    inputs: {image: "float[B, 3, 8, 8]"}
    layers:
      flat: flatten
      embed: {op: linear, out_features: 16}
    outputs: {image_embeds: embed}
  text:
    inputs: {tokens: "int[B, T]"}
    layers:
      embedding: {op: embedding, num_embeddings: 23, embedding_dim: 16}
      pool: {op: mean, dim: 1}
    outputs: {text_embeds: pool}
  SIMILARITY
task:
  kind: contrastive
  data: {captioned_digits: {digits: 1, count: 200, held_out: 40}}
  temperature: 0.2
"""
SIMILARITY = """similarity:
    inputs: {text_embeds: "float[N, D]", image_embeds: "float[M, D]"}
    layers:
      cosines: {op: einsum, equation: "te, ie -> ti", in: [text_embeds, image_embeds]}
      scale: {op: parameter, shape: [], value: 1.0}
      factor: exp
      logits: {op: mul, in: [cosines, factor]}
    outputs: {logits_per_text: logits}
"""
SIAMESE = """\
name: Siamese
inputs: {image: "float[B, 1, 8, 8]"}
layers:
  flat: flatten
  embed: {op: linear, out_features: 16}
outputs: [embed]
task: {kind: contrastive, data: digits}
"""


def made(folder: Path, text: str, data: DataSplits) -> ContrastiveLearner:
    file = folder / "net.yaml"
    file.write_text(text)
    found = compile_spec(file)
    assert isinstance(found.task, Contrastive)
    torch.manual_seed(0)
    networks = build_networks(found)
    return ContrastiveLearner(found.task, found.typed.networks, networks, data.metadata)


@pytest.fixture(scope="module")
def captioned() -> DataSplits:
    return read("{captioned_digits: {digits: 1, count: 200, held_out: 40}}")


def some(data: DataSplits, count: int = 12) -> Batch:
    return data.train.__getitems__(list(range(count)))


def test_captions_say_what_the_images_show(captioned: DataSplits) -> None:
    from runtime.data.tokenizer import Tokenizer

    tokenizer = Tokenizer.from_json(captioned.metadata["tokenizer"])
    batch = some(captioned, 60)
    colours = {"red": 0, "green": 1, "blue": 2}
    for image, tokens, label in zip(
        batch["image"], batch["tokens"], batch["label"].tolist(), strict=True
    ):
        words = tokenizer.decode(tokens[tokens < tokenizer.size].tolist())
        assert (
            words.replace("<pad>", "").strip()
            == captioned.metadata["captions"][str(label)]
        )
        ends = (tokens == tokenizer.size).nonzero().flatten().tolist()
        assert ends == [int(tokens.argmax())] == [3]
        colour = words.split()[1]
        if colour in colours:
            assert int(image.mean((1, 2)).argmax()) == colours[colour]


def test_without_duplicates_the_loss_is_that_of_clip(
    tmp_path: Path, captioned: DataSplits
) -> None:
    learner = made(tmp_path, CLIP.replace("  SIMILARITY\n", ""), captioned)
    batch = some(captioned)
    batch["label"] = torch.arange(12)
    texts = F.normalize(learner.networks["text"](batch["tokens"]), dim=-1)
    images = F.normalize(learner.networks["image"](batch["image"]), dim=-1)
    logits, target = texts @ images.T / 0.2, torch.arange(12)
    expected = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    torch.testing.assert_close(learner.loss("text", batch, 0.0) / 12, expected)


@pytest.mark.parametrize("network", ["text", "image", "similarity"])
def test_one_network_is_updated_at_a_time(
    network: str, tmp_path: Path, captioned: DataSplits
) -> None:
    learner = made(tmp_path, CLIP.replace("SIMILARITY", SIMILARITY), captioned)
    torch.autograd.backward(learner.loss(network, some(captioned), 0.0))
    with_gradients = {
        name
        for name, module in learner.networks.items()
        if any(weight.grad is not None for weight in module.parameters())
    }
    assert with_gradients == {network, "similarity"}


def test_positives_are_averaged() -> None:
    """The loss of Khosla et al. (2020), equation 2, by loops."""
    torch.manual_seed(0)
    vectors = F.normalize(torch.randn(7, 5), dim=-1)
    label = torch.tensor([0, 0, 0, 1, 1, 2, 3])
    logits = vectors @ vectors.T / 0.1
    expected = torch.zeros(())
    for i in range(7):
        partners = [j for j in range(7) if j != i and label[j] == label[i]]
        others = torch.stack([logits[i, j] for j in range(7) if j != i])
        for j in partners:
            expected -= (logits[i, j] - others.logsumexp(0)) / len(partners)
    others = ~torch.eye(7, dtype=torch.bool)
    positive = (label[:, None] == label) & others
    torch.testing.assert_close(contrastive_loss(logits, positive, others), expected)


def test_retrieval() -> None:
    label = torch.tensor([0, 1, 0, 1])
    scores = torch.tensor([[9, 1, 2, 3], [1, 9, 2, 3], [5, 4, 9, 1], [7, 1, 2, 9.0]])
    assert retrieval(scores, label) == 1
    assert retrieval(scores, label, others=True) == 0.5
    alone = torch.tensor([0, 0, 1, 2])
    assert retrieval(scores, alone, others=True) == pytest.approx(0.0)


def test_clip_learns_captions(tmp_path: Path, captioned: DataSplits) -> None:
    learner = made(tmp_path, CLIP.replace("SIMILARITY", SIMILARITY), captioned)
    learner.setup(captioned)
    batch = some(captioned, 200)
    weights = [w for net in learner.networks.values() for w in net.parameters()]
    optimizer = torch.optim.Adam(weights, lr=0.02)
    for _ in range(60):
        for name in learner.networks_to_update(0):
            optimizer.zero_grad()
            torch.autograd.backward(learner.loss(name, batch, 0.0) / 200)
            optimizer.step()
    held_out = captioned.held_out.__getitems__(list(range(40)))
    with torch.no_grad():
        found = learner.evaluate([held_out], final=True)
    assert found["retrieval"] > 0.5 > 5 * found["retrieval.chance"]
    both = (found["retrieval.image"] + found["retrieval.caption"]) / 2
    assert found["retrieval"] == pytest.approx(both)
    file = tmp_path / "digit.png"
    pixels = (batch["image"][0] * 255).byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(file)
    (prediction,) = learner.predict([str(file)])
    assert (
        prediction["caption"]
        == captioned.metadata["captions"][str(int(batch["label"][0]))]
    )
    assert len(prediction["top"]) == 5


def test_siamese_networks_learn_classes(tmp_path: Path) -> None:
    data = read("digits")
    learner = made(tmp_path, SIAMESE, data)
    learner.setup(data)
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.01)
    held_out = data.held_out.__getitems__(list(range(100)))
    with torch.no_grad():
        before = learner.evaluate([held_out], final=False)
    for start in range(0, 1200, 200):
        batch = data.train.__getitems__(list(range(start, start + 200)))
        optimizer.zero_grad()
        torch.autograd.backward(learner.loss("", batch, 0.0) / 200)
        optimizer.step()
    with torch.no_grad():
        after = learner.evaluate([held_out], final=True)
    assert after["loss"] < before["loss"]
    assert after["retrieval.pixels"] > 0.8 > 0.2 > after["retrieval.chance"]
    files = []
    for i in range(2):
        files.append(str(tmp_path / f"{i}.png"))
        pixels = (data.train.__getitems__([i])["image"][0, 0] * 255).byte().numpy()
        Image.fromarray(pixels.astype(np.uint8)).save(files[-1])
    first, second = learner.predict(files)
    assert first["cosine"] == pytest.approx(1) and abs(second["cosine"]) <= 1
    assert len(first["vector"]) == 16
