"""Tagging, trained for seconds: losses, F1, tagged texts."""

from pathlib import Path

import pytest
import torch
from sklearn.metrics import f1_score
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from runtime.open_run import LoadedRun, open_run
from runtime.tasks.tag_metrics import most_frequent_tags, tag_metrics
from runtime.tasks.tagging import TaggingLearner
from tests.runtime.engine.train_specs import SPECS, trained

(SPEC,) = (file for file in SPECS if file.stem == "tagging")
FLAT = """
name: Net
inputs: {tokens: "int[B, T]"}
layers:
  embed: {op: embedding, num_embeddings: 300, embedding_dim: 8}
  fc: {op: linear, out_features: CLASSES}
outputs: {logits: fc}
task:
  kind: tagging
  data: {DATA: {words: 300, length: 12}}
  minutes: 0.004
  batch_size: 256
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    folder = tmp_path_factory.mktemp("runs") / "run"
    trained(SPEC, folder, "task.epochs=60", "task.optimizer.adam.lr=0.02")
    return open_run(folder)


def test_names_are_learned(run: LoadedRun) -> None:
    found = run.evaluate()
    assert found["f1"] > 0.95
    assert found["f1"] >= found["f1.frequent"]
    assert {"f1.PER", "f1.LOC", "accuracy", "accuracy.frequent", "loss"} <= found.keys()
    assert run.learner.plots()["confusion.png"].startswith(b"\x89PNG")
    (tagged,) = run.predict(["Carl Ames lives in New York ."])
    assert tagged["tags"] == "B-PER I-PER O O B-LOC I-LOC O"
    assert tagged["tagged"].startswith("Carl/B-PER Ames/I-PER")
    with pytest.raises(RequestError, match="an empty text"):
        run.predict([" "])


def test_the_loss_of_a_batch_is_that_of_its_texts(run: LoadedRun) -> None:
    data, learner = run.data().held_out, run.learner
    same = [i for i in range(len(data)) if data.lengths[i] == data.lengths[0]][:2]  # type: ignore[attr-defined]
    with torch.no_grad():
        single = [learner.loss("", data.__getitems__([i]), 0.0) for i in same]
        whole = learner.loss("", data.__getitems__(same), 0.0)
    torch.testing.assert_close(whole, torch.stack(single).sum())


@pytest.mark.parametrize(
    ("data", "classes", "text", "words"),
    [("punctuation", 21, "And, he SAID", 3), ("accents", 9, "¿Dónde está?", 2)],
)
def test_texts_are_restored(
    data: str, classes: int, text: str, words: int, tmp_path: Path
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(FLAT.replace("CLASSES", str(classes)).replace("DATA", data))
    trained(file, tmp_path / "run")
    run = open_run(tmp_path / "run")
    (found,) = run.predict([text])
    assert len(found["tags"].split()) == words
    assert len(found["tagged"].split()) == words
    learner, batch = run.learner, run.data().held_out.__getitems__([0, 1, 2])
    assert isinstance(learner, TaggingLearner)
    logits = run.networks[""](batch["tokens"])
    mask = batch["mask"]
    expected = F.cross_entropy(logits[mask], batch["tags"][mask], reduction="sum")
    torch.testing.assert_close(learner.loss("", batch, 0.0), expected)
    assert learner.num_items(batch) == mask.sum()


def test_f1_of_tags_is_that_of_sklearn() -> None:
    generator = torch.Generator().manual_seed(0)
    names = ["O", "x", "y"]
    one, other = (
        [names[i] for i in torch.randint(0, 3, (50,), generator=generator).tolist()]
        for _ in range(2)
    )
    found = tag_metrics([one[:20], one[20:]], [other[:20], other[20:]])
    micro = f1_score(other, one, labels=["x", "y"], average="micro")
    assert found["f1"] == pytest.approx(micro)
    for tag in ("x", "y"):
        single = f1_score(other, one, labels=[tag], average="micro")
        assert found[f"f1.{tag}"] == pytest.approx(single)


def test_f1_of_entities_counts_whole_ones() -> None:
    expected = [["B-A", "I-A", "O", "B-B"], ["I-A", "B-A"]]
    found = [["B-A", "O", "O", "B-B"], ["I-A", "B-A"]]
    metrics = tag_metrics(found, expected)
    # Of four entities three are found, and one that is not: its end is wrong.
    assert metrics["f1"] == pytest.approx(0.75)
    assert metrics["f1.B"] == 1
    assert metrics["accuracy"] == pytest.approx(5 / 6)


def test_the_most_frequent_tags() -> None:
    texts = [[("a", "x"), ("b", "y")], [("a", "x"), ("a", "y")]]
    assert most_frequent_tags(texts) == ({"a": "x", "b": "y"}, "x")
