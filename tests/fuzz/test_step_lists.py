"""Networks that have lists of what copies give: they run in pieces, or are refused at the layer that cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fuzz.causal_graphs import CausalGraph
from tests.fuzz.step_judge import judge_steps

SPECS: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("step_lists.yaml").read_text(encoding="utf-8")
)
BLOCKS = SPECS.pop("blocks")


@pytest.mark.parametrize("name", SPECS)
def test_lists_in_pieces(name: str) -> None:
    given, text = SPECS[name], str(SPECS[name]["layers"])
    inputs = {"x": "float[B, T, 8]"} | given.get("inputs", {})
    spec = {"name": "Net", "step": {"T": ["x"]}, "inputs": inputs}
    blocks = {name: block for name, block in BLOCKS.items() if name in text}
    spec |= {"layers": given["layers"]} | ({"blocks": blocks} if blocks else {})
    found = judge_steps(CausalGraph(spec, given.get("leak", "")))
    assert found.verdict == given["verdict"], found.about
    assert given.get("about", "") in found.about
