"""A scope of a random spec in the making: what may be named in it, and the layers so far."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Config = dict[str, Any]
Shape = tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """An input or an output of a layer. Sizes that are the same text are equal; others may be."""

    name: str
    shape: Shape
    kind: str = "float"

    @property
    def width(self) -> str:
        return self.shape[-1]


@dataclass(frozen=True)
class BlockKind:
    """A block that can be used: the dimensions of its first input, its params, its outputs in terms of both."""

    name: str
    dims: Shape
    params: dict[str, str]
    outputs: dict[str, Shape]
    optional: dict[str, tuple[Shape, str]] = field(default_factory=dict)
    rank: int = 0


@dataclass
class Scope:
    """A network, a block or a group. `numbers` are formulas over what is known here, `flags` and `counts` alike."""

    rng: random.Random
    blocks: dict[str, Config]
    kinds: list[BlockKind]
    serial: Iterator[int]
    numbers: list[str]
    flags: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    """Dimensions that only the inputs tell."""
    values: list[Value] = field(default_factory=list)
    layers: dict[str, Config] = field(default_factory=dict)
    linears: list[tuple[str, str, str]] = field(default_factory=list)
    """Layers whose weights others may use: name, width of the input, width of the output."""
    runs: list[tuple[str, Shape]] = field(default_factory=list)
    """Blocks that keep the shape of their first input, which others may share: layer and shape."""
    absent: list[str] = field(default_factory=list)
    """Values that may be absent, and that outputs may give."""
    more: tuple[Any, ...] = ()
    """Moves beside those that every spec has."""
    depth: int = 0
    plain: bool = False
    """Whether each layer must keep the shape that it is given."""

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, items: Sequence[Any]) -> Any:
        return self.rng.choice(items)

    def new(self, what: str) -> str:
        return f"{what}{next(self.serial)}"

    def number(self) -> str:
        return str(self.pick(self.numbers))

    def flag(self) -> str:
        """A condition over the params; true or false as a word, now and then."""
        tests = [*self.flags, *(f"not {flag}" for flag in self.flags)]
        tests += [f"{count} > 1" for count in self.counts]
        tests += [f"{count} % 2 == 0" for count in self.counts]
        return str(self.pick([*tests, "1 > 0", "1 > 2"]))

    def count(self) -> str:
        return str(self.pick([*self.counts, *self.counts, "1", "2", "3"]))

    def some(self, rank: int | None = None) -> Value:
        """A float, rather a late one."""
        found = [
            v for v in self.values if v.kind == "float" and rank in (None, len(v.shape))
        ]
        return self.pick(found[-4:]) if self.chance(0.7) else self.pick(found)

    def like(self, value: Value) -> Value:
        """A value of the same shape, perhaps itself."""
        same = [
            v for v in self.values if (v.shape, v.kind) == (value.shape, value.kind)
        ]
        return self.pick(same)

    def write(self, what: str, config: Config, inputs: Any) -> str:
        """Add a layer. `inputs` is a value, several, or several by port."""
        name = self.new(what)
        if isinstance(inputs, dict):
            written: Any = {port: value.name for port, value in inputs.items()}
        elif isinstance(inputs, Value):
            written = inputs.name
        else:
            written = [value.name for value in inputs]
        before = [*self.layers][-1:]
        if [written] != before or self.chance(0.5):
            config = {**config, "in": written}
        self.layers[name] = config
        return name

    def give(self, name: str, shape: Shape, kind: str = "float") -> Value:
        value = Value(name, shape, kind)
        self.values.append(value)
        return value


def argument(text: str) -> Any:
    """A formula as YAML has it: numbers are numbers."""
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def renamed(text: str, names: dict[str, str]) -> str:
    """A formula with other names in it."""

    def other(match: re.Match[str]) -> str:
        found = names.get(match[0], match[0])
        simple = re.fullmatch(r"\w+", found) or match[0] == text
        return found if simple else f"({found})"

    return re.sub(r"[A-Za-z_]\w*", other, text)


def serial() -> Iterator[int]:
    return itertools.count()
