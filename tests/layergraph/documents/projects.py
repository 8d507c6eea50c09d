"""Small projects of documentation, and the specs that they show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

BLOCKS = """
name: Blocks
blocks:
  Mlp:
    inputs: {x: "float[B, D]"}
    layers:
      fc1: {op: linear, out_features: WIDTH}
      act: relu
      fc2: {op: linear, out_features: D}
"""
NET = """
name: Net
description: A network of two blocks.
import: {Mlp: blocks.yaml}
params: {depth: 2}
inputs: {x: "float[B, 8]"}
layers:
  h: {op: Mlp, repeat: depth}
outputs: {y: h}
"""
WRONG = """
name: Wrong
inputs: {x: "float[B, 8]"}
layers:
  a: {op: linear, out_features: 4}
  sum: {op: add, in: [x, a]}
"""
HOSTILE_TEXT = (
    "</script></style></svg><script>alert(1)</script><img src=x onerror=alert(2)> "
    r"|sub| `r`_ *em* :raw:`x` \input{/etc/passwd}\write18{id} $x$ [a](javascript:alert(3)) ``` {{ x }}"
)
HOSTILE = f"""
name: Hostile
description: '{HOSTILE_TEXT}'
inputs: {{x: "float[B, 8]"}}
layers:
  a: {{op: linear, out_features: 4, description: '{HOSTILE_TEXT}'}}
"""


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files, and the specs beside them."""
    specs = {"blocks.yaml": BLOCKS.replace("WIDTH", "16"), "net.yaml": NET}
    specs |= {"wrong.yaml": WRONG, "hostile.yaml": HOSTILE}
    both = {f"specs/{name}": text for name, text in specs.items()} | dict(files)
    for name, text in both.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip(), encoding="utf-8")
    return folder
