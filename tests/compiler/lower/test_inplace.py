"""A rectifier writes over its input where nothing else needs that, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from compiler import compile_spec

SPARE = {
    "after a convolution": "a: {op: conv1d, out_channels: 3, kernel_size: 1}\n  r: relu",
    "after a norm": "a: batch_norm1d\n  r: relu6",
    "after a sum": "a: {op: add, in: [x, x]}\n  r: relu",
    "in a chain": (
        "a: {layers: [{op: conv1d, out_channels: 3, kernel_size: 1}, relu, tanh]}"
    ),
}
NEEDED = {
    "of the input": "r: relu",
    "taken twice": (
        "a: {op: conv1d, out_channels: 3, kernel_size: 1}\n"
        "  r: relu\n  s: {op: add, in: [a, r]}"
    ),
    "an output": "a: {op: linear, out_features: 3}\n  r: relu\noutputs: [a, r]",
    "whose gradient needs the result": "a: tanh\n  r: relu",
    "after a rectifier": "a: relu\n  r: relu",
    "that may be its input itself": "a: {op: dropout, p: 0.0}\n  r: relu",
    "a view": "a: {op: transpose, dim0: 1, dim1: 2}\n  r: relu",
    "that may be switched off": (
        "a: {op: conv1d, out_channels: 3, kernel_size: 1, when: on}\n  r: relu"
    ),
    "of copies": "a: {op: linear, out_features: 4}\n  r: {op: relu, repeat: 2}",
    "taken inside a group": (
        "a: {op: linear, out_features: 4}\n"
        "  g: {in: x, layers: {p: tanh, q: {op: add, in: [p, a]}}}\n"
        "  r: {op: relu, in: a}\n  s: {op: add, in: [g, r]}"
    ),
    "first in a chain": "a: {layers: [relu, tanh]}",
}


def code(folder: Path, layers: str) -> str:
    file = folder / "net.yaml"
    head = 'name: Net\nparams: {on: true}\ninputs: {x: "float[B, 3, 4]"}\nlayers:\n  '
    file.write_text(f"{head}{layers}\n", encoding="utf-8")
    return compile_spec(file).python


def network(text: str) -> nn.Module:
    scope: dict[str, Any] = {"__name__": "net"}
    exec(compile(text, "net", "exec"), scope)  # noqa: S102 - made by this test
    torch.manual_seed(0)
    made: nn.Module = scope["Net"]()
    return made.double()


@pytest.mark.parametrize("layers", SPARE.values(), ids=SPARE)
def test_overwrites_what_is_spare(tmp_path: Path, layers: str) -> None:
    text = code(tmp_path, layers)
    assert text.count("inplace=True") == 1
    plain = text.replace(", inplace=True", "").replace("inplace=True", "")
    nets = network(text), network(plain)
    for one, other in zip(gradients(nets[0]), gradients(nets[1]), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("layers", NEEDED.values(), ids=NEEDED)
def test_leaves_what_is_needed(tmp_path: Path, layers: str) -> None:
    text = code(tmp_path, layers)
    assert "relu" in text.lower()
    assert "inplace" not in text
    gradients(network(text))


def gradients(net: nn.Module) -> list[torch.Tensor]:
    """The outputs, their gradients, and the gradients of these."""
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        x.data.normal_()
    found = net(x)
    outputs = list(found) if isinstance(found, tuple) else [found]
    total = torch.stack([out.square().sum() for out in outputs]).sum()
    wanted = [x, *net.parameters()]
    first = torch.autograd.grad(total, wanted, create_graph=True)
    again = torch.stack([one.square().sum() for one in first]).sum()
    second = torch.autograd.grad(again, wanted, allow_unused=True)
    kept = [one for one in second if one is not None]
    return [*outputs, *first, *kept]
