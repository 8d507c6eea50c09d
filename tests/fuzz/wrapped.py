"""A random spec with wrappers put around some of its layers, wherever they stand.

A wrapper keeps the name of its layer, so that what reads it is left as it is: a group, a list, a copy, a condition, an
alias, a block of its own.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from compiler.diagnostics.diagnostic import SpecError
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance, TypedGraph, walk_instances
from compiler.pipeline import compile_spec
from tests.fuzz.scope import Config

CHOOSING = 30_000_000
"""From this seed on a layer may become an alternative of a choice."""
MOST = 4
"""So many layers of a spec are wrapped at most."""
_FIXED = ("else", "carry", "scan", "share", "tie", "reverse")
"""Layers with these keys stay as they are: what they name is named from where they stand."""


@dataclass
class Site:
    """A layer that can be wrapped: where it stands, what it reads, and what is known of its scope."""

    spec: Config
    layers: Config
    name: str
    scope: str
    """The block that it is in, the network, or "" in a group."""
    reads: list[str]
    """Its inputs, in the order in which `in` has them."""

    @property
    def config(self) -> Config:
        """The layer with its op written as a key."""
        found = self.layers[self.name]
        return dict(found) if isinstance(found, dict) else {"op": found}

    def rewired(self, names: list[str]) -> Config:
        """The layer with other inputs."""
        given = self.config.get("in", self.reads[0])
        if isinstance(given, dict):
            written: Any = dict(zip(given, names, strict=True))
        else:
            written = names if isinstance(given, list) else names[0]
        return {**self.config, "in": written}

    def fresh(self, what: str) -> str:
        """A name that the spec does not have."""
        number, text = 0, str(self.spec)
        while f"{what}{number}" in text:
            number += 1
        return f"{what}{number}"


Wrapper = Callable[[Site, random.Random], bool]
"""Changes the spec of a site; False where it has no place for the layer."""


def wrapped(spec: Config, seed: int) -> Config:
    """The spec with wrappers around some layers, drawn by the seed."""
    rng, found = random.Random(seed), deepcopy(spec)
    wrappers = (*WRAPPERS, _as_alternative) if seed >= CHOOSING else WRAPPERS
    for _ in range(rng.randint(1, MOST)):
        sites = list(_sites(found))
        if not sites:
            break
        rng.choice(wrappers)(rng.choice(sites), rng)
    return found


def _sites(spec: Config) -> Iterator[Site]:
    """The layers that are read by their names alone."""
    text = _text(spec)
    for scope, one in _scopes(spec):
        yield from _of_layers(
            spec, one["layers"], scope, next(iter(one["inputs"])), text
        )


def _scopes(spec: Config) -> Iterator[tuple[str, Config]]:
    """The networks and blocks by name."""
    yield from spec["networks"].items() if "networks" in spec else [("", spec)]
    yield from spec.get("blocks", {}).items()


def _of_layers(
    spec: Config, layers: Config, scope: str, first: str, text: str
) -> Iterator[Site]:
    before = first
    for name, written in layers.items():
        config = written if isinstance(written, dict) else {"op": written}
        given = config.get("in", before)
        if isinstance(given, dict):
            given = list(given.values())
        reads = given if isinstance(given, list) else [given]
        dotted = re.search(rf"\b{name}\.|share: {name}\b", text)
        source = "in" not in config and config.get("op") in _SOURCES
        lists = any(re.search(r"\.items\d+$", one) for one in reads)
        if not (dotted or source or lists or config.keys() & set(_FIXED)):
            yield Site(spec, layers, name, scope, reads)
        inner = config.get("layers")
        if isinstance(inner, dict):
            yield from _of_layers(spec, inner, "-", reads[0], text)
        before = name


_SOURCES = ("parameter", "buffer", "constant", "arange", "zeros", "ones")


def _text(spec: Config) -> str:
    return yaml.safe_dump(spec, width=10_000)


def _in_group(site: Site, rng: random.Random) -> bool:
    """A group whose inputs have names of their own."""
    ports = {site.fresh(f"p{k}_"): one for k, one in enumerate(site.reads)}
    inner = {site.fresh("inner"): site.rewired([*ports])}
    site.layers[site.name] = {"in": ports, "layers": inner}
    return True


def _in_outer_group(site: Site, rng: random.Random) -> bool:
    """A group that reads the values around it."""
    if any("." in one for one in site.reads):
        return False
    inner = {site.fresh("inner"): site.rewired(site.reads)}
    site.layers[site.name] = {"in": site.reads[0], "layers": inner}
    return True


def _in_list(site: Site, rng: random.Random) -> bool:
    """A list of the layer alone, or of it and an alias."""
    if len(site.reads) > 1:
        return False
    item = {key: value for key, value in site.config.items() if key != "in"}
    items: list[Any] = [item, *(["identity"] if rng.random() < 0.5 else [])]
    site.layers[site.name] = {"in": site.reads[0], "layers": items}
    return True


def _as_copy(site: Site, rng: random.Random) -> bool:
    """The only copy of a repeat."""
    if "repeat" in site.config or "layers" in site.config:
        return False
    repeat: Any = rng.choice([1, {"count": 1, "share": True}])
    site.layers[site.name] = {**site.rewired(site.reads), "repeat": repeat}
    return True


def _under_condition(site: Site, rng: random.Random) -> bool:
    """A condition that holds, with a value in place of the layer's."""
    if "when" in site.config:
        return False
    test = rng.choice(["1 > 0", *(f"{flag} or 1 > 0" for flag in _flags(site))])
    layer = {**site.rewired(site.reads), "when": test}
    if len(site.reads) > 1 or rng.random() < 0.3:
        layer["else"] = site.reads[0]
    site.layers[site.name] = layer
    return True


def _before_alias(site: Site, rng: random.Random) -> bool:
    """What is read is an alias of the layer."""
    inner = site.fresh("inner")
    alias = {"op": "identity", "in": inner}
    _replace(site, {inner: site.rewired(site.reads), site.name: alias})
    return True


def _after_alias(site: Site, rng: random.Random) -> bool:
    """The layer reads an alias of its first input."""
    same = site.fresh("same")
    layer = site.rewired([same, *site.reads[1:]])
    _replace(site, {same: {"op": "identity", "in": site.reads[0]}, site.name: layer})
    return True


def _in_block(site: Site, rng: random.Random) -> bool:
    """A block of its own, with the types that its inputs have and the params that it names."""
    instance = _instance(site)
    if instance is None or "$" in str(site.config) or _names(site, {"i"}):
        return False
    inputs: Config = {}
    sizes: dict[str, str] = {}
    for one in site.reads:
        node, _, port = one.partition(".")
        kind = instance.type_of(Ref(node, port))
        if kind is None:
            return False
        pattern = instance.scope.inputs.get(node)
        optional = "?" if pattern is not None and pattern.optional else ""
        dims = ", ".join(_size_name(str(size), sizes) for size in kind.shape)
        inputs[site.fresh(f"x{len(inputs)}_")] = f"{kind.kind}[{dims}]{optional}"
    named = _names(site, set(instance.params))
    params = {name: _declared(instance.params[name]) for name in named}
    block = {"inputs": inputs, "layers": {"inner": site.rewired([*inputs])}}
    name = site.fresh("Wrap")
    site.spec.setdefault("blocks", {})[name] = {
        **({"params": params} if params else {}),
        **block,
    }
    given = dict(zip(inputs, site.reads, strict=True))
    arguments = {param: param for param in named}
    site.layers[site.name] = {"op": name, **arguments, "in": given}
    return True


def _as_alternative(site: Site, rng: random.Random) -> bool:
    """The alternative that is chosen, before or after another one."""
    if any(key in site.config for key in ("repeat", "when", "choose")):
        return False
    layer, beside = site.rewired(site.reads), {"in": site.reads[0]}
    beside["in"] = layer.pop("in")
    tests = ["1 > 0", *(f"{flag} or 1 > 0" for flag in _flags(site))]
    other: Config = {"layers": {site.fresh("other"): "identity"}}
    both: list[Config] = [{"when": rng.choice(tests), **layer}, other]
    if len(site.reads) > 1:
        both[1] = {**other, "in": site.reads[0]}
        both[0]["in"], beside = beside["in"], {}
    if rng.random() < 0.5:
        both = [{"when": "1 > 2", **both[1]}, dict(both[0])]
        del both[1]["when"]
    site.layers[site.name] = {"choose": both, **beside}
    return True


WRAPPERS: tuple[Wrapper, ...] = (
    *(_in_group, _in_outer_group, _in_list, _as_copy, _under_condition),
    *(_before_alias, _after_alias, _in_block, _in_block, _in_block),
)


def _replace(site: Site, others: Config) -> None:
    """Put layers in the place of one."""
    items = list(site.layers.items())
    site.layers.clear()
    for name, config in items:
        site.layers.update(others if name == site.name else {name: config})


def _flags(site: Site) -> list[str]:
    """The flags of the network or block that a layer stands in."""
    blocks = site.spec.get("blocks", {})
    holder = blocks.get(site.scope, {} if site.scope == "-" else site.spec)
    params = holder.get("params", {}).items()
    return [
        name for name, value in params if isinstance(value, bool) or value == "bool"
    ]


def _instance(site: Site) -> Instance | None:
    """The scope of a layer as it is inferred; None in a group, or where the spec is wrong."""
    typed = None if site.scope == "-" else _typed(site.spec)
    if typed is None:
        return None
    if site.scope in typed.networks:
        return typed.networks[site.scope]
    found = walk_instances(typed.networks.values())
    return next((one for one in found if one.scope.name == site.scope), None)


def _typed(spec: Config) -> TypedGraph | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(_text(spec), encoding="utf-8")
        try:
            return compile_spec(path).typed
        except SpecError:
            return None


def _names(site: Site, among: set[str]) -> list[str]:
    """The names of params that the arguments of a layer have."""
    rest = {key: value for key, value in site.config.items() if key not in ("in", "op")}
    return sorted(set(re.findall(r"[A-Za-z_]\w*", str(list(rest.values())))) & among)


def _declared(value: Any) -> Any:
    """The type of a param, from its value."""
    if isinstance(value, tuple):
        return "int[]"
    return type(value).__name__


def _size_name(size: str, known: dict[str, str]) -> str:
    """What a block calls a size: 1, a symbol by its own name, else a new name."""
    if size == "1" or re.fullmatch(r"[A-Z]\w*", size):
        return size
    return known.setdefault(size, f"E{len(known)}")
