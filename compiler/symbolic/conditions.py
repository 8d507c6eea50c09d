"""For which sizes something holds, and how to declare that: the help of a diagnostic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Domain


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions under which a requirement is met; those of several places add up.

    `multiples` and `least` can be declared under `dims`; `others` are only told.
    """

    multiples: Mapping[str, int] = field(default_factory=dict)
    least: Mapping[str, int] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    never: str = ""
    """The symbols for which there is no condition at all."""

    def merged(self, other: Conditions) -> Conditions:
        """What must hold for both."""
        multiples, least = dict(self.multiples), dict(self.least)
        for name, number in other.multiples.items():
            multiples[name] = math.lcm(multiples.get(name, 1), number)
        for name, number in other.least.items():
            least[name] = max(least.get(name, 1), number)
        others = tuple(dict.fromkeys((*self.others, *other.others)))
        return Conditions(multiples, least, others, self.never or other.never)

    def implies(self, other: Conditions) -> bool:
        """Whether bounds met here meet those of the other, too."""
        return not other.others and all(
            self.least.get(name, 1) >= bound for name, bound in other.least.items()
        )

    @property
    def help(self) -> str:
        """`holds when H is a multiple of 16; if it always is, declare dims: ...`."""
        if self.never:
            return f"they agree for no {self.never}"
        told = [f"{n} is a multiple of {k}" for n, k in sorted(self.multiples.items())]
        told += [f"{n} >= {k}" for n, k in sorted(self.least.items())]
        told += self.others
        if not told:
            return ""
        return f"holds when {' and '.join(told)}{self._declared()}"

    def _declared(self) -> str:
        bounds: dict[str, list[str]] = {}
        for name, number in sorted(self.multiples.items()):
            bounds.setdefault(name, []).append(f"multiple_of: {number}")
        for name, number in sorted(self.least.items()):
            bounds.setdefault(name, []).append(f"min: {number}")
        if not bounds or self.others:
            return ""
        shown = ", ".join(f"{n}: {{{', '.join(b)}}}" for n, b in bounds.items())
        return f"; if that is always so, declare dims: {{{shown}}}"


def when_equal(domain: Domain, left: Dim, right: Dim) -> Conditions:
    """For which sizes two sizes, in the symbols of the inputs, are equal."""
    if left.constant is not None and right.constant is not None:
        return Conditions()
    hint = domain.explain_equal(left, right)
    if hint.kind == "multiple":
        return Conditions(multiples=hint.multiple)
    if hint.kind == "never":
        return Conditions(never=", ".join(sorted(left.symbols | right.symbols)))
    return Conditions(others=(hint.text,)) if hint.text else Conditions()


def when_at_least(domain: Domain, size: Dim, least: int) -> Conditions:
    """From which size of one symbol on a size is at least a number."""
    text = domain.explain_at_least(size, least)
    name, _, bound = (text or "").partition(" >= ")
    return Conditions(least={name: int(bound)}) if bound else Conditions()
