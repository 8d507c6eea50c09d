"""Every op there is has a test that holds it against torch on drawn examples."""

from __future__ import annotations

import importlib
from pathlib import Path

from compiler.op.registry import ops
from tests.ops.coverage import drawn_ops


def test_every_op_is_drawn() -> None:
    drawn: set[str] = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        module = importlib.import_module(f"tests.ops.{file.stem}")
        for value in vars(module).values():
            drawn.update(drawn_ops(value) if callable(value) else ())
    assert drawn == set(ops())
