"""A class is the network that inference finds for other values of its params."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from torch import nn

from compiler import Program, SpecError, compile_spec
from compiler.ir.tensors import own_tensors
from compiler.ir.typed import walk_instances
from runtime.load import (
    accepted_params,
    build_on_meta,
    constructor_arguments,
    load_program,
)
from runtime.samples import concrete_shape, sample_inputs, sample_sizes
from tests.generated.networks import sizes, small
from tests.programs import FOLDER, chosen
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


FEW = settings(max_examples=settings().max_examples // 25)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("spec", chosen())
@FEW
@given(st.data())
def test_specs_at_other_params(spec: str, data: st.DataObject) -> None:
    program = small(spec)
    changes = {
        name: others(value)
        for name, value in program.typed.params.items()
        if not isinstance(value, str) and name in accepted(spec)
    }
    changed = data.draw(st.fixed_dictionaries({}, optional=changes))
    assume(changed or not changes)  # what is first drawn changes nothing
    try:
        file = FOLDER / f"{spec}.yaml"
        other = compile_spec(file, settings={**sizes(spec), **changed})
    except SpecError:
        event("refused")
        return
    try:
        hold_classes(other, classes_of(spec))
    except ValueError as error:  # a piece of odd size is another class
        if "must be a multiple of" not in str(error):
            raise
        event("refused by the constructor")


@cache
def classes_of(spec: str) -> Mapping[str, type[nn.Module]]:
    return load_program(small(spec))


@cache
def accepted(spec: str) -> set[str]:
    """The params that some constructor takes: what is fixed says so in its docstring."""
    networks = small(spec).typed.networks
    return {
        param
        for name, built in classes_of(spec).items()
        for param in accepted_params(built, networks[name])
    }


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
    """The classes of one program, given the params of another, have the tensors and outputs that inference finds."""
    for name, instance in other.typed.networks.items():
        arguments = constructor_arguments(built[name], instance)
        module = build_on_meta(built[name], **arguments).eval()
        state = {key: tuple(one.shape) for key, one in module.state_dict().items()}
        assert state == {one.name: one.shape for one in own_tensors(instance)}
        for sample in list(sample_sizes(instance))[:2]:
            outputs = module(*sample_inputs(instance, sample, "meta"))
            found = outputs if isinstance(outputs, tuple) else (outputs,)
            given = [tensor for tensor in found if tensor is not None]
            assert [list(tensor.shape) for tensor in given] == [
                concrete_shape(instance, one, sample)
                for one in instance.outputs.values()
            ]
