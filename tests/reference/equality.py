"""Two models with the same weights compute the same, and learn the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from compiler.ir.counts import ParameterCounter
from compiler.ir.tensors import own_tensors
from runtime.load import constructor_arguments, load_program
from runtime.weights import WeightTranslator
from tests.programs import classes, compiled

Outputs = tuple[Tensor, ...]
Run = Callable[[nn.Module], Outputs]

# Relative to the largest number of a tensor. In double precision nothing but the same
# formula passes: an epsilon of 1e-5 in place of 1e-12 would pass in single precision.
# A gradient that is nothing but rounding (a bias of attention's keys moves all scores
# alike) is held against a tenth of the model's largest.
PRECISIONS = {torch.float32: 1e-5, torch.float64: 1e-11}


def generated(spec: str, network: str = "") -> type[nn.Module]:
    """The class of a spec's only network, or of the one with a name."""
    return classes(spec)[network]


def built(spec: str, **settings: Any) -> nn.Module:
    """The only network of a spec that is compiled for these params, of which some are fixed in its class."""
    program = compiled(spec, settings=settings)
    kind = load_program(program)[""]
    return kind(**constructor_arguments(kind, program.typed.networks[""]))


def translation(spec: str, network: str = "", **settings: Any) -> WeightTranslator:
    """From the reference's tensors by its names to ours, as the checkpoint of the spec says.

    State dicts, gradients and statistics are translated alike.

    Args:
        network: its name, where the spec has several.
        settings: values for params; a variant goes by `variant`.
    """
    variant = settings.pop("variant", "")
    return WeightTranslator(compiled(spec, variant, settings), network)


def inferred(spec: str, variant: str) -> tuple[int, dict[str, tuple[int, ...]]]:
    """The parameters of a spec's network, and the shapes of its tensors by name, as the compiler finds them.

    Those of the generated class are the same: tests/generated/test_params.py.
    """
    instance = compiled(spec, variant).typed.networks[""]
    shapes = {one.name: one.shape for one in own_tensors(instance)}
    return ParameterCounter().instance(instance), shapes


def shapes_of(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """The shapes of tensors by name."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def count(model: nn.Module) -> int:
    """The number of parameters, tied ones once."""
    return sum(parameter.numel() for parameter in model.parameters())


def randomize(model: nn.Module) -> None:
    """Random weights everywhere: no norm is left as it begins, no bias zero."""
    with torch.no_grad():
        for name, tensor in model.state_dict(keep_vars=True).items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
            elif tensor.is_floating_point():
                noise = torch.randn_like(tensor)
                flat = tensor.dim() < 2
                tensor.copy_(1.0 + 0.2 * noise if flat else 0.2 * noise)


def renamed(name: str, rules: Mapping[str, str]) -> str:
    """A name after the first rule whose pattern matches all of it."""
    for pattern, replacement in rules.items():
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    raise AssertionError(f"no rule renames {name}")


def check_equal(
    ours: nn.Module,
    theirs: nn.Module,
    translate: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
    run_ours: Run,
    run_theirs: Run,
    modes: Sequence[str] = ("train", "eval"),
) -> None:
    """Hold outputs, gradients and statistics of two models against each other.

    Args:
        translate: from tensors by the names of `theirs` to the same tensors by the
            names of `ours`, laid out as they are there. What a `WeightTranslator` leaves
            out keeps its numbers, and is compared with nothing.
    """
    torch.manual_seed(0)
    randomize(theirs)
    left_out: Collection[str] = ()
    if isinstance(translate, WeightTranslator):
        left_out = translate.initialised
        assert translate.left_over(theirs.state_dict()) == []
    for dtype, tolerance in PRECISIONS.items():
        for mode in modes:
            ours.to(dtype).train(mode == "train").zero_grad()
            theirs.to(dtype).train(mode == "train").zero_grad()
            state = translate(theirs.state_dict())
            missing = ours.load_state_dict(state, strict=False)
            assert set(missing.missing_keys) <= set(left_out), missing.missing_keys
            assert not missing.unexpected_keys
            expected = _learn(theirs, run_theirs)
            found = _learn(ours, run_ours)
            for k, (a, b) in enumerate(zip(found, expected, strict=True)):
                _check_close(f"output {k}", a, b, tolerance)
            gradients, statistics = _gradients(theirs), _statistics(theirs)
            _check_all(_gradients(ours, left_out), translate(gradients), tolerance)
            _check_all(_statistics(ours, left_out), translate(statistics), tolerance)


def _learn(model: nn.Module, run: Run) -> Outputs:
    given = run(model)
    torch.manual_seed(1)
    total = sum((t * torch.randn_like(t)).sum() for t in given)
    assert isinstance(total, Tensor)
    total.backward()  # type: ignore[no-untyped-call]
    return given


def _gradients(model: nn.Module, but: Collection[str] = ()) -> dict[str, Tensor]:
    """By the names of the state; a tied tensor under all of its names."""
    found = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if name not in but:
            assert parameter.grad is not None, name
            found[name] = parameter.grad
    return found


def _statistics(model: nn.Module, but: Collection[str] = ()) -> dict[str, Tensor]:
    names = dict(model.named_parameters(remove_duplicate=False))
    state = model.state_dict().items()
    return {k: v for k, v in state if k not in names and k not in but}


def _check_all(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor], tolerance: float
) -> None:
    assert found.keys() == expected.keys()
    largest = max((_largest(tensor) for tensor in expected.values()), default=0.0)
    for name, tensor in found.items():
        _check_close(name, tensor, expected[name], tolerance, least=largest / 10)


def _largest(tensor: Tensor) -> float:
    return float(tensor.detach().abs().max())


def _check_close(
    name: str, found: Tensor, expected: Tensor, tolerance: float, least: float = 0.0
) -> None:
    assert found.shape == expected.shape, name
    assert found.dtype == expected.dtype, name
    error = _largest(found - expected) / max(_largest(expected), least, 1e-30)
    assert error <= tolerance, f"{name} is off by {error:.1e} of its largest number"
