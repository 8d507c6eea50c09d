"""Generated modules compute what inference says, learn, and compile as one graph."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from compiler.program import Program
from compiler.symbolic.symbols import of_networks
from runtime.verify import verify, verify_types
from tests.generated.networks import (
    Network,
    gradients,
    networks,
    outputs,
    small,
    these,
    traced,
    weighted_sum,
)
from tests.programs import SPECS, chosen, shallow

_KINDS = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}


@pytest.mark.parametrize("spec", chosen())
@pytest.mark.parametrize("size", [shallow, small], ids=["full", "small"])
def test_inference_says_what_torch_gives(
    spec: str, size: Callable[[str], Program]
) -> None:
    """At full size for two sizes of the inputs, at small sizes for all samples."""
    assert verify_types(size(spec), most=2 if size is shallow else None) == []


VARIED = ("alexnet", "convlstm", "encoder_tagger", "gpt_neox", "mixtral", "unet")
"""Images, a scan over images, recurrent layers, attention, experts, and copies that differ."""


@pytest.mark.parametrize("spec", these(VARIED))
def test_other_values_give_what_they_compile_to(spec: str) -> None:
    """For a few values of each param: by the constructor and the interpreter, a third of them by the compiler."""
    verified = verify(small(spec), compile_every=3, offset=SPECS.index(spec) % 3)
    assert verified.problems == ()


UNUSED = {
    "detr": r"decoder\.0\.self_attn(\.([qk]_proj\.\w+|[vo]_proj\.weight)|_layer_norm\.weight)"
}
"""What learns nothing by design: DETR's queries are zeros where they first attend to one another."""


@pytest.mark.parametrize("spec", chosen())
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_every_parameter_learns(spec: str, mode: str) -> None:
    for network in networks(spec):
        module = network.new().train(mode == "train")
        _fill_zeros(module)
        given = module(*network.inputs())
        _check_types(network, given, draw=0)
        weighted_sum(given).backward()  # type: ignore[no-untyped-call]
        for name, gradient in gradients(module).items():
            assert gradient is not None, f"{name} does not reach the output"
            assert gradient.isfinite().all(), name
            unused = re.fullmatch(UNUSED.get(spec, ""), name) is not None
            assert unused or gradient.any(), f"{name} changes nothing"


def _fill_zeros(module: nn.Module) -> None:
    """Give values to matrices that start at zero: they would hide what is before them."""
    for tensor in module.parameters():
        if tensor.dim() > 1 and not tensor.any():
            nn.init.normal_(tensor, std=0.1)


@pytest.mark.parametrize("spec", chosen())
def test_runs_at_the_least_sizes(spec: str) -> None:
    for network in networks(spec):
        module = network.new().eval()
        _check_types(network, module(*network.inputs(-1)), draw=-1)


@pytest.mark.parametrize(("spec", "mode"), traced("train", "eval"))
def test_compiles_as_one_graph(spec: str, mode: str) -> None:
    for network in networks(spec, portable=True):
        torch._dynamo.reset()
        eager, copy = (network.new().train(mode == "train") for _ in range(2))
        fast = torch.compile(copy, fullgraph=True, backend="eager")
        # Another size is another graph, with symbols for sizes: once is enough.
        for draw in (0, 1) if mode == "eval" else (0,):
            plain = _step(eager, eager, network.inputs(draw))
            torch.testing.assert_close(_step(fast, copy, network.inputs(draw)), plain)


def _step(
    call: Callable[..., Any], module: nn.Module, inputs: list[Tensor]
) -> tuple[tuple[Tensor, ...], dict[str, Tensor | None]]:
    """The outputs of one call, and the gradients; dropout draws the same every time."""
    module.zero_grad()
    torch.manual_seed(3)
    given = call(*inputs)
    weighted_sum(given).backward()  # type: ignore[no-untyped-call]
    return outputs(given), gradients(module)


def _check_types(network: Network, given: object, draw: int) -> None:
    value, sizes = network.instance.context.value, network.sizes(draw)
    types = network.instance.outputs.values()
    for tensor, kind in zip(outputs(given), types, strict=True):
        assert list(tensor.shape) == [
            value(d).evaluate(of_networks(sizes)) for d in kind.shape
        ]
        assert tensor.dtype == _KINDS[kind.kind]
        assert tensor.isfinite().all()
