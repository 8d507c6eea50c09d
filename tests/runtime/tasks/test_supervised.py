"""What supervised tasks share: several labels, class weights, named metrics, losses of further outputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn import metrics as sk
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError, SpecError
from compiler.diagnostics.limits import Limits
from layergraph.overrides import compile_chosen
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch, DataSplits
from runtime.data.load_data import load
from runtime.engine.run_folder import RunFolder
from runtime.engine.trainer import TrainerOptions, train
from runtime.load import build_networks
from runtime.open_run import open_run
from runtime.tasks.learner import learner_class
from runtime.tasks.supervised_learner import SupervisedLearner

SPEC = """
name: Net
inputs:
  numbers: float[B, 2]
layers:
  hidden: {op: linear, out_features: 8}
  act: relu
  main: {op: linear, out_features: MAIN}
  aux: {op: linear, out_features: AUX, in: act}
outputs: {ROLE: main, extra: aux}
task:
  kind: KIND
  data: {table: {path: people.csv, held_out: 0.25, ignore: [], COLUMNS}}
  OPTIONS
"""
Learn = SupervisedLearner[Any]
Make = Callable[..., tuple[Learn, DataSplits]]


def people() -> str:
    """Sixty people of three kinds, one of which is rare."""
    generator = np.random.default_rng(1)
    lines = ["height,weight,kind,tall,heavy,age"]
    for number in range(60):
        height, weight = generator.normal(170, 10), generator.normal(70, 12)
        kind = "rare" if number % 6 == 0 else ("one", "two")[int(height > 170)]
        tall, heavy = int(height > 178), int(weight > 70)
        age = 20 + weight / 3
        lines.append(f"{height:.1f},{weight:.1f},{kind},{tall},{heavy},{age:.2f}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(
        kind: str, columns: str, main: int, aux: int = 1, options: str = ""
    ) -> tuple[Learn, DataSplits]:
        program = compile_chosen(
            spec_of(tmp_path, kind, columns, main, aux, options),
            "",
            (),
            limits=Limits(),
        )
        task = program.task
        assert task is not None
        section = DataSection(program.typed.graph.document, "table", tmp_path)
        data = load(task, section)
        torch.manual_seed(0)
        networks = build_networks(program)
        learner = learner_class(kind)(
            task, program.typed.networks, networks, data.metadata
        )
        assert isinstance(learner, SupervisedLearner)
        learner.setup(data)
        return learner, data

    return made


def spec_of(
    folder: Path, kind: str, columns: str, main: int, aux: int, options: str
) -> Path:
    (folder / "people.csv").write_text(people())
    named = [name for name in ("kind", "tall", "heavy", "age") if name not in columns]
    role = "prediction" if kind == "regression" else "logits"
    text = SPEC.replace("ignore: []", f"ignore: {named}".replace("'", ""))
    for word, value in {
        "MAIN": main,
        "AUX": aux,
        "ROLE": role,
        "KIND": kind,
        "COLUMNS": columns,
        "OPTIONS": options,
    }.items():
        text = text.replace(word, str(value))
    file = folder / "net.yaml"
    file.write_text(text)
    return file


def every(examples: Any) -> Batch:
    batch: Batch = examples.__getitems__(list(range(len(examples))))
    return batch


@torch.no_grad()
def evaluated(
    learner: Learn, data: DataSplits, final: bool = False
) -> dict[str, float]:
    rows = torch.arange(len(data.held_out)).split(4)
    batches = [data.held_out.__getitems__(part.tolist()) for part in rows]
    return learner.evaluate(batches, final)


def mean_loss(learner: Learn, batch: Batch) -> torch.Tensor:
    return learner.loss("", batch, 0.0) / learner.num_items(batch)


# Several labels.

LABELS = "labels: [tall, heavy]"


def test_labels_have_binary_cross_entropy_and_the_metrics_of_sklearn(
    make: Make,
) -> None:
    learner, data = make("multi_label", LABELS, 2)
    batch = every(data.held_out)
    logits, _ = learner.network(batch["numbers"])
    plain = F.binary_cross_entropy_with_logits(logits, batch["labels"])
    torch.testing.assert_close(mean_loss(learner, batch), plain)
    found = evaluated(learner, data, final=True)
    truth, predicted = batch["labels"].numpy(), (logits.detach() > 0).numpy()
    options = {"average": "macro", "zero_division": 0}
    assert found["f1"] == pytest.approx(sk.f1_score(truth, predicted, **options))
    assert found["exact"] == pytest.approx(sk.accuracy_score(truth, predicted))
    assert found["loss"] == pytest.approx(float(plain.detach()), rel=1e-5)
    whole = sk.f1_score(truth, np.ones_like(truth), **options)
    assert found["f1.all"] == pytest.approx(whole)
    assert {"f1.logistic", "f1.boosting"} <= found.keys()
    rows = learner.tables()["classes"]
    assert [row["class"] for row in rows] == ["tall", "heavy"]
    recall = sk.recall_score(truth, predicted, average=None, zero_division=0)
    assert [row["recall"] for row in rows] == pytest.approx(recall)


def test_the_threshold_of_labels(make: Make) -> None:
    learner, data = make("multi_label", LABELS, 2, options="threshold: 0.0")
    found = evaluated(learner, data, final=True)
    assert found["f1"] == found["f1.all"]
    row = learner.predict([{"height": 170.0, "weight": 70.0}])[0]
    assert row["labels"] == ["tall", "heavy"]
    assert list(row["probabilities"]) == ["tall", "heavy"]


def test_balanced_labels_weigh_the_same(make: Make) -> None:
    options = "class_weights: balanced"
    learner, data = make("multi_label", LABELS, 2, options=options)
    batch = every(data.train)
    applies = batch["labels"].mean(0)
    logits, _ = learner.network(batch["numbers"])
    expected = F.binary_cross_entropy_with_logits(
        logits, batch["labels"], pos_weight=(1 - applies) / applies
    )
    torch.testing.assert_close(mean_loss(learner, batch), expected)
    learner, _ = make("multi_label", LABELS, 2, options="class_weights: {tall: 3}")
    weight = torch.tensor([3.0, 1.0])
    logits, _ = learner.network(batch["numbers"])
    expected = F.binary_cross_entropy_with_logits(
        logits, batch["labels"], pos_weight=weight
    )
    torch.testing.assert_close(mean_loss(learner, batch), expected)


# Class weights.


@pytest.mark.parametrize("weights", ["balanced", "0.5", "{rare: 5, one: 0.5}"])
def test_class_weights_are_those_of_torch(make: Make, weights: str) -> None:
    options = f"class_weights: {weights}"
    learner, data = make("classification", "label: kind", 3, options=options)
    batch = every(data.train)
    logits, _ = learner.network(batch["numbers"])
    names = learner.metadata["classes"]
    assert names == ["one", "rare", "two"]
    counts = batch["label"].bincount().float()
    given = {"rare": 5.0, "one": 0.5}
    weight = torch.tensor([given.get(name, 1.0) for name in names])
    weight = 1 / counts if weights == "balanced" else weight
    weight = counts**-0.5 if weights == "0.5" else weight
    # Torch divides by the weights of the batch; over all training examples that is the same.
    expected = F.cross_entropy(logits, batch["label"], weight=weight)
    torch.testing.assert_close(mean_loss(learner, batch), expected)
    plain = F.cross_entropy(
        learner.outputs(every(data.held_out))["logits"].detach(),
        every(data.held_out)["label"],
    )
    assert evaluated(learner, data)["loss"] == pytest.approx(float(plain), rel=1e-5)


def test_a_weight_of_a_class_that_there_is_not(tmp_path: Path) -> None:
    options = "class_weights: {rar: 5}"
    file = spec_of(tmp_path, "classification", "label: kind", 3, 1, options)
    program = compile_chosen(file, "", (), limits=Limits())
    with pytest.raises(SpecError) as caught:
        train(program, RunFolder(tmp_path / "run"), TrainerOptions(), None)  # type: ignore[arg-type]
    (found,) = (one for one in caught.value.diagnostics if one.severity == "error")
    assert found.message == "there is no class rar" and "`rare`" in found.help
    assert (found.span.line, found.span.column) == (14, 19)


# Metrics by name.


def test_named_metrics_of_classes_are_those_of_sklearn(make: Make) -> None:
    names = "[f1, {f1: {average: micro}}, {recall: {average: weighted}}, auroc, top_2, kappa]"
    options = f"metrics: {names}"
    learner, data = make("classification", "label: kind", 3, options=options)
    found = evaluated(learner, data)
    batch = every(data.held_out)
    with torch.no_grad():
        probabilities = learner.outputs(batch)["logits"].softmax(-1).double()
    probabilities = probabilities / probabilities.sum(1, keepdim=True)
    truth, predicted = batch["label"].numpy(), probabilities.argmax(1).numpy()
    assert set(truth) == {0, 1, 2}
    expected = {
        "f1": sk.f1_score(truth, predicted, average="macro"),
        "f1_micro": sk.f1_score(truth, predicted, average="micro"),
        "recall_weighted": sk.recall_score(truth, predicted, average="weighted"),
        "auroc": sk.roc_auc_score(truth, probabilities.numpy(), multi_class="ovr"),
        "top_2": sk.top_k_accuracy_score(truth, probabilities.numpy(), k=2),
        "kappa": sk.cohen_kappa_score(truth, predicted),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-5), name
    rows = learner.tables()["classes"]
    f1 = sk.f1_score(truth, predicted, average=None)
    assert [row["f1"] for row in rows] == pytest.approx(f1)
    assert [row["examples"] for row in rows] == np.bincount(truth).tolist()


def test_named_metrics_of_labels_and_numbers(make: Make) -> None:
    options = "metrics: [auroc, hamming]"
    learner, data = make("multi_label", LABELS, 2, options=options)
    found, batch = evaluated(learner, data), every(data.held_out)
    with torch.no_grad():
        logits = learner.outputs(batch)["logits"]
    truth = batch["labels"].numpy()
    assert found["auroc"] == pytest.approx(
        sk.roc_auc_score(truth, logits.numpy()), abs=1e-5
    )
    wrong = sk.hamming_loss(truth, logits.numpy() > 0)
    assert found["hamming"] == pytest.approx(wrong, abs=1e-5)
    options = "metrics: [pearson, mape]"
    learner, data = make("regression", "target: age", 1, options=options)
    found, batch = evaluated(learner, data), every(data.held_out)
    with torch.no_grad():
        output = learner.outputs(batch)["prediction"]
    own, true = (learner.unscale(one, [0])[:, 0] for one in (output, batch["target"]))
    pearson = np.corrcoef(own.numpy(), true.numpy())[0, 1]
    assert found["pearson"] == pytest.approx(pearson, abs=1e-5)
    error = sk.mean_absolute_percentage_error(true.numpy(), own.numpy())
    assert found["mape"] == pytest.approx(error, rel=1e-5)


def test_the_best_weights_are_those_of_the_chosen_metric(tmp_path: Path) -> None:
    options = "metrics: [f1]\n  best: f1\n  epochs: 6"
    file = spec_of(tmp_path, "classification", "label: kind", 3, 1, options)
    program = compile_chosen(file, "", (), limits=Limits())
    from runtime.engine.callbacks import Callback

    folder = RunFolder(tmp_path / "run")
    options_ = TrainerOptions(accelerator="cpu")
    state = train(program, folder, options_, lambda session: Callback())
    assert state.best == max(row["f1"] for row in state.metrics)
    info = folder.read_info()
    assert (info["metric"], info["best"]) == ("f1", state.best)
    found = open_run(folder.path).evaluate()
    assert found["f1"] == pytest.approx(state.best)
    lines = (folder.path / "classes.csv").read_text().splitlines()
    assert lines[0] == "class,examples,precision,recall,f1" and len(lines) == 4


# Losses of further outputs.


def test_losses_are_added_with_their_weights(make: Make) -> None:
    options = "losses: {extra: {huber: {weight: 0.1, delta: 0.5}}}"
    columns = "label: kind, target: age"
    learner, data = make("classification", columns, 3, options=options)
    batch = every(data.held_out)
    logits, extra = learner.network(batch["numbers"])
    own = F.cross_entropy(logits, batch["label"])
    further = F.huber_loss(extra, batch["target"], delta=0.5)
    torch.testing.assert_close(mean_loss(learner, batch), own + 0.1 * further)
    found = evaluated(learner, data)
    assert found["loss"] == pytest.approx(float(own.detach()), rel=1e-5)
    assert found["extra.loss"] == pytest.approx(float(further.detach()), rel=1e-5)
    scale = learner.scales[0]
    true = (batch["target"].double() * scale.std + scale.mean).numpy()
    predicted = (extra.detach().double() * scale.std + scale.mean).numpy()
    assert found["extra.mae"] == pytest.approx(sk.mean_absolute_error(true, predicted))
    assert found["extra.r2"] == pytest.approx(sk.r2_score(true, predicted))


def test_an_auxiliary_head_has_the_same_classes(make: Make) -> None:
    options = "label_smoothing: 0.1\n  losses: {extra: {cross_entropy: {weight: 0.3}}}"
    learner, data = make("classification", "label: kind", 3, 3, options)
    batch = every(data.held_out)
    logits, extra = learner.network(batch["numbers"])
    both = (
        F.cross_entropy(one, batch["label"], label_smoothing=0.1)
        for one in (logits, extra)
    )
    own, further = both
    torch.testing.assert_close(mean_loss(learner, batch), own + 0.3 * further)
    right = (extra.argmax(1) == batch["label"]).float().mean()
    assert evaluated(learner, data)["extra.accuracy"] == pytest.approx(float(right))


def test_outputs_of_different_numbers(make: Make) -> None:
    options = "loss: {mse: {target: age}}\n  losses: {extra: {mae: {target: tall}}}"
    learner, data = make("regression", "target: [tall, age]", 1, 1, options)
    batch = every(data.held_out)
    prediction, extra = learner.network(batch["numbers"])
    own = F.mse_loss(prediction, batch["target"][:, 1:])
    further = F.l1_loss(extra, batch["target"][:, :1])
    torch.testing.assert_close(mean_loss(learner, batch), own + further)
    found = evaluated(learner, data, final=True)
    assert "age.mae" not in found  # it is the only number of the task
    tall = learner.scales[0].std * float(further.detach())
    assert found["extra.mae"] == pytest.approx(tall, rel=1e-4)
    (row,) = learner.predict([{"height": 170.0}])
    assert list(row) == ["input", "age"]


def test_labels_as_a_further_output(make: Make) -> None:
    options = "losses: {extra: bce}"
    learner, data = make("classification", f"label: kind, {LABELS}", 3, 2, options)
    found, batch = evaluated(learner, data), every(data.held_out)
    with torch.no_grad():
        extra = learner.outputs(batch)["extra"]
    truth = batch["labels"].numpy()
    f1 = sk.f1_score(truth, extra.numpy() > 0, average="macro", zero_division=0)
    assert found["extra.f1"] == pytest.approx(f1)


# Texts and images in tables.

TEXTS = """
name: Net
inputs: {tokens: "int[B, T]"}
layers:
  embedding: {op: embedding, num_embeddings: 30, embedding_dim: 8}
  pool: {op: mean, dim: 1}
  head: {op: linear, out_features: 1}
outputs: {prediction: head}
task:
  kind: regression
  data: {text_table: {path: t.csv, text: review, target: stars, tokens: {words: 30}}}
  epochs: 40
  optimizer: {adam: {lr: 0.05}}
"""
IMAGES = """
name: Net
inputs: {image: "float[B, 1, 8, 8]"}
layers:
  flat: flatten
  head: {op: linear, out_features: 2}
outputs: {logits: head}
task:
  kind: multi_label
  data: {image_table: {path: i.csv, image: file, labels: [top, left], size: 8, channels: 1}}
  epochs: 40
  optimizer: {adam: {lr: 0.05}}
"""


def trained(folder: Path, text: str) -> Path:
    from runtime.engine.callbacks import Callback

    (folder / "net.yaml").write_text(text)
    program = compile_chosen(folder / "net.yaml", "", (), limits=Limits())
    options = TrainerOptions(accelerator="cpu")
    run = RunFolder(folder / "run")
    train(program, run, options, lambda session: Callback())
    return run.path


def test_numbers_of_texts(tmp_path: Path) -> None:
    words = {"good": 5, "fine": 4, "bad": 1, "so": 3}
    lines = [
        f"really {word} {i % 7},{stars}"
        for word, stars in words.items()
        for i in range(12)
    ]
    (tmp_path / "t.csv").write_text("review,stars\n" + "\n".join(lines) + "\n")
    run = open_run(trained(tmp_path, TEXTS))
    found = run.evaluate()
    assert found["mae"] < 0.5 < found["mae.mean"]
    (one, other) = run.predict(["really good 3", "bad"])
    assert one["stars"] > other["stars"]


def test_labels_of_images(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    lines = ["file,top,left"]
    for number in range(60):
        top, left = number % 2, number // 2 % 2
        pixels = generator.integers(0, 60, (8, 8), dtype=np.uint8)
        pixels[:3] += np.uint8(150 * top)
        pixels[:, :3] += np.uint8(45 * left)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{'yes' if top else 'no'},{left}")
    (tmp_path / "i.csv").write_text("\n".join(lines) + "\n")
    run = open_run(trained(tmp_path, IMAGES))
    found = run.evaluate()
    assert found["f1"] > 0.9 > found["f1.all"]
    (row,) = run.predict([str(tmp_path / "3.png")])
    assert row["labels"] == ["top", "left"]


def test_a_missing_image_is_reported_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("file,top,left\nx.png,1,0\ny.png,0,1\n")
    with pytest.raises(SpecError) as caught:
        trained(tmp_path, IMAGES)
    (found,) = caught.value.diagnostics
    assert found.code == "data-not-found" and "is not a file" in found.message
    assert Path(found.span.file).name == "i.csv"


def test_images_are_predicted_as_files_arrays_and_pictures(tmp_path: Path) -> None:
    text = IMAGES.replace("epochs: 40", "epochs: 1")
    generator = np.random.default_rng(0)
    lines = ["file,top,left"]
    for number in range(20):
        pixels = generator.integers(0, 255, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{number % 2},{number // 2 % 2}")
    (tmp_path / "i.csv").write_text("\n".join(lines) + "\n")
    run = open_run(trained(tmp_path, text))
    file = tmp_path / "3.png"
    picture = Image.open(file)
    (expected,) = run.predict(str(file))
    for one in (np.array(picture), picture, torch.from_numpy(np.array(picture)), file):
        (found,) = run.predict(one)
        assert found["probabilities"] == expected["probabilities"]
    with pytest.raises(RequestError, match=r"and is float64\[8, 8\]"):
        run.predict(np.zeros((8, 8)))
