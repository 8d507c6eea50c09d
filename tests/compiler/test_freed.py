"""What was compiled is freed where the last reference goes: programs are large, and wait for no garbage collector."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from compiler import compile_spec
from tests.programs import FOLDER


@pytest.fixture
def _no_collector() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    yield
    if was_enabled:
        gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("spec", ["gpt2", "unet", "rnn", "mixtral", "gcn", "cnn"])
def test_a_program_is_freed(spec: str) -> None:
    program = compile_spec(FOLDER / f"{spec}.yaml")
    assert program.check() == ()
    assert program.python
    assert str(program.summary)
    instances = [weakref.ref(one) for one in program.typed.instances]
    del program
    assert [one() for one in instances] == [None] * len(instances)
