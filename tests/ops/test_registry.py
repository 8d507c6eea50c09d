"""What the registry reads from the text of files is what it finds when it imports them."""

from __future__ import annotations

import subprocess
import sys

from compiler.op.registry import (
    find_op,
    op_names,
    ops,
    own_modules,
    typed_functions,
)


def test_every_op_is_found_by_its_name() -> None:
    assert op_names() == list(ops())
    assert all(find_op(name) is op for name, op in ops().items())
    assert find_op("linaer") is None


def test_what_few_ops_set() -> None:
    every = ops().values()
    assert typed_functions() == {op.typed_function for op in every} - {""}
    assert own_modules() == {op.module: op for op in every if op.own_module}


def test_only_the_file_of_an_op_is_imported() -> None:
    code = (
        "import sys; from compiler.op.registry import find_op; find_op('linear');"
        "print(*sorted(name for name in sys.modules if name.startswith('compiler.ops.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["compiler.ops.linear"]
