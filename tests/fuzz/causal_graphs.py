"""Random networks of ops on a sequence [B, T, 8], to compare the proof of causality with running them.

They are put together from the templates of causal_templates.yaml.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

WIDTH = 8
TEMPLATES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("causal_templates.yaml").read_text(encoding="utf-8")
)
EARLIER = ["pointwise", "shapes", "past", "channels_past"]
TO_CHANNELS = "c: {op: transpose, dim0: 1, dim1: 2, in: $x}"
FROM_CHANNELS = "out: {op: transpose, dim0: 1, dim1: 2, in: $$q}"


@dataclass(frozen=True)
class CausalGraph:
    """A spec, and the layer where later positions were made to enter; "" for none."""

    spec: dict[str, Any]
    leak: str = ""


class _Builder:
    def __init__(self, rng: random.Random) -> None:
        self.rng, self.count = rng, 0
        self.layers: dict[str, Any] = {}
        self.values = ["x"]

    def add(self, template: str, *, channels: bool) -> str:
        """Write the layers of a template; the name of the one where later positions would enter."""
        self.count += 1
        prefix = f"n{self.count}"
        x = self.values[-1] if self.rng.random() < 0.8 else self.rng.choice(self.values)
        others = [one for one in self.values if one != x] or [x]
        y = self.rng.choice(others)  # a difference of equal values would hide all
        if x == y:
            template = template.replace("op: sub", "op: add")
        if channels:
            inner = template.replace("$c", "$$c")
            template = "\n".join((TO_CHANNELS, inner, FROM_CHANNELS))
        text = Template(template.replace("$$", f"{prefix}_")).substitute(x=x, y=y)
        written = yaml.safe_load(text)
        for name, layer in written.items():
            self.layers[f"{prefix}_{name}"] = layer
        self.values.append(f"{prefix}_out")
        entry = next((n for n in ("leak", "q") if n in written), "out")
        return f"{prefix}_{entry}"


def causal_graph(seed: int, *, planted: bool | None = None) -> CausalGraph:
    """The network of a seed: with a layer that looks ahead (`planted`), without one, or either by chance."""
    rng = random.Random(seed)
    builder = _Builder(rng)
    size = rng.randint(2, 6)
    if planted is None:
        planted = rng.random() < 0.4
    at = rng.randrange(size) if planted else -1
    leak = ""
    for n in range(size):
        kinds = ["ahead", "channels_ahead"] if n == at else EARLIER
        kind = rng.choice(kinds)
        template = rng.choice(TEMPLATES[kind])
        name = builder.add(template, channels=kind.startswith("channels"))
        leak = name if n == at else leak
    last = builder.values[-1]
    if planted:
        # All values count, so that the leak reaches the output.
        builder.layers["total"] = {"op": "add", "in": [*builder.values[1:], "x"]}
        last = "total"
    spec = {
        "name": "Net",
        "dims": {"T": {"min": 8, "multiple_of": 4, "max": 64}},
        "inputs": {"x": f"float[B, T, {WIDTH}]"},
        "layers": builder.layers,
        "outputs": {"output": last},
    }
    return CausalGraph(spec, leak)
