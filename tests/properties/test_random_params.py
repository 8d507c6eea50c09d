"""A generated class at other values of its params is the network compiled with these values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from torch import nn

from compiler import Program, SpecError, compile_spec
from compiler.ir.typed import walk_instances
from runtime.load import constructor_arguments, load_program
from runtime.samples import sample_inputs, sample_sizes
from tests.generated.networks import SPECS, sizes, small
from tests.programs import FOLDER
from tests.properties.judging import compiled, errors
from tests.properties.sketch import Drawn
from tests.properties.specs import drawn_specs
from tests.properties.test_random_graphs import LATITUDE

pytestmark = pytest.mark.filterwarnings("ignore:dropout option adds dropout")


@LATITUDE
@given(drawn_specs())
def test_random_graphs_at_other_params(drawn: Drawn) -> None:
    assume(drawn.settings)
    program = compiled(drawn.text)
    assume(not errors(program))
    other = compiled(drawn.text, settings=drawn.settings)
    if errors(other):
        event("refused with other params")
    elif copies(program) != copies(other):
        event("other copies differ")
    else:
        hold_classes(other, load_program(program))


FEW = settings(max_examples=settings().max_examples // 16)


@pytest.mark.parametrize("spec", SPECS)
@FEW
@given(st.data())
def test_specs_at_other_params(spec: str, data: st.DataObject) -> None:
    program = small(spec)
    changes = {
        name: others(value)
        for name, value in program.typed.params.items()
        if not isinstance(value, str)
    }
    changed = data.draw(st.fixed_dictionaries({}, optional=changes))
    try:
        file = FOLDER / f"{spec}.yaml"
        other = compile_spec(file, settings={**sizes(spec), **changed})
    except SpecError:
        event("refused")
        return
    hold_classes(other, classes_of(spec))


@cache
def classes_of(spec: str) -> Mapping[str, type[nn.Module]]:
    return load_program(small(spec))


def copies(program: Program) -> set[tuple[str, str, int]]:
    """For each repeated layer, how many of its copies differ.

    A class is written from the copies that were seen: where all were equal, by chance
    of the values, it says nothing of how others would differ.
    """
    return {
        (instance.scope.name, name, len(node.calls))
        for instance in walk_instances(program.typed.networks.values())
        for name, node in instance.nodes.items()
        if node.node.layer.repeat is not None
    }


def others(value: Any) -> st.SearchStrategy[Any]:
    """Values of the same type, not too far away."""
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, float):
        return st.sampled_from([0.0, 0.25])
    if isinstance(value, tuple):
        same = [others(item) for item in value]
        return st.tuples(*same).map(list)
    steps = [value - 1, value + 1, value // 2, 2 * value, 3 * value]
    return st.sampled_from([step for step in steps if step > 0])


def hold_classes(other: Program, built: Mapping[str, type[nn.Module]]) -> None:
    """The classes of one program, given the params of another, are those of the other."""
    for name, kind in load_program(other).items():
        instance = other.typed.networks[name]
        with torch.device("meta"):
            expected = kind(**constructor_arguments(kind, instance)).eval()
            arguments = constructor_arguments(built[name], instance)
            given = built[name](**arguments).eval()
        assert state(given) == state(expected)
        for chosen in list(sample_sizes(instance))[:2]:
            inputs = sample_inputs(instance, chosen, "meta")
            assert [*shapes(given(*inputs))] == [*shapes(expected(*inputs))]


def state(module: nn.Module) -> Mapping[str, torch.Size]:
    """The shapes of a module's tensors."""
    return {name: tensor.shape for name, tensor in module.state_dict().items()}


def shapes(outputs: Any) -> Iterator[torch.Size]:
    """The shapes of what a network gives."""
    for tensor in outputs if isinstance(outputs, tuple) else (outputs,):
        yield tensor.shape
