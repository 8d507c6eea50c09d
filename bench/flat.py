"""Specs of any length, written for the measurements."""

from __future__ import annotations

import re
from pathlib import Path

from bench.timing import ROOT


def flat(layers: int) -> str:
    """A network without blocks: linear, relu, residual sum, layer_norm, again and again."""
    rows = ["name: Flat", 'inputs: {x: "float[B, 64]"}', "layers:"]
    before = "x"
    for number in range(0, layers, 4):
        rows += [
            f"  fc_{number}: {{op: linear, out_features: 64}}",
            f"  act_{number}: relu",
            f"  sum_{number}: {{op: add, in: [{before}, act_{number}]}}",
            f"  norm_{number}: layer_norm",
        ]
        before = f"norm_{number}"
    return "\n".join(rows) + "\n"


def gpt2(depth: int, dropout: str = "dropout") -> str:
    """GPT-2 with so many blocks, each with a dropout that may depend on its number `i`."""
    text = Path(ROOT, "specs/gpt2.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^expect:\n( .*\n)+", "", text, flags=re.MULTILINE)
    text = text.replace("depth: 12", f"depth: {depth}")
    call = "dropout: dropout, repeat: depth"
    assert call in text
    return text.replace(call, f"dropout: {dropout}, repeat: depth")
