"""Random networks that run in pieces: ops on a sequence, blocks, copies, scans, a source and a mask.

They are put together from the templates of causal_templates.yaml and step_templates.yaml.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import yaml

from tests.fuzz.causal_graphs import (
    FROM_CHANNELS,
    TEMPLATES,
    TO_CHANNELS,
    WIDTH,
    CausalGraph,
)

OTHERS: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("step_templates.yaml").read_text(encoding="utf-8")
)
_KINDS = ("pointwise", "shapes", "past", "past", "channels_past")
_INPUTS = {
    "x": f"float[B, T, {WIDTH}]",
    "m": f"float[B, S, {WIDTH}]",
    "k": "bool[B, T]",
    "w": f"float[B, T, {WIDTH}]",
}
_EXPERT: Mapping[str, Any] = {
    "inputs": {"x": "float[..., D]"},
    "layers": {
        "up": {"op": "linear", "out_features": 12},
        "act": {"op": "gelu"},
        "down": {"op": "linear", "out_features": "D"},
    },
}
_ASKS = re.compile(r"mask: \$k|given\(\$k\)")
"""How a template takes a mask that may be absent."""
_GROUPED = ("stride", "scale_factor", "kernel_size: 2, in", "T //")
"""What of a template asks for a number of positions that is a multiple."""


def _uses(text: str, name: str) -> bool:
    """Whether the layers of a text take an input, or ask for it."""
    return f"'{name}'" in text or f"given({name})" in text


@dataclass
class _Body:
    """The layers of a network or a block, with values [B, T, 8]."""

    rng: random.Random
    inputs: Sequence[str]
    grouped: bool
    optional: frozenset[str]
    """Inputs that may be absent: the mask, which attention takes then, and the memory."""
    layers: dict[str, Any] = field(default_factory=dict)
    values: list[str] = field(default_factory=lambda: ["x"])

    def name(self, what: str) -> str:
        return f"{what}{len(self.layers)}"

    def value(self) -> str:
        last = self.rng.random() < 0.8
        return self.values[-1] if last else self.rng.choice(self.values)

    def template(self, kind: str, templates: Sequence[str]) -> str:
        """Write the layers of one of some templates; the name of the one where later positions would enter."""
        fits = [
            one
            for one in templates
            if (self.grouped or not any(word in one for word in _GROUPED))
            and ("k" not in self.optional or "$k" not in one or _ASKS.search(one))
            and ("m" not in self.optional or "$m" not in one or "given($m)" in one)
        ]
        text = self.rng.choice(fits or list(TEMPLATES["pointwise"]))
        prefix = self.name("n")
        x = self.value()
        y = self.rng.choice([one for one in self.values if one != x] or [x])
        if x == y:
            text = text.replace("op: sub", "op: add")
        if kind.startswith("channels"):
            inner = text.replace("$c", "$$c")
            text = "\n".join((TO_CHANNELS, inner, FROM_CHANNELS))
        filled = Template(text.replace("$$", f"{prefix}_"))
        written = yaml.safe_load(filled.substitute(x=x, y=y, m="m", k="k"))
        for name, layer in written.items():
            self.layers[f"{prefix}_{name}"] = layer
        self.values.append(f"{prefix}_out")
        entry = next((n for n in ("leak", "q") if n in written), "out")
        return f"{prefix}_{entry}"

    def add(self) -> None:
        """Layers that do not look ahead."""
        kinds = list(_KINDS)
        if "m" in self.inputs:
            kinds += ["memory", "memory"]
        if "k" in self.inputs:
            kinds += ["mask", "mask"]
        kinds += [f"optional {name}" for name in self.optional & {*self.inputs}]
        kind = self.rng.choice([*kinds, "from values"])
        self.template(kind, OTHERS.get(kind) or TEMPLATES[kind])

    def leak(self) -> str:
        kind = self.rng.choice(["ahead", "channels_ahead"])
        return self.template(kind, TEMPLATES[kind])

    def total(self) -> None:
        """A sum of all values, so that what one of them is reaches the output."""
        self.layers["total"] = {"op": "add", "in": [*self.values[1:], self.values[0]]}
        self.values.append("total")


class _StepGraph:
    def __init__(self, rng: random.Random, planted: bool) -> None:
        self.rng, self.planted, self.found = rng, planted, ""
        self.grouped = rng.random() < 0.2
        maybe = [n for n, chance in (("k", 0.5), ("m", 0.3)) if rng.random() < chance]
        self.inputs = ["x", *(n for n in ("m", "k", "w") if rng.random() < 0.35)]
        rng.shuffle(self.inputs)
        self.optional = frozenset(maybe) & {*self.inputs}
        self.inputs.sort(key=self.optional.__contains__)
        self.blocks: dict[str, Any] = {}

    def graph(self) -> CausalGraph:
        body = _Body(self.rng, self.inputs, self.grouped, self.optional)
        body.values += ["w"] if "w" in self.inputs else []
        size = self.rng.randint(1, 4)
        at = self.rng.randrange(size) if self.planted else -1
        for n in range(size):
            inside = self.rng.random() < 0.4
            if inside:
                self._block(body, n == at)
            elif n == at:
                self.found = body.leak()
            else:
                body.add()
        if self.planted:
            body.total()
        text = str(body.layers) + str(self.blocks)
        used = [n for n in self.inputs if n == "x" or _uses(text, n)]
        spec: dict[str, Any] = {"name": "Net", "step": {"T": self._streamed(used)}}
        if self.grouped:
            spec["dims"] = {"T": {"min": 8, "multiple_of": 4, "max": 64}}
        else:
            spec["dims"] = {"T": {"min": 8 if self.planted else 1, "max": 64}}
        spec["inputs"] = {name: self._kind(name) for name in used}
        spec["layers"] = body.layers
        spec["outputs"] = {"output": body.values[-1]}
        if "'Expert'" in text:
            self.blocks["Expert"] = _EXPERT
        if self.blocks:
            spec["blocks"] = self.blocks
        return CausalGraph(spec, self.found)

    def _kind(self, name: str) -> str:
        optional = "?" if name in self.optional else ""
        return _INPUTS[name] + optional

    def _streamed(self, inputs: Sequence[str]) -> list[str]:
        return [name for name in inputs if name != "m"]

    def _block(self, body: _Body, leaks: bool) -> None:
        if self.blocks and not leaks and self.rng.random() < 0.4:
            self._use(body, self.rng.choice([*self.blocks]))
            return
        scanned = not leaks and self.rng.random() < 0.2
        name = f"{'Cell' if scanned else 'Block'}{len(self.blocks)}"
        self.blocks[name] = self._cell() if scanned else self._body(leaks)
        self._use(body, name, always=leaks)
        if self.rng.random() < 0.3:
            self._use(body, name)

    def _body(self, leaks: bool) -> dict[str, Any]:
        given = [
            n for n in self.inputs if n == "x" or (n != "w" and self.rng.random() < 0.6)
        ]
        inner = _Body(self.rng, given, self.grouped, self.optional)
        size = self.rng.randint(1, 3)
        at = self.rng.randrange(size) if leaks else -1
        for n in range(size):
            if n == at:
                self.found = inner.leak()
            else:
                inner.add()
        if self.planted:
            inner.total()
        text = str(inner.layers)
        used = [n for n in given if n == "x" or _uses(text, n)]
        return {
            "inputs": {n: self._kind(n) for n in used},
            "layers": inner.layers,
            "outputs": {"output": inner.values[-1]},
        }

    def _cell(self) -> dict[str, Any]:
        act = self.rng.choice(["tanh", "sigmoid"])
        return {
            "inputs": {"x": f"float[B, {WIDTH}]", "h": f"float[B, {WIDTH}]"},
            "layers": {
                "both": {"op": "concat", "dim": -1, "in": ["x", "h"]},
                "cell": {"op": "linear", "out_features": WIDTH},
                "act": {"op": act},
                "read": {"op": "linear", "out_features": WIDTH},
            },
            "outputs": {"y": "read", "h": "act"},
        }

    def _use(self, body: _Body, name: str, *, always: bool = False) -> None:
        """A layer that runs a block: once, in copies, or under a condition."""
        layer, x = body.name("block"), body.value()
        config: dict[str, Any] = {"op": name}
        if name.startswith("Cell"):
            config |= {"scan": "T", "carry": {"h": f"zeros[B, {WIDTH}]"}, "in": x}
            body.layers[layer] = config
            body.values.append(f"{layer}.y")
            return
        given = {n: n for n in self.blocks[name]["inputs"]} | {"x": x}
        config["in"] = given
        chance = self.rng.random()
        if next(iter(given)) != "x":
            pass  # what a layer repeats, or passes on, is its first input
        elif chance < 0.4:
            count = self.rng.choice([1, 2, 3])
            shared = self.rng.random() < 0.3
            config["repeat"] = {"count": count, "share": True} if shared else count
        elif chance < 0.6 and not always:
            config["when"] = self.rng.choice([True, True, False])
        body.layers[layer] = config
        body.values.append(layer)


def step_graph(seed: int, *, planted: bool | None = None) -> CausalGraph:
    """The network of a seed: with a layer that looks ahead (`planted`), without one, or either by chance."""
    rng = random.Random(seed)
    if planted is None:
        planted = rng.random() < 0.2
    return _StepGraph(rng, planted).graph()
