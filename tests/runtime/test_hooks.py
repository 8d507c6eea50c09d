from pathlib import Path

import torch
from torch import Tensor, nn

from compiler import compile_spec
from runtime.hooks import hook_layers
from runtime.load import build_networks

SPEC = """
name: Net
inputs:
  x: float[B, T, 4]
layers:
  wide: {op: linear, out_features: 8}
  blocks: {op: Block, repeat: 2}
  sum: {op: add, in: [wide, blocks]}
  lstm: {op: lstm, hidden_size: 3}
  out: {op: tanh, in: lstm.output}
outputs:
  out: out
blocks:
  Block:
    inputs:
      x: float[B, T, D]
    layers:
      parts: {op: chunk, chunks: 2, dim: -1}
      swapped: {op: concat, dim: -1, in: [parts.1, parts.0]}
      act: relu
      doubled: {op: add, in: [act, act]}
"""


def network(folder: Path) -> nn.Module:
    file = folder / "net.yaml"
    file.write_text(SPEC)
    return build_networks(compile_spec(file).traceable())[""]


def outputs_by_layer(net: nn.Module) -> dict[str, list[Tensor]]:
    """The last output of each layer."""
    found: dict[str, list[Tensor]] = {}
    with hook_layers(net, found.__setitem__):
        net(torch.ones(2, 5, 4))
    return found


def test_layers_are_named_as_in_the_spec(tmp_path: Path) -> None:
    found = outputs_by_layer(network(tmp_path))
    for name in ("wide", "blocks.0.swapped", "blocks.1.act", "sum", "lstm", "out"):
        assert name in found, list(found)


def test_hooks_are_called_in_the_order_of_execution(tmp_path: Path) -> None:
    names = list(outputs_by_layer(network(tmp_path)))
    order = ["wide", "blocks.0.act", "blocks.0", "blocks.1.act", "sum", "lstm", "out"]
    assert [name for name in names if name in order] == order


def test_hooks_get_the_outputs(tmp_path: Path) -> None:
    net = network(tmp_path)
    found = outputs_by_layer(net)
    x = torch.ones(2, 5, 4)
    assert found["wide"][0].equal(net.wide(x))  # type: ignore[operator]
    assert found["out"][0].equal(net(x))
    assert found["blocks.1"][0].equal(2 * found["blocks.1.act"][0])
    assert [one.shape for one in found["lstm"]] == [(2, 5, 3), (1, 2, 3), (1, 2, 3)]


def test_hooks_are_removed(tmp_path: Path) -> None:
    net = network(tmp_path)
    called: list[str] = []
    with hook_layers(net, lambda path, given: called.append(path)):
        pass
    net(torch.ones(2, 5, 4))
    assert not called
    assert not any(
        one._forward_hooks or one._forward_pre_hooks for one in net.modules()
    )
