"""A spec in the making: values that layers may take, and layers written so far."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import yaml
from hypothesis import strategies as st

Item = TypeVar("Item")
Config = dict[str, Any]


@dataclass(frozen=True)
class Value:
    """What a layer may take: `seq` [B, T, D], `image` [B, C, H, W], `vec` [B, D], `tokens` [B, T], `mask` [B, T].

    Values of one family whose `width` and `length` are the same text have one shape;
    other texts mean that nobody knows.
    """

    name: str
    family: str
    width: str = ""
    length: str = ""


@dataclass(frozen=True)
class Shareable:
    """A layer that may be run again: on values of this family and width."""

    name: str
    family: str
    width: str
    gives: str


@dataclass
class Sketch:
    """One scope: a network, a block or a group, with all that it may name."""

    draw: st.DrawFn
    blocks: dict[str, Config]
    numbers: Iterator[int]
    widths: list[str]
    depth: int = 0
    values: list[Value] = field(default_factory=list)
    layers: dict[str, Config] = field(default_factory=dict)
    shareable: list[Shareable] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)

    def pick(self, *items: Item) -> Item:
        """One of a few things."""
        return self.draw(st.sampled_from(items))

    def flip(self) -> bool:
        """True or false."""
        return self.draw(st.booleans())

    def seldom(self) -> bool:
        """True in three of ten draws; the ends of a range are drawn more often."""
        return self.draw(st.integers(0, 9)) in (5, 6, 7)

    def width(self) -> Any:
        """A number, or a formula over what is known here."""
        return number(self.pick(*self.widths))

    def new(self, what: str) -> str:
        """A name that nothing else has."""
        return f"{what}{next(self.numbers)}"

    def of(self, *families: str) -> list[Value]:
        """The values of some families."""
        return [value for value in self.values if value.family in families]

    def some(self, *families: str) -> Value:
        """One value, of the late ones rather."""
        found = self.of(*families)
        return self.pick(*found, *found[-2:], found[-1])

    def like(self, value: Value) -> Value:
        """Another value of the same shape, or seldom one that may have another."""
        family = self.of(value.family)
        same = [o for o in family if (o.width, o.length) == (value.width, value.length)]
        return self.pick(*family) if self.seldom() else self.pick(*same)

    def write(self, what: str, config: Config, inputs: Sequence[Value] | Config) -> str:
        """Add a layer, which leaves out `in` now and then where that says the same."""
        name = self.new(what)
        if isinstance(inputs, dict):
            written: Any = {port: value.name for port, value in inputs.items()}
        else:
            written = [value.name for value in inputs]
            written = written[0] if len(written) == 1 else written
        before = [*self.layers][-1:]
        if [written] != before or self.draw(st.booleans()):
            config = {**config, "in": written}
        self.layers[name] = config
        return name

    def give(self, value: Value, **changes: str) -> Value:
        """Add a value that is like another."""
        made = replace(value, **changes)
        self.values.append(made)
        return made

    def then(self, source: Value, what: str, **arguments: Any) -> Value:
        """Add a layer of one op that keeps its input's shape."""
        name = self.write(what, {"op": what, **arguments}, [source])
        return self.give(source, name=name)

    def inner(self, values: list[Value], widths: list[str], **more: Any) -> Sketch:
        """A scope inside this one."""
        return Sketch(
            self.draw, self.blocks, self.numbers, widths, self.depth + 1, values, **more
        )


def number(text: str) -> Any:
    """A formula as YAML has it."""
    return int(text) if text.isdigit() else text


@dataclass(frozen=True)
class Drawn:
    """A random spec, as text, and what else it could be asked."""

    text: str
    dims: dict[str, dict[str, int]]
    settings: dict[str, Any]
    """Other values of its params."""

    def __repr__(self) -> str:
        return f"# settings {self.settings}\n{self.text}"


def written(spec: Config) -> str:
    """A spec as a file has it."""
    return yaml.safe_dump(spec, sort_keys=False, width=100)


def counter() -> Iterator[int]:
    """Numbers for names."""
    return itertools.count()
