"""Layers of torch.nn in networks: each is one graph, for every size there may be."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.export import Dim as Axis
from torch.fx.experimental import _config as sizes

from compiler import Program, compile_spec
from runtime.load import load_program
from tests.generated.networks import Network, outputs

SPEC = Path(__file__).parents[1] / "features" / "torch_nn.yaml"
NAMES = ("segmenter", "reader", "generator")

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")


@cache
def program() -> Program:
    return compile_spec(SPEC).portable()


def network(name: str) -> Network:
    instance = program().typed.networks[name]
    return Network(SPEC.stem, instance, load_program(program())[name])


@pytest.mark.parametrize("name", NAMES)
def test_it_compiles_whole(name: str) -> None:
    net = network(name)
    for module in (net.new().eval(), net.new()):
        torch.compiler.reset()
        compiled = torch.compile(module, fullgraph=True, backend="eager")
        given = net.inputs(3)
        torch.manual_seed(0)
        found = outputs(compiled(*given))
        torch.manual_seed(0)
        for one, expected in zip(found, outputs(module(*given)), strict=True):
            torch.testing.assert_close(one, expected)


def axes(net: Network) -> tuple[dict[int, Any], ...]:
    """For each input, its axes of symbols: all sizes that the spec admits."""
    domain = net.instance.context.domain
    symbols = {}
    for symbol in net.symbols():
        name, admitted = str(symbol), domain.constraint(symbol)
        step = admitted.multiple_of
        axis = Axis(f"{name}_part", min=admitted.first // step)
        symbols[name] = step * axis if step > 1 else axis
    kinds = (kind for kind in net.instance.inputs.values() if kind is not None)
    return tuple(
        {n: symbols[str(size)] for n, size in enumerate(kind.shape) if size.symbols}
        for kind in kinds
    )


@pytest.mark.parametrize(
    ("name", "strict"),
    [
        pytest.param(
            name,
            strict,
            id=f"{name}-{'strict' if strict else 'traced'}",
            marks=() if strict is (n == 0) else pytest.mark.deep,
        )
        for n, name in enumerate(NAMES)
        for strict in (False, True)
    ],
)
def test_it_exports_for_all_sizes(name: str, strict: bool) -> None:
    net = network(name)
    module = net.new().eval()
    with sizes.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        exported = torch.export.export(
            module,
            tuple(net.inputs()),
            dynamic_shapes=axes(net),
            strict=strict,
        )
    whole = exported.module()
    for draw in (1, 4):
        given = net.inputs(draw)
        torch.manual_seed(0)
        expected = module(*given)
        torch.manual_seed(0)
        torch.testing.assert_close(whole(*given), expected)
