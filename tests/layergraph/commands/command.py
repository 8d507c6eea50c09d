"""Commands as the tests run them, in this process, and what they are run on."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from layergraph.__main__ import main

GPT2 = "specs/gpt2.yaml"
BROKEN = """name: Net
inputs: {x: "float[B, 4]"}
layers:
  a: {op: linear, out_features: 4, biass: false}
  b: {op: lineer, out_features: 4}
"""
ODD = """name: Net
inputs: {x: "float[B, 3, H, W]"}
layers:
  down: {op: conv2d, out_channels: 3, kernel_size: 3, stride: 2, padding: 1}
  sum: {op: add, in: [x, down]}
"""


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Runner:
    """Runs a command in this process."""

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: object) -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["cli.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)


def spec(folder: Path, text: str, name: str = "net.yaml") -> Path:
    """A file with the text of a spec, or of anything else."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
