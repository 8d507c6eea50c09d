"""What a spec does not compile with, its constructors refuse; what it compiles with, they take."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from compiler.diagnostics.diagnostic import SpecError
from compiler.pipeline import compile_spec
from runtime.load import load_program
from tests.generated.networks import sizes, small, these
from tests.programs import FOLDER

OF_SIZES = {
    "constraint",
    "expect-mismatch",
    "no-code",
    "shape-mismatch",
    "size-too-small",
}
"""What sizes of other layers make wrong, or what only the spec says: a module fails when it runs, if at all."""


TRIED = (
    *("alexnet", "c3d", "convnext_tiny", "electra", "g2p", "hifigan", "mobilenet_v3"),
    *("qwen3", "siamese", "t5_small", "tide", "xlnet"),
)
"""Sizes, lists of sizes of layers and of copies, and sizes that others must divide."""


@pytest.mark.parametrize("spec", these(TRIED))
def test_bad_sizes_are_refused(spec: str) -> None:
    """In small networks, which are built fast."""
    program = small(spec)
    typed, built = program.typed, load_program(program)
    for name in typed.networks:
        kind = built[name]
        for param in inspect.signature(kind).parameters.keys() & typed.params.keys():
            for value in _bad(typed.params[param]):
                codes = _codes(spec, param, value)
                refused = _is_refused(kind, param, value)
                told = f"{name}.{param} = {value}: {codes or 'ok'}"
                if codes - OF_SIZES:
                    assert refused, told
                elif not codes:
                    assert not refused, told


def _bad(value: Any) -> Iterator[Any]:
    """Sizes that are too small, and lists that are too short or have such sizes."""
    match value:
        case bool():
            return
        case int():
            yield from (0, -1, 1)
        case (int(), *_) if not any(isinstance(item, bool) for item in value):
            yield from ((), value[:-1], value[:1])
            yield (*value[:-1], 0)
            yield (-1, *value[1:])


def _codes(spec: str, param: str, value: Any) -> set[str]:
    """The errors that a spec has with a value; none if it compiles.

    No module is written, which takes ten times as long.
    """
    try:
        values = {**sizes(spec), param: value}
        found = compile_spec(FOLDER / f"{spec}.yaml", settings=values).check()
    except SpecError as error:
        found = error.diagnostics
    return {one.code for one in found if one.severity == "error"}


def _is_refused(kind: type[torch.nn.Module], param: str, value: Any) -> bool:
    try:
        with torch.device("meta"):
            kind(**{param: value})
    except ValueError:
        return True
    except UserWarning:  # of torch, that a tensor has no elements
        return False
    return False
