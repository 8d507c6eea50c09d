"""A random spec for each seed, as a tree of YAML."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from tests.fuzz.absent import ABSENT
from tests.fuzz.choices import CHOICES
from tests.fuzz.given import ASKED, OPTIONAL
from tests.fuzz.lists import COLLECTED
from tests.fuzz.richer import RICHER
from tests.fuzz.scope import Config, Scope, Value, argument, serial
from tests.fuzz.structures import go_on
from tests.fuzz.wrapped import CHOOSING, wrapped

RICH = 5_000_000
"""From this seed on specs have richer moves. What a seed gives depends on the moves of the day."""
FORMULAS = 6_000_000
"""From this seed to the next bound sizes are computed by all functions of the language."""
WRAPPED = 10_000_000
"""From this seed on they have wrappers around some layers, too."""
COUNTED = 50_000_000
"""From this seed on lists are counted, weights are initialised by formulas, and layers may be absent."""
LISTED = 60_000_000
"""From this seed on copies give lists."""
ASKING = 70_000_000
"""From this seed on layers run where optional inputs are given."""
NUMBERS = ["4", "6", "width", "width", "hidden", "width + 2", "2 * width", "widths[0]"]
COMPUTED = [
    "sum(widths)",
    "2 ** 2 + width",
    "sum(widths[:n]) + 2",
    "prod(widths[:2])",
    "round(sqrt(width * hidden))",
]
NO_INPUTS: Mapping[str, str] = {}
LISTS = ["[width + i for i in n + 1]", "[4 + 2 * i for i in 2]", "[hidden for i in 1]"]


def spec_of(seed: int) -> Config:
    """The spec of a seed, the same on every machine."""
    spec = _random_spec(seed)
    return wrapped(spec, seed) if seed >= WRAPPED else spec


def _random_spec(seed: int) -> Config:
    rng, rich = random.Random(seed), seed >= RICH
    params: Config = {
        "width": rng.choice([4, 6, 8]),
        "hidden": rng.choice([6, "width", "2 * width", "width + 1"]),
        "n": rng.choice([0, 1, 2, 3]),
        "flag": rng.choice([True, False]),
        "other": rng.choice([True, False]),
        "widths": rng.choice([[4, 6], [8], [4, 4, 6]]),
    }
    numbers = NUMBERS + COMPUTED * (FORMULAS <= seed < WRAPPED)
    if seed >= COUNTED:
        if rng.random() < 0.4:
            params["widths"] = rng.choice(LISTS)
        numbers = [*numbers, *(f"sum({one})" for one in LISTS)]
    s = Scope(
        rng,
        {},
        [],
        serial(),
        numbers,
        ["flag", "other"],
        ["n"],
        ["B", "T"],
    )
    dims: Config = {"T": {"min": 2}}
    if rich:
        params["vocab"] = 9
        dims["T"]["max"] = 64
        dims |= {name: {"min": 8, "multiple_of": 4} for name in ("H", "W")}
        s.more = (*RICHER, *CHOICES * 2) if seed >= CHOOSING else RICHER
        s.more = (*s.more, *ABSENT * 2) if seed >= COUNTED else s.more
        s.more = (*s.more, *COLLECTED * 4) if LISTED <= seed < ASKING else s.more
        s.more = (*s.more, *ASKED * 4) if seed >= ASKING else s.more
    more = OPTIONAL if seed >= ASKING else {}
    spec: Config = {"name": "Net", "params": params, "dims": dims, **_network(s, more)}
    if rich and s.chance(0.15):
        spec = _two(s, spec, more)
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
        if seed >= COUNTED:
            bias = s.pick(["n / 4", "pi", "0.5 if flag else hidden"])
            std = {"normal": {"std": "0.3 / sqrt(width)"}}
            spec["init"] = {"linear": {"weight": std, "bias": {"constant": bias}}}
    if seed >= COUNTED:
        _initialize(s, s.layers, ["n / 4", "sqrt(width)", "1 / hidden"])
        for block in s.blocks.values():
            known = ["D / 8"] if ", D]" in str(block["inputs"]) else []
            _initialize(s, block["layers"], ["pi", *known])
    if s.blocks:
        spec["blocks"] = s.blocks
    return _used(spec)


def _initialize(s: Scope, layers: Config, values: list[str]) -> None:
    """Give some linear layers a rule for their weights, and for those of their copies by number."""
    for layer in layers.values():
        if (
            isinstance(layer, dict)
            and layer.get("op") == "linear"
            and "tie" not in layer
            and s.chance(0.2)
        ):
            shared = isinstance(layer.get("repeat"), dict)
            counted = ["1 / (i + 1)"] * 4 * ("repeat" in layer and not shared)
            layer.setdefault(
                "init", {"weight": {"constant": s.pick([*values, *counted])}}
            )


def _network(s: Scope, more: Mapping[str, str] = NO_INPUTS) -> Config:
    """The inputs, layers and outputs of a network."""
    network: Config = {"inputs": {**_inputs(s), **more}}
    for _ in range(20):
        go_on(s, 1)
        if len(s.layers) >= s.rng.choice([2, 3, 4, 6, 8, 10]):
            break
    network["layers"] = s.layers
    outputs = _outputs(s)
    return {**network, "outputs": outputs} if outputs else network


def _two(s: Scope, spec: Config, more: Mapping[str, str]) -> Config:
    """The spec with a network beside its own, of the same params and blocks."""
    keys = ("inputs", "layers", "outputs")
    other = replace(s, values=[], layers={}, linears=[], runs=[], absent=[])
    networks = {
        "first": {key: spec[key] for key in keys if key in spec},
        "second": _network(other, more),
    }
    rest = {key: value for key, value in spec.items() if key not in keys}
    return {**rest, "networks": networks}


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
    if s.more and s.chance(0.4):
        inputs["tokens"] = "int[B, T]"
        s.give("tokens", ("B", "T"), "int")
    if s.more and s.chance(0.25):
        inputs["image"] = "float[B, 3, H, W]"
        s.give("image", ("B", "3", "H", "W"), "image")
    return inputs


def _outputs(s: Scope) -> Config:
    """The last value, or some others with it."""
    made = [v for v in s.values if v.name.partition(".")[0] in s.layers]
    last = made[-1]
    if s.absent and s.chance(0.8):
        absent = s.rng.sample(s.absent, min(len(s.absent), 2))
        return {"o": last.name, **{f"a{k}": name for k, name in enumerate(absent)}}
    if s.chance(0.4) or "." in last.name:
        others = s.rng.sample(made, min(len(made), s.pick([0, 1, 2])))
        chosen = dict.fromkeys(v.name for v in [last, *others])
        return {f"o{k}": name for k, name in enumerate(chosen)}
    return {}


def _used(spec: Config) -> Config:
    """Without the params and inputs that nothing names."""
    networks = spec.get("networks", {"": spec})
    body = str({k: v for k, v in spec.items() if k not in ("params", "inputs")})
    body += str([list(network["inputs"].values()) for network in networks.values()])
    params: dict[str, Any] = {}
    for name, value in reversed(spec["params"].items()):
        if name in _words(body):
            params = {name: value, **params}
            body += f" {value}"
    found = {**spec, "params": params} if params else _without(spec, "params")
    named = {key: _named_inputs(network) for key, network in networks.items()}
    if "networks" not in found:
        found = {**found, "inputs": named[""]}
    else:
        pairs = found["networks"].items()
        found["networks"] = {k: {**one, "inputs": named[k]} for k, one in pairs}
    dims = {name: found["dims"][name] for name in found["dims"] if name in str(named)}
    return {**found, "dims": dims}


def _named_inputs(network: Config) -> Config:
    """The first input, and those that something reads."""
    named = _words(str(network["layers"]) + str(network.get("outputs", "")))
    return {k: v for k, v in network["inputs"].items() if k == "x" or k in named}


def _without(spec: Config, key: str) -> Config:
    return {name: value for name, value in spec.items() if name != key}


def _words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())
