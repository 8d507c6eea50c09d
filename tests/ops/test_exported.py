"""Functions of tensors keep their symbolic sizes when torch traces them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

from compiler import compile_spec
from runtime.load import build_networks

FEATURES = Path(__file__).parents[1] / "features"


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """All of them in one network."""
    return build_networks(compile_spec(FEATURES / "functional.yaml"))[""].eval()


def _inputs(batch: int, length: int) -> tuple[Tensor, ...]:
    x, y = torch.randn(2, batch, length, 8)
    return x, y, torch.randint(5, (batch, length))


def test_compiles_as_one_graph(network: nn.Module) -> None:
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    given = _inputs(3, 6)
    torch.testing.assert_close(compiled(*given), network(*given))


def test_angles_compile_as_one_graph() -> None:
    spec = compile_spec(FEATURES / "chosen_scaling.yaml")
    network = build_networks(spec)[""].eval()
    whole = torch.compile(network, fullgraph=True, backend="eager", dynamic=True)
    for length in (7, 20):
        x = torch.randn(2, length, 8)
        torch.testing.assert_close(whole(x), network(x))


@pytest.mark.parametrize("strict", [False, True])
def test_exports_with_any_sizes(network: nn.Module, strict: bool) -> None:
    sizes = {0: Dim("B"), 1: Dim("T", min=4)}
    exported = torch.export.export(
        network, _inputs(3, 6), dynamic_shapes=(sizes,) * 3, strict=strict
    ).module()
    for batch, length in ((3, 6), (2, 9), (5, 40)):
        given = _inputs(batch, length)
        torch.testing.assert_close(exported(*given), network(*given))
