from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import accuracy_score, confusion_matrix
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError, SpecError
from compiler.diagnostics.source import Source
from compiler.parse.parse import parse
from compiler.pipeline import compile_spec
from compiler.tasks.data_facts import DataFacts
from compiler.tasks.data_set import Words
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch, DataSplits
from runtime.data.padded_texts import labelled_texts
from runtime.load import build_networks
from runtime.tasks.classification import ClassificationLearner

IMAGES = """
name: Net
inputs: {image: "float[B, 1, 8, 8]"}
layers:
  flat: flatten
  head: {op: linear, out_features: 10}
outputs: {logits: head}
task: {kind: classification, data: digits, label_smoothing: SMOOTHING}
"""
SEQUENCES = """
name: Net
inputs: {rows: "float[B, T, 8]"}
layers:
  gru: {op: gru, hidden_size: 6}
  last: {op: index, dim: 1, index: -1, in: gru.output}
  head: {op: linear, out_features: 10}
outputs: {logits: head}
task: {kind: classification, data: {digits: {form: sequences}}, ports: {sequence: rows}}
"""
TEXTS = """
name: Net
DIMS
inputs:
  tokens: int[B, T]
  MASK
layers:
  embedding: {op: embedding, num_embeddings: 20, embedding_dim: 8, in: tokens}
  LAYERS
  pool: {op: mean, dim: 1}
  head: {op: linear, out_features: 2}
outputs: {logits: head}
task:
  kind: classification
  data: {labelled_text: {path: none.tsv, tokens: {words: 20}, length: 4}}
"""
MASKED = """attended:
    op: attention
    num_heads: 1
    in: {query: embedding, key: embedding, value: embedding, mask: mask}"""
WORDS = [("good and fine", 0), ("bad", 1), ("fine", 0), ("bad and so bad", 1)]
NAMES = ["praise", "blame"]
Make = Callable[..., ClassificationLearner]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A learner on a network of its own."""

    def made(
        spec: str, metadata: dict[str, Any], **words: str
    ) -> ClassificationLearner:
        for name, value in words.items():
            spec = spec.replace(name, value)
        file = tmp_path / "net.yaml"
        file.write_text(spec)
        program = compile_spec(file)
        assert program.task is not None
        torch.manual_seed(0)
        networks = build_networks(program)
        for net in networks.values():
            net.eval()
        return ClassificationLearner(
            program.task, program.typed.networks, networks, metadata
        )

    return made


def digits(smoothing: float = 0.0) -> tuple[str, dict[str, Any]]:
    metadata = {"classes": [str(i) for i in range(10)], "range": "0..1"}
    return IMAGES.replace("SMOOTHING", str(smoothing)), metadata


def texts() -> DataSplits:
    facts = DataFacts("labelled text", vocab=20)
    section = DataSection(parse(Source("net.yaml", "task: {}")), "kjv", Path())
    return labelled_texts(WORDS, WORDS, NAMES, Words(words=20), 4, facts, section)


def images(count: int) -> Batch:
    torch.manual_seed(1)
    return {
        "image": torch.rand(count, 1, 8, 8),
        "label": torch.randint(0, 10, (count,)),
    }


@torch.no_grad()
def evaluated(learner: ClassificationLearner, *batches: Batch) -> dict[str, float]:
    return learner.evaluate(batches, False)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_that_of_torch(make: Make, smoothing: float) -> None:
    learner, batch = make(*digits(smoothing)), images(6)
    module = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)
    logits = learner.network(batch["image"])
    mean = learner.loss("", batch, 0.0) / learner.num_items(batch)
    torch.testing.assert_close(mean, module(logits, batch["label"]))
    # What is held out is judged without smoothing.
    found = evaluated(learner, batch)["loss"]
    plain = F.cross_entropy(logits.detach(), batch["label"])
    assert found == pytest.approx(float(plain), rel=1e-5)


def test_metrics_are_those_of_sklearn(make: Make) -> None:
    learner, batch = make(*digits()), images(300)
    parts = [
        {role: given[a:b] for role, given in batch.items()}
        for a, b in ((0, 128), (128, 256), (256, 300))
    ]
    found = evaluated(learner, *parts)
    truth = batch["label"]
    predicted = learner.network(batch["image"]).argmax(-1)
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, predicted))
    assert learner.confusion is not None
    cells = confusion_matrix(truth, predicted, labels=range(10))
    assert (learner.confusion.numpy() == cells).all()


def test_the_confusion_matrix_is_plotted(make: Make) -> None:
    learner = make(*digits())
    assert learner.plots() == {}
    evaluated(learner, images(20))
    assert learner.plots()["confusion.png"].startswith(b"\x89PNG")


def test_sequences_are_classified(make: Make) -> None:
    learner = make(SEQUENCES, digits()[1])
    rows, label = torch.rand(5, 8, 8), torch.tensor([0, 1, 2, 3, 4])
    batch = {"sequence": rows, "label": label}
    loss = F.cross_entropy(learner.network(rows), label, reduction="sum")
    torch.testing.assert_close(learner.loss("", batch, 0.0), loss)
    assert learner.num_items(batch) == 5


def test_texts_are_classified_with_a_mask(make: Make) -> None:
    data = texts()
    masked = make(
        TEXTS, dict(data.metadata), DIMS="", MASK="mask: bool[B, T]", LAYERS=MASKED
    )
    batch = data.held_out.__getitems__([0, 1])
    expected = masked.network(batch["tokens"], batch["mask"])
    torch.testing.assert_close(masked.outputs(batch)["logits"], expected)
    assert not batch["mask"].all()
    other = {**batch, "mask": torch.ones_like(batch["mask"])}
    assert not torch.allclose(masked.outputs(other)["logits"][1], expected[1])


def test_a_network_without_a_mask_input(make: Make) -> None:
    data = texts()
    plain = make(TEXTS, dict(data.metadata), DIMS="", MASK="", LAYERS="")
    batch = data.held_out.__getitems__([0, 1])
    torch.testing.assert_close(
        plain.outputs(batch)["logits"], plain.network(batch["tokens"])
    )


def test_texts_are_trained_on_and_classified(make: Make) -> None:
    data = texts()
    learner = make(TEXTS, dict(data.metadata), DIMS="", MASK="", LAYERS="")
    learner.setup(data)
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.05)
    batch = data.train.__getitems__([0, 1, 2, 3])
    for _ in range(40):
        optimizer.zero_grad()
        torch.autograd.backward(learner.loss("", batch, 0.0))
        optimizer.step()
    assert evaluated(learner, batch)["accuracy"] == 1
    found = learner.predict(["so bad", "fine and good and bad bad bad"])
    assert [one["label"] for one in found] == ["blame", "praise"]  # the rest is cut off
    assert found[0]["input"] == "so bad"
    top = found[0]["top"]
    assert list(top) == ["blame", "praise"]
    assert sum(top.values()) == pytest.approx(1)
    assert found[0]["probability"] == top["blame"] > 0.5


def test_an_empty_text_is_refused(make: Make) -> None:
    learner = make(TEXTS, dict(texts().metadata), DIMS="", MASK="", LAYERS="")
    with pytest.raises(RequestError, match="an empty text"):
        learner.predict([" "])


def test_texts_that_are_too_long_for_the_network_are_refused(make: Make) -> None:
    data = texts()
    dims = "dims: {T: {max: 3}}"
    learner = make(TEXTS, dict(data.metadata), DIMS=dims, MASK="", LAYERS="")
    with pytest.raises(SpecError) as caught:
        learner.setup(data)
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.line) == ("data-misfit", 5)


@pytest.mark.parametrize("values", ["0..1", "-1..1"])
def test_image_files_are_classified(make: Make, tmp_path: Path, values: str) -> None:
    spec, metadata = digits()
    learner = make(spec, {**metadata, "range": values})
    pixels = (images(1)["image"][0, 0] * 255).byte()
    file = tmp_path / "a.png"
    Image.fromarray(pixels.numpy()).save(file)
    (found,) = learner.predict([str(file)])
    unit = pixels.float()[None, None] / 255
    given = unit if values == "0..1" else 2 * unit - 1
    shares = learner.network(given)[0].double().softmax(-1)
    assert found["label"] == str(int(shares.argmax()))
    assert found["probability"] == pytest.approx(float(shares.max().detach()))
    assert len(found["top"]) == 5


def test_image_files_are_resized_and_converted_to_grey(
    make: Make, tmp_path: Path
) -> None:
    learner = make(*digits())
    files = []
    for mode, color in (("RGB", (90, 90, 90)), ("L", 90)):
        files.append(tmp_path / f"{mode}.jpg")
        Image.new(mode, (31, 17), color).save(files[-1], quality=95)
    first, second = learner.predict([str(file) for file in files])
    assert first["top"] == pytest.approx(second["top"], abs=1e-2)
    grey = learner.network(torch.full((1, 1, 8, 8), 90 / 255))[0].softmax(-1)
    expected = float(grey.max().detach())
    assert first["probability"] == pytest.approx(expected, abs=1e-2)


def test_image_files_may_be_sequences_of_rows(make: Make, tmp_path: Path) -> None:
    learner = make(SEQUENCES, digits()[1])
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    file = tmp_path / "a.png"
    Image.fromarray(pixels).save(file)
    (found,) = learner.predict([str(file)])
    logits = learner.network(torch.tensor(pixels / 255).float()[None])
    assert found["label"] == str(int(logits.argmax()))


def test_images_keep_their_size_if_the_network_accepts_any(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "i").write_bytes(b"")
    spec = IMAGES.replace("[B, 1, 8, 8]", "[B, 1, H, W]")
    spec = spec.replace(
        "  flat:", "  pool: {op: adaptive_avg_pool2d, output_size: 8}\n  flat:"
    )
    spec = spec.replace("digits", "{idx: {images: i, labels: i}}")
    learner = make(spec, digits()[1], SMOOTHING="0.0")
    file = tmp_path / "a.png"
    pixels = np.random.default_rng(0).integers(0, 255, (9, 14), dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    (found,) = learner.predict([str(file)])
    logits = learner.network(torch.tensor(pixels / 255).float()[None, None])
    assert found["label"] == str(int(logits.argmax()))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.png", "does not exist"),
        ("text.png", "is not an image"),
        ("cut.png", "is not an image"),
        ("x" * 5000, "does not exist"),
        ("nul\0", "does not exist"),
    ],
)
def test_a_file_that_is_not_an_image_is_refused(
    make: Make, tmp_path: Path, name: str, message: str
) -> None:
    learner = make(*digits())
    (tmp_path / "text.png").write_text("no image")
    Image.new("L", (50, 50)).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RequestError, match=message):
        learner.predict([str(tmp_path / name)])
