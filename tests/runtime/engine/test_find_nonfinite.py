import json
from pathlib import Path

import pytest
import torch

from runtime.data import digits, images
from runtime.engine.callbacks import Callback
from runtime.engine.find_nonfinite import TrainingError
from runtime.engine.session import Session
from runtime.engine.trainer_state import TrainerState
from tests.runtime.engine.train_specs import CLASSIFICATION, Each, trained

NET = """
name: Net
inputs: {{image: "float[B, 1, 8, 8]"}}
layers:
  flat: flatten
  fc1: {{op: linear, out_features: 8}}
{layers}
  fc2: {{op: linear, out_features: 10}}
outputs: {{logits: fc2}}
task:
  kind: classification
  data: {{digits: {{held_out: 0.9}}}}
  epochs: 2
  batch_size: 32
  {task}
"""


def failure(folder: Path, layers: str, task: str = "seed: 0", blocks: str = "") -> str:
    spec = folder / "spec.yaml"
    lines = "\n".join(f"  {line}" for line in layers.splitlines())
    spec.write_text(NET.format(layers=lines, task=task) + blocks)
    with pytest.raises(TrainingError) as error:
        trained(spec, folder / "run")
    return str(error.value)


def test_the_layer_whose_values_are_nan_is_named(tmp_path: Path) -> None:
    message = failure(tmp_path, "root: sqrt\nact: relu")
    assert message.startswith("in step 1 (epoch 1) the loss is NaN: ")
    assert "the layer root (sqrt) is the first whose output is NaN" in message
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert about["status"] == "failed"
    assert about["reason"] == message
    assert not (tmp_path / "run" / "state.pt").exists()


def test_infinities_come_before_the_nan_of_them(tmp_path: Path) -> None:
    layers = "large: {op: scale, factor: 1e30}\nhuge: square\nnorm: layer_norm"
    message = failure(tmp_path, layers)
    assert "the layer huge (square) is the first whose output is infinite" in message


def test_a_layer_in_a_repeated_block(tmp_path: Path) -> None:
    blocks = """
blocks:
  Block:
    params: {i: int}
    inputs: {x: "float[B, D]"}
    layers:
      shifted: {op: shift, value: "100.0 if i == 0 else -1000.0"}
      root: sqrt
"""
    message = failure(tmp_path, "h: {op: Block, repeat: 3, i: i}", blocks=blocks)
    assert "the layer h.1.root (sqrt) is the first whose output is NaN" in message


def test_the_layer_whose_gradient_is_infinite(tmp_path: Path) -> None:
    message = failure(tmp_path, "zero: {op: scale, factor: 0.0}\nroot: sqrt")
    assert "the gradient of the loss is not finite" in message
    assert "the gradient of the layer root (sqrt) is not" in message


def test_a_learning_rate_that_is_too_high(tmp_path: Path) -> None:
    optimizer = "optimizer: {sgd: {lr: 1e30}}"
    message = failure(tmp_path, "act: relu", optimizer)
    assert message.startswith("in step 2 (epoch 1) the loss is NaN: ")
    assert "the layer fc2 (linear) is the first whose output is" in message
    assert "has grown to" in message
    assert "lower `lr`" in message


def test_masks_may_be_infinite(tmp_path: Path) -> None:
    layers = """\
rows: {op: flatten, start_dim: 1, end_dim: 2, in: image}
mask: causal_mask
masked: {op: masked_fill, in: [rows, mask], value: -.inf}
some: exp
less: {op: shift, value: -1.0}
root: sqrt
wide: flatten"""
    message = failure(tmp_path, layers)
    assert "the layer root (sqrt) is the first whose output is NaN" in message


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    def broken(session: Session) -> Callback:
        def after(state: TrainerState) -> None:
            if state.epoch == 1 and state.batch == len(session.sampler):
                with torch.no_grad():
                    session.modules[""].fc.bias[0] = torch.nan

        return Each(after)

    with pytest.raises(TrainingError, match=r"the weight fc.bias is NaN"):
        trained(CLASSIFICATION, tmp_path, make_callback=broken)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert state["position"]["epoch"] == 1
    assert bool(state["networks"][""]["fc.bias"].isfinite().all())


def test_data_that_is_not_finite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = images.scaled
    monkeypatch.setattr(digits, "scaled", lambda *given: real(*given) / 0)
    with pytest.raises(
        TrainingError, match=r"the data `sequence` has values that are NaN"
    ):
        trained(CLASSIFICATION.with_stem("sequences"), tmp_path)


def test_one_network_of_two(tmp_path: Path) -> None:
    text = (CLASSIFICATION.parent / "adversarial.yaml").read_text()
    spec = tmp_path / "spec.yaml"
    spec.write_text(text.replace("act: leaky_relu", "act: log"))
    with pytest.raises(TrainingError) as error:
        trained(spec, tmp_path / "run")
    assert "the discriminator.loss is NaN" in str(error.value)
    assert "the layer discriminator.act (log) is the first" in str(error.value)
