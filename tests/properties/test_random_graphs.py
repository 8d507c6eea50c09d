"""Random specs: what compiles runs at every size tried, and what is refused had to be."""

from __future__ import annotations

import ast
import itertools
import re

from hypothesis import HealthCheck, event, given, settings

from compiler import Program
from runtime.verify import verify
from tests.compiler.codegen.test_fixed_point import ruff_format
from tests.properties.judging import (
    admitted,
    advised,
    compiled,
    declared,
    errors,
    fixed,
    parameters,
    with_dims,
)
from tests.properties.sketch import Drawn
from tests.properties.specs import drawn_specs

LATITUDE = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

CLAMPED = re.compile("(start|stop) needs")
"""A slice beyond the end is empty in torch, which no formula says: refused for symbols."""


@LATITUDE
@given(drawn_specs())
def test_random_graphs(drawn: Drawn) -> None:
    program = compiled(drawn.text)
    if found := errors(program):
        event(f"refused: {found[0].code}")
        hold_refusal(drawn)
    else:
        event("compiled")
        hold_program(drawn, program)


def hold_program(drawn: Drawn, program: Program) -> None:
    """It runs on torch as inference says, and its code is Python that is laid out."""
    assert verify(program).problems == ()
    ast.parse(program.python)
    assert ruff_format(program.python) == program.python
    # A mask whose two meanings have one shape is refused: all sizes differ.
    sized = admitted(drawn.text, drawn.dims, 3)
    different = (sizes for sizes in sized if len({*sizes.values()}) == len(sizes))
    for sizes in itertools.islice(different, 2):
        one = compiled(fixed(drawn.text, sizes))
        assert not errors(one), f"for {sizes}: {errors(one)}"
        assert parameters(one) == parameters(program), sizes


def hold_refusal(drawn: Drawn) -> None:
    """Some size is refused as well, or changes a weight; and advice that is taken helps."""
    program = compiled(drawn.text)
    if all(map(advised, errors(program))):
        hold_advice(drawn, program)
    if "scan:" in drawn.text or any(map(CLAMPED.match, messages(program))):
        return
    counts = set()
    for sizes in admitted(drawn.text, drawn.dims, 3):
        one = compiled(fixed(drawn.text, sizes))
        if errors(one):
            return
        counts.add(parameters(one))
    assert len(counts) > 1, f"refused, and compiles for all sizes: {errors(program)}"


def messages(program: Program) -> list[str]:
    """What the errors say."""
    return [found.message for found in errors(program)]


def hold_advice(drawn: Drawn, program: Program) -> None:
    """Once all that the messages say is declared, it compiles, or something else is wrong."""
    dims = drawn.dims
    for _ in range(5):
        found = errors(program)
        dims = declared(found, dims)
        program = compiled(with_dims(drawn.text, dims))
        left = {(f.code, f.path, f.message) for f in errors(program)}
        assert not left & {(f.code, f.path, f.message) for f in found}
        if not left:
            event("compiled when dims were declared")
            assert verify(program).problems == ()
            return
        if not all(map(advised, errors(program))):
            return
