"""A shared block as a network of its own, and the same in torch beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from compiler import compile_spec
from runtime.load import build_networks
from tests.reference.equality import check_equal

_BLOCKS = Path(__file__).parents[2] / "specs" / "blocks"


def used(
    folder: Path, file: str, block: str, inputs: Mapping[str, str], **arguments: Any
) -> nn.Module:
    """The network whose only layer, `layer`, is a block of specs/blocks.

    Args:
        inputs: the types of the block's inputs, by name and in their order.
    """
    shutil.copytree(_BLOCKS, folder / "blocks", dirs_exist_ok=True)
    spec = {
        "name": "Network",
        "import": {block: f"blocks/{file}.yaml"},
        "inputs": dict(inputs),
        "layers": {"layer": {"op": block, **arguments, "in": list(inputs)}},
    }
    path = folder / "network.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return build_networks(compile_spec(path))[""]


def check_same(ours: nn.Module, theirs: nn.Module, *inputs: Tensor) -> None:
    """Hold the outputs, gradients and statistics of both against each other.

    Both have their tensors in one order.
    """
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))

    def run(model: nn.Module) -> tuple[Tensor]:
        dtype = next(iter(model.parameters()), torch.zeros(1)).dtype
        return (model(*(x.to(dtype) if x.is_floating_point() else x for x in inputs)),)

    check_equal(
        ours, theirs, lambda given: {names[k]: v for k, v in given.items()}, run, run
    )


class Function(nn.Module):
    """Modules and a function over them, in place of a class."""

    def __init__(self, forward: Callable[..., Tensor], **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
        self.function = forward

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(self, *inputs)
