"""What checking a spec imports: of tasks only what it names, and torch never."""

import subprocess
import sys
from pathlib import Path

NET = """
name: Net
inputs: {image: "float[B, 1, 8, 8]"}
layers: {flat: flatten, fc: {op: linear, out_features: 10}}
outputs: {logits: fc}
"""
TASK = "task: {kind: classification, data: digits}\n"
CHECK = """
import sys
from compiler import compile_spec
compile_spec(sys.argv[1])
print(*sys.modules)
"""


def imported(text: str, folder: Path) -> set[str]:
    spec = folder / "net.yaml"
    spec.write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", CHECK, str(spec)]
    run = subprocess.run(command, capture_output=True, check=True, text=True)
    return set(run.stdout.split())


def test_a_spec_without_a_task(tmp_path: Path) -> None:
    found = imported(NET, tmp_path)
    assert "compiler.infer.infer" in found
    assert not [name for name in found if name.startswith("compiler.tasks")]
    assert "torch" not in found


def test_a_spec_with_a_task(tmp_path: Path) -> None:
    found = imported(NET + TASK, tmp_path)
    kinds = {
        n
        for n in found
        if n.startswith(("compiler.tasks.kinds.", "compiler.tasks.data."))
    }
    assert kinds == {
        "compiler.tasks.kinds.classification",
        "compiler.tasks.data.digits",
    }
    assert not found & {"torch", "numpy", "sklearn", "runtime", "tokenizers"}
