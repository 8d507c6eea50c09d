"""The params of a spec are arguments in Python: one file builds every size."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from compiler.ir.tensors import own_tensors
from runtime.load import build_on_meta, constructor_arguments
from tests.generated.networks import networks
from tests.programs import SHALLOW, chosen, classes, compiled, on_meta, shallow

COUNTS = {
    ("gpt2", "medium"): 354_823_168,
    ("gpt2", "large"): 774_030_080,
    ("gpt2", "xl"): 1_557_611_200,
    ("bert", "large"): 335_141_888,
    ("resnet50", "resnet101"): 44_549_160,
    ("resnet50", "resnet152"): 60_192_808,
    ("vit", "large"): 304_326_632,
}


def test_gpt2_of_another_size() -> None:
    model = build_on_meta(classes("gpt2")[""], depth=24, width=1024, heads=16)
    assert _count(model) == COUNTS["gpt2", "medium"]
    kinds = _definitions("gpt2").values()
    modules = [kind for kind in kinds if "nn.Module" in map(ast.unparse, kind.bases)]
    assert len(modules) <= 5


@pytest.mark.parametrize("spec", chosen())
def test_arguments_in_python_equal_settings(spec: str) -> None:
    """The same weights and outputs, whether a size is compiled in or passed; so evaluation is repeatable."""
    for name, network in zip(classes(spec), networks(spec), strict=True):
        kind = classes(spec)[name]
        module = kind(**constructor_arguments(kind, network.instance)).eval()
        expected = network.new().eval()
        module.load_state_dict(expected.state_dict())
        inputs = network.inputs()
        torch.testing.assert_close(module(*inputs), expected(*inputs), rtol=0, atol=0)


@pytest.mark.parametrize("spec", chosen())
def test_defaults_are_the_params_of_the_spec(spec: str) -> None:
    for name, instance in compiled(spec).typed.networks.items():
        kind = classes(spec)[name]
        arguments = constructor_arguments(kind, instance)
        assert arguments.keys() == inspect.signature(kind).parameters.keys()
        default = build_on_meta(kind, **SHALLOW.get(spec, {}))
        assert _shapes(on_meta(spec, name)) == _shapes(default)


@pytest.mark.parametrize("spec", chosen())
def test_variants_are_arguments_too(spec: str) -> None:
    """The class of the spec itself has the tensors that inference finds for a variant."""
    for variant in compiled(spec).typed.graph.spec.variants:
        for name, instance in shallow(spec, variant).typed.networks.items():
            kind = classes(spec)[name]
            given = build_on_meta(kind, **constructor_arguments(kind, instance))
            expected = {one.name: one.shape for one in own_tensors(instance)}
            assert _shapes(given) == expected
            count = COUNTS.get((spec, variant), _count(given))
            assert _count(given) == count


def test_one_class_for_each_block() -> None:
    assert _definitions("resnet50").keys() == {"Bottleneck", "ResNet50"}
    assert _definitions("unet").keys() == {"DoubleConv", "Below", "Level", "UNet"}
    init = _method(_definitions("resnet50")["Bottleneck"], "__init__")
    assert any(isinstance(node, ast.If) for node in ast.walk(init))


@pytest.mark.parametrize("spec", ["gpt2", "bert", "vit", "transformer", "resnet50"])
def test_repeats_are_loops(spec: str) -> None:
    """However deep the network, its file is the same but for the defaults."""
    depth: dict[str, Any] = {"depth": 3}
    settings = {"depths": [2, 3, 3, 2]} if spec == "resnet50" else depth
    other = compiled(spec, settings=settings).python
    lines = compiled(spec).python.splitlines()
    changed = set(other.splitlines()) - set(lines)
    assert all("depth" in line and "=" in line for line in changed), changed
    assert len(other.splitlines()) == len(lines)


def test_names_of_the_weights_are_torchvisions() -> None:
    assert list(on_meta("resnet50").state_dict()) == list(_resnet50_names())


def _resnet50_names() -> Iterator[str]:
    """The keys of torchvision.models.resnet50().state_dict(), in their order."""
    yield "conv1.weight"
    yield from _norm("bn1")
    for stage, depth in enumerate((3, 4, 6, 3), 1):
        for block in range(depth):
            prefix = f"layer{stage}.{block}"
            for k in (1, 2, 3):
                yield f"{prefix}.conv{k}.weight"
                yield from _norm(f"{prefix}.bn{k}")
            if block == 0:
                yield f"{prefix}.downsample.0.weight"
                yield from _norm(f"{prefix}.downsample.1")
    yield from ("fc.weight", "fc.bias")


def _norm(name: str) -> Iterator[str]:
    for tensor in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{tensor}"
    yield f"{name}.num_batches_tracked"


def _count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _definitions(spec: str) -> dict[str, ast.ClassDef]:
    body = ast.parse(compiled(spec).python).body
    return {node.name: node for node in body if isinstance(node, ast.ClassDef)}


def _method(kind: ast.ClassDef, name: str) -> ast.FunctionDef:
    methods = (node for node in kind.body if isinstance(node, ast.FunctionDef))
    return next(method for method in methods if method.name == name)
