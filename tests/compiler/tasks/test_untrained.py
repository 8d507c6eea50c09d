"""Layers that no output depends on that the task uses are named, and only those."""

from pathlib import Path

import pytest

from compiler.pipeline import compile_spec
from compiler.tasks.untrained import detaches

SPEC = """\
name: Net
inputs:
  image: float[B, 1, 8, 8]
layers:
  flat: flatten
  body: {op: linear, out_features: 16}
  act: relu
  head: {op: linear, out_features: 10}
  size: {op: linear, out_features: 1, in: act}
  again: {share: head, in: act}
  tied: {op: linear, out_features: 10, in: act, tie: {weight: head.weight}}
  flag: {op: tanh, in: act}
outputs: [head, size, again, tied, flag]
task:
  kind: classification
  data: digits
  ports: {logits: PORT}
"""


@pytest.mark.parametrize(
    ("port", "untrained"),
    [("head", ["size", "tied"]), ("again", ["size", "tied"]), ("tied", ["size"])],
)
def test_heads_that_the_task_does_not_use(
    port: str, untrained: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(SPEC.replace("PORT", port))
    found = [one.message for one in compile_spec(file).check()]
    others = [
        name for name in ("head", "size", "again", "tied", "flag") if name != port
    ]
    unused = f"classification does not use the outputs {', '.join(others)}"
    assert found == [f"{name} is not trained: {unused}" for name in untrained]


@pytest.mark.parametrize("op", ["detach", "tanh"])
def test_gradients_that_end_within_a_block(op: str, tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(f"""\
name: Net
inputs: {{x: "float[B, 8]"}}
layers: {{body: {{op: linear, out_features: 8}}, held: Held}}
blocks: {{Held: {{inputs: {{x: "float[B, C]"}}, layers: {{held: {op}}}}}}}
""")
    assert detaches(compile_spec(file).typed) == (op == "detach")
