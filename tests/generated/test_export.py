"""Generated modules export with every symbol of their inputs dynamic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import torch
from torch.export import Dim as Axis
from torch.fx.experimental import _config as sizes

from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from tests.generated.golden import GOLDEN, MARK
from tests.generated.networks import (
    TRACED,
    Network,
    exported_from,
    least,
    networks,
    traced,
)
from tests.programs import SPECS

# torch hides this one from users, by a way that does not hide it from pytest
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")


@pytest.mark.parametrize(("spec", "mode"), traced("traced", "strict"))
def test_exports_for_all_sizes(spec: str, mode: str) -> None:
    first = exported_from(spec)
    for network in networks(spec, portable=True):
        module = network.new().eval()
        # By default torch takes a size that is not 1 in the example for one that never
        # is; that leaves out the images that shrink to one pixel.
        with sizes.patch(backed_size_oblivious=bool(least(spec))):  # type: ignore[attr-defined]
            program = torch.export.export(
                module,
                tuple(network.inputs()),
                dynamic_shapes=_dynamic_shapes(network, first),
                strict=mode == "strict",
            )
        exported = program.module()
        for draw in (1, 4, -1):
            inputs = network.inputs(draw, first)
            torch.testing.assert_close(exported(*inputs), module(*inputs))


def test_all_of_the_library_is_traced() -> None:
    """Of what specs carry; whichever way each part is traced."""
    specs = {spec for one in TRACED.values() for spec in one}
    assert specs <= set(SPECS)
    assert _carried(SPECS) == _carried(specs)


def _carried(specs: Iterable[str]) -> set[str]:
    return {
        line
        for spec in specs
        for line in (GOLDEN / f"{spec}.py").read_text(encoding="utf-8").splitlines()
        if line.startswith(MARK)
    }


def _dynamic_shapes(
    network: Network, first: Mapping[str, int]
) -> tuple[tuple[Any, ...], ...]:
    """For each input, for each axis: a symbol, or that it is fixed."""
    domain = network.instance.context.domain
    made = {
        (name := str(symbol)): _symbol(
            name, domain.constraint(symbol), first.get(name, 1)
        )
        for symbol in network.symbols()
    }
    value = network.instance.context.value
    kinds = [kind for kind in network.instance.inputs.values() if kind is not None]
    return tuple(
        tuple(_axis(value(size), made) for size in kind.shape) for kind in kinds
    )


def _symbol(name: str, constraint: Constraint, first: int) -> Any:
    step = constraint.multiple_of
    least = max(constraint.first, first) // step
    most = None if constraint.max is None else constraint.max // step
    if step == 1:
        return Axis(name, min=least, max=most)
    return step * Axis(f"{name}_{step}", min=least, max=most)


def _axis(size: Dim, made: dict[str, Any]) -> Any:
    if size.constant is not None:
        return Axis.STATIC
    assert str(size) in made, f"torch has no way to write {size}"
    return made[str(size)]
