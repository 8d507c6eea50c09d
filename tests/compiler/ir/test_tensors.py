"""The tensors that inference tells are those of the generated module."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.ir.tensors import own_tensors
from tests.programs import chosen, on_meta, shallow

ROOT = Path(__file__).parents[3]
SPECS = sorted([*ROOT.glob("specs/*.yaml"), *ROOT.glob("tests/features/*.yaml")])


@pytest.mark.parametrize("path", chosen(SPECS), ids=lambda path: path.stem)
def test_they_are_those_of_the_module(path: Path) -> None:
    for name, instance in shallow(path).typed.networks.items():
        module = on_meta(path, name)
        state = module.state_dict(keep_vars=True)
        found = {tensor.name: tensor for tensor in own_tensors(instance)}
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        assert {name: one.shape for name, one in found.items()} == shapes
        for one in found.values():
            assert not one.origin or state[one.name] is state[one.origin]
        ties = {tensor.name for tensor in found.values() if tensor.origin}
        every = dict(module.named_parameters(remove_duplicate=False))
        assert ties == every.keys() - dict(module.named_parameters()).keys()
