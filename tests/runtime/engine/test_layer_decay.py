"""Learning rates by depth."""

from pathlib import Path

import pytest
import torch
from torch import nn

from compiler.diagnostics.diagnostic import SpecError
from compiler.pipeline import compile_spec
from runtime.engine.build_optimizer import build_optimizer, set_learning_rate
from runtime.load import build_networks

SPEC = """
name: Deep
inputs:
  image: float[B, 1, 8, 8]
layers:
  flat: flatten
  first: {op: linear, out_features: 8}
  h: {op: linear, out_features: 8, repeat: 3}
  head: {op: linear, out_features: 10}
outputs: {logits: head}
task:
  kind: classification
  data: digits
  optimizer: {sgd: {lr: 0.1}}
  layer_decay: 0.5
  rates: {"head.{leaf}": 10}
"""


def test_each_copy_has_a_fraction_of_the_rate_of_the_next(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(SPEC)
    program = compile_spec(tmp_path / "net.yaml")
    (module,) = build_networks(program).values()
    assert isinstance(module, nn.Module) and program.task is not None
    optimizer = build_optimizer(program.task.optimizer, "", module, program.task)
    set_learning_rate(optimizer, 0.1)
    before = {name: weight.clone() for name, weight in module.named_parameters()}
    for weight in module.parameters():
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    rates = {
        name: float((before[name] - weight).detach().mean())
        for name, weight in module.named_parameters()
    }
    expected = {"first": 1 / 16, "h.0": 1 / 8, "h.1": 1 / 4, "h.2": 1 / 2, "head": 10}
    for layer, factor in expected.items():
        for leaf in ("weight", "bias"):
            assert rates[f"{layer}.{leaf}"] == pytest.approx(0.1 * factor, rel=1e-4)


def test_a_network_without_copies_has_no_rates_by_depth(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(SPEC.replace(", repeat: 3", ""))
    with pytest.raises(SpecError) as raised:
        compile_spec(tmp_path / "net.yaml")
    (one,) = raised.value.diagnostics
    assert (one.code, one.span.line) == ("task-misfit", 15)
