"""Training that starts from weights: of a file, of a run, of a part of one; and what is frozen."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from compiler import SpecError
from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.tasks.start import Start
from runtime.engine.callbacks import Callback
from runtime.engine.resume import changed_settings
from runtime.engine.session import Session
from runtime.open_run import open_run
from tests.runtime.engine.train_specs import remains, same, trained

SPEC = """
name: Net
params: {classes: 10, width: 4}
inputs:
  image: float[B, 1, 8, 8]
layers:
  conv: {op: conv2d, out_channels: width, kernel_size: 3}
  norm: batch_norm2d
  act: relu
  flat: flatten
  fc: {op: linear, out_features: 16}
  drop: {op: dropout, p: 0.1}
  head: {op: linear, out_features: classes}
outputs:
  logits: head
checkpoint:
  tensors:
    conv.{leaf}: features.0.{leaf}
    norm.{leaf}: features.1.{leaf}
    fc.{leaf}: classifier.0.{leaf}
    head.{leaf}: classifier.1.{leaf}
task:
  kind: classification
  data: {digits: {held_out: 0.9}}
  epochs: 1
  batch_size: 32
  optimizer: {adamw: {lr: 1e-3}}
"""
PUBLISHED = {
    "conv": "features.0",
    "norm": "features.1",
    "fc": "classifier.0",
    "head": "classifier.1",
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "net.yaml"
    file.write_text(SPEC, encoding="utf-8")
    return file


@pytest.fixture
def before(spec: Path, tmp_path: Path) -> Path:
    """A run whose weights others start from."""
    trained(spec, tmp_path / "before")
    return tmp_path / "before"


def weights(run: Path, name: str = "last") -> dict[str, torch.Tensor]:
    return load_file(run / f"weights/{name}.safetensors")


class Seen(Callback):
    """The state of the networks at the start, and what is told of it."""

    def __init__(self, session: Session) -> None:
        self.state = {k: v.clone() for k, v in session.modules[""].state_dict().items()}
        self.notes: list[str] = []
        seen.append(self)

    def on_train_begin(self, state: Any, notes: Any) -> None:
        self.notes = list(notes)


seen: list[Seen] = []


def start(spec: Path, run: Path, *sets: str, **options: Any) -> Seen:
    """Train from weights; what there was at the start."""
    trained(spec, run, *sets, make_callback=Seen, **options)
    return seen.pop()


def test_the_weights_of_another_run(spec: Path, before: Path, tmp_path: Path) -> None:
    found = start(spec, tmp_path / "run", f"task.start.weights={before}")
    best = weights(before, "best")
    assert all(torch.equal(best[name], found.state[name]) for name in best)
    [note] = found.notes
    assert note.startswith(f"weights of {before}/weights/best.safetensors: 11 tensors")


def test_the_weights_of_a_package(
    spec: Path, before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "some_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('it is not run')")
    shutil.copy(before / "weights/best.safetensors", package)
    monkeypatch.syspath_prepend(tmp_path / "site")
    sets = "task.start.weights=package:some_weights/best.safetensors"
    found = start(spec, tmp_path / "run", sets)
    assert found.notes[0].startswith(f"weights of {package}/best.safetensors: 11")
    assert "package:some_weights/best" in (tmp_path / "run/spec.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_package/a", "the package no_such_package is not installed"),
        ("a.b/c", "the package a.b is not installed"),
        ("torch/none.safetensors", "the package is in"),
    ],
)
def test_no_weights_in_a_package(
    name: str, message: str, spec: Path, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=message):
        start(spec, tmp_path / "run", f"task.start.weights=package:{name}")


def test_published_names(spec: Path, before: Path, tmp_path: Path) -> None:
    published = {}
    for name, tensor in weights(before).items():
        layer, _, leaf = name.partition(".")
        published[f"{PUBLISHED[layer]}.{leaf}"] = tensor
    save_file(published, tmp_path / "published.safetensors")
    # The path is relative to the spec.
    found = start(spec, tmp_path / "run", "task.start.weights=published.safetensors")
    assert torch.equal(found.state["fc.weight"], published["classifier.0.weight"])


def test_a_head_for_other_classes_is_initialised(
    spec: Path, before: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(
        SPEC.replace(
            "{op: linear, out_features: classes}",
            "{layers: [relu, {op: linear, out_features: classes}]}",
        )
    )
    found = start(other, tmp_path / "run", f"task.start.weights={before}")
    assert found.notes[1:] == [
        "initialised anew: head.1.weight [10, 16], head.1.bias [10]",
        "not used, of that file: head.bias, head.weight",
    ]
    assert torch.equal(found.state["fc.bias"], weights(before, "best")["fc.bias"])


def test_a_whole_layer_is_initialised_where_one_of_its_tensors_differs(
    spec: Path, before: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(
        SPEC.replace("head: {op: linear,", "head: {op: linear, bias: true,").replace(
            "  drop: {op: dropout, p: 0.1}\n",
            "  drop: {op: concat, dim: 1, in: [fc, fc]}\n",
        )
    )
    found = start(other, tmp_path / "run", f"task.start.weights={before}")
    assert found.notes[1] == "initialised anew: head.weight [10, 32], head.bias [10]"
    assert not torch.equal(
        found.state["head.bias"], weights(before, "best")["head.bias"]
    )


def test_a_misfit_in_the_middle_is_an_error_at_its_layer(
    spec: Path, before: Path, tmp_path: Path
) -> None:
    sets = ("width=5", f"task.start.weights={before}")
    with pytest.raises(SpecError) as error:
        trained(spec, tmp_path / "run", *sets)
    first = error.value.diagnostics[0]
    assert (first.code, first.span.line) == ("tensor-mismatch", 7)
    assert first.message.startswith(
        "conv.weight is [5, 1, 3, 3], and the file gives [4, 1, 3, 3]"
    )
    assert "name it under `new`" in first.help
    assert not (tmp_path / "run").exists()


def test_what_is_named_is_initialised(spec: Path, before: Path, tmp_path: Path) -> None:
    new = 'task.start.new=["conv.{leaf}", "norm.{leaf}", "fc.{leaf}"]'
    sets = ("width=5", f"task.start.weights={before}", new)
    found = start(spec, tmp_path / "run", *sets)
    assert found.state["conv.weight"].shape[0] == 5
    assert torch.equal(
        found.state["head.weight"], weights(before, "best")["head.weight"]
    )


def test_weights_of_another_network(spec: Path, tmp_path: Path) -> None:
    save_file({"other": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match="has no weights of Net"):
        trained(spec, tmp_path / "run", "task.start.weights=other.safetensors")
    with pytest.raises(RequestError, match="pickle"):
        trained(spec, tmp_path / "run", "task.start.weights=model.pt")
    with pytest.raises(RequestError, match="--weights"):
        trained(spec, tmp_path / "run", 'task.start.freeze=["conv.{leaf}"]')


FREEZE = 'task.start.freeze=["conv.{leaf}", "norm.{leaf}"]'


def test_what_is_frozen_stays_and_keeps_its_statistics(
    spec: Path, before: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    sets = (f"task.start.weights={before}", FREEZE, "task.epochs=2")
    trained(spec, run, *sets)
    first, last = weights(before, "best"), weights(run)
    changed = {name for name in first if not torch.equal(first[name], last[name])}
    assert changed == {"fc.weight", "fc.bias", "head.weight", "head.bias"}


def test_it_is_trained_after_some_epochs(
    spec: Path, before: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    sets = (f"task.start.weights={before}", FREEZE, "task.start.unfreeze_after=1")
    trained(spec, run, *sets, "task.epochs=2")
    first, last = weights(before, "best"), weights(run)
    assert not any(torch.equal(first[name], last[name]) for name in first)


def test_a_run_that_starts_from_weights_is_resumed_exactly(
    spec: Path, before: Path, tmp_path: Path
) -> None:
    sets = (f"task.start.weights={before}", FREEZE, "task.start.unfreeze_after=1")
    three = (*sets, "task.epochs=3")
    trained(spec, tmp_path / "whole", *three)
    trained(spec, tmp_path / "parts", *sets, "task.epochs=1")
    (before / "weights/best.safetensors").unlink()  # it is not needed again
    trained(spec, tmp_path / "parts", *three, resume=True)
    one, other = remains(tmp_path / "whole"), remains(tmp_path / "parts")
    # The first part ended with the metrics of a final evaluation, which the whole has once.
    assert one.pop("metrics") != other.pop("metrics")
    for state in (one["state"], other["state"]):
        del state["position"]["metrics"]
    assert [name for name in one if not same(one[name], other[name])] == []
    assert open_run(tmp_path / "parts").evaluate()["accuracy"] >= 0


def test_weights_cannot_change_in_a_run(spec: Path, before: Path) -> None:
    run = open_run(before)
    task = run.task.model_copy(update={"start": Start(weights="x.npz")})
    with pytest.raises(RequestError, match=r"start\.weights: None -> x\.npz"):
        changed_settings(task, run.info)


def test_sharded_parameters_are_not_unfrozen(
    spec: Path, before: Path, tmp_path: Path
) -> None:
    sets = (f"task.start.weights={before}", FREEZE, "task.start.unfreeze_after=1")
    with pytest.raises(RequestError, match="use ddp"):
        trained(spec, tmp_path / "run", *sets, strategy="fsdp")


def test_nothing_is_left_to_train(spec: Path, before: Path, tmp_path: Path) -> None:
    sets = (f"task.start.weights={before}", 'task.start.freeze=["{*all}"]')
    with pytest.raises(RequestError, match="leaves no parameter to train"):
        trained(spec, tmp_path / "run", *sets)
