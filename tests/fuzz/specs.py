"""A random spec for each seed, as a tree of YAML."""

from __future__ import annotations

import random
from typing import Any

import yaml

from tests.fuzz.scope import Config, Scope, Value, argument, serial
from tests.fuzz.structures import go_on

NUMBERS = ["4", "6", "width", "width", "hidden", "width + 2", "2 * width", "widths[0]"]


def spec_of(seed: int) -> Config:
    """The spec of a seed, the same on every machine."""
    rng = random.Random(seed)
    params: Config = {
        "width": rng.choice([4, 6, 8]),
        "hidden": rng.choice([6, "width", "2 * width", "width + 1"]),
        "n": rng.choice([0, 1, 2, 3]),
        "flag": rng.choice([True, False]),
        "other": rng.choice([True, False]),
        "widths": rng.choice([[4, 6], [8], [4, 4, 6]]),
    }
    s = Scope(
        rng,
        {},
        [],
        serial(),
        NUMBERS,
        ["flag", "other"],
        ["n"],
        ["B", "T"],
    )
    inputs = _inputs(s)
    for _ in range(20):
        go_on(s, 1)
        if len(s.layers) >= rng.choice([2, 3, 4, 6, 8, 10]):
            break
    spec: Config = {"name": "Net", "params": params, "dims": {"T": {"min": 2}}}
    spec["inputs"] = inputs
    spec["layers"] = s.layers
    outputs = _outputs(s)
    if outputs:
        spec["outputs"] = outputs
    if s.chance(0.2):
        spec["init"] = {
            "linear": s.pick(
                [
                    {"weight": {"normal": {"std": 0.3}}},
                    {"weight": "ones", "bias": {"constant": 0.5}},
                    {"bias": "zeros"},
                ]
            )
        }
    if s.blocks:
        spec["blocks"] = s.blocks
    return _used(spec)


def text_of(spec: Config) -> str:
    """A spec as a file has it."""
    return yaml.dump(spec, Dumper=_Plain, sort_keys=False, width=100)


class _Plain(yaml.SafeDumper):
    """YAML without anchors: what is the same object is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _inputs(s: Scope) -> Config:
    width = s.pick(["4", "width", "8"])
    inputs: Config = {"x": f"float[B, T, {argument(width)}]"}
    s.give("x", ("B", "T", width))
    if s.chance(0.4):
        inputs["v"] = f"float[B, {argument(width)}]"
        s.give("v", ("B", width))
    if s.chance(0.3):
        inputs["y"] = f"float[B, T, {argument(width)}]"
        s.give("y", ("B", "T", width))
    if s.chance(0.4):
        inputs["mask"] = "bool[B, T]?"
        s.values.append(Value("mask", ("B", "T"), "bool"))
    if s.chance(0.2):
        inputs["bias"] = "float[B, 1, T, T]?"
        s.values.append(Value("bias", ("B", "1", "T", "T"), "optional float"))
    return inputs


def _outputs(s: Scope) -> Config:
    """The last value, or some others with it."""
    made = [v for v in s.values if v.name.partition(".")[0] in s.layers]
    last = made[-1]
    if s.chance(0.4) or "." in last.name:
        others = s.rng.sample(made, min(len(made), s.pick([0, 1, 2])))
        chosen = dict.fromkeys(v.name for v in [last, *others])
        return {f"o{k}": name for k, name in enumerate(chosen)}
    return {}


def _used(spec: Config) -> Config:
    """Without the params and inputs that nothing names."""
    body = str({k: v for k, v in spec.items() if k not in ("params", "inputs")})
    body += str(list(spec["inputs"].values()))
    params: dict[str, Any] = {}
    for name, value in reversed(spec["params"].items()):
        if name in _words(body):
            params = {name: value, **params}
            body += f" {value}"
    found = {**spec, "params": params} if params else _without(spec, "params")
    named = _words(str(spec["layers"]) + str(spec.get("outputs", "")))
    inputs = {k: v for k, v in spec["inputs"].items() if k == "x" or k in named}
    return {**found, "inputs": inputs}


def _without(spec: Config, key: str) -> Config:
    return {name: value for name, value in spec.items() if name != key}


def _words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())
