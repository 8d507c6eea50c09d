"""A pair of tiny networks that are trained against one another, on images of 2 by 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from compiler import Program, compile_spec
from compiler.tasks.data_facts import DataFacts
from compiler.tasks.kinds.adversarial import Adversarial
from runtime.data.dataset import Batch, DataSplits, TensorExamples
from runtime.engine.build_optimizer import build_optimizer
from runtime.load import build_networks
from runtime.tasks.adversarial import AdversarialLearner

SPEC = """\
name: Tiny
networks:
  generator:
    inputs: {noise: "float[B, 3]"}
    layers:
      hidden: {op: linear, out_features: 16}
      norm: batch_norm1d
      relu: relu
      flat: {op: linear, out_features: 4}
      values: LAST
      image: {op: unflatten, dim: 1, sizes: [1, 2, 2]}
    outputs: [image]
  discriminator:
    inputs: {image: "float[B, 1, 2, 2]"}
    layers:
      flat: flatten
      hidden: {op: linear, out_features: 16}
      bent: softplus
      score: {op: linear, out_features: 1}
    outputs: [score]
task:
  kind: adversarial
  data: {image_folder: {path: none, size: 2, channels: 1, range: -1..1}}
"""

NO_LABELS: Batch = {}
"""For networks that are not told them."""


def program(folder: Path, task: str = "", last: str = "tanh") -> Program:
    """The pair, with more lines of its task."""
    file = folder / "tiny.yaml"
    more = "".join(f"  {line}\n" for line in task.splitlines())
    file.write_text(SPEC.replace("LAST", last) + more, encoding="utf-8")
    return compile_spec(file)


def adversary(folder: Path, task: str = "") -> AdversarialLearner:
    """The pair at work, always with the same weights."""
    found = program(folder, task)
    assert isinstance(found.task, Adversarial)
    torch.manual_seed(0)
    networks = build_networks(found)
    metadata: dict[str, Any] = {"range": "-1..1"}
    return AdversarialLearner(found.task, found.typed.networks, networks, metadata)


def stripes(count: int = 64) -> DataSplits:
    """Images with one row, or one column, that is white: two classes."""
    rows = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    columns = torch.tensor([[1.0, -1.0], [1.0, -1.0]])
    label = torch.arange(count) % 2
    image = torch.stack([rows, columns])[label].unsqueeze(1)
    table = TensorExamples({"image": image, "label": label})
    return DataSplits(table, table, DataFacts("images", image=(1, 2, 2), classes=2))


def batch(count: int = 8) -> Batch:
    """The first images of the stripes."""
    return stripes().train.__getitems__(list(range(count)))


def weights(network: nn.Module) -> list[Tensor]:
    """The parameters as they are now."""
    return [one.detach().clone() for one in network.parameters()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(map(torch.equal, one, other))


def train(learner: AdversarialLearner, data: DataSplits, steps: int) -> None:
    """Steps of 16 images each, with the optimizers that the task names."""
    optimizers = {
        config.network: build_optimizer(
            config.optimizer,
            config.network,
            learner.networks[config.network],
            learner.task,
        )
        for config in learner.configure_optimizers()
    }
    for step in range(steps):
        part = data.train.__getitems__(torch.randint(64, (16,)).tolist())
        for name in learner.networks_to_update(step):
            optimizers[name].zero_grad()
            torch.autograd.backward(learner.loss(name, part, 0.0) / 16)
            optimizers[name].step()
