"""Our `dataclass` makes what the standard library's makes."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from compiler.dataclass import dataclass, replace


@dataclass(frozen=True, slots=True)
class Pair:
    a: int
    b: tuple[Any, ...] = ()
    c: str = field(default="", compare=False)
    d: str = field(default="", repr=False)


def _frozen(decorate: Callable[..., Any]) -> type:
    @decorate(frozen=True, slots=True)
    class Pair:
        a: int
        b: tuple[Any, ...] = ()
        c: str = field(default="", compare=False)
        d: str = field(default="", repr=False)

    return Pair


def _one(decorate: Callable[..., Any]) -> type:
    @decorate(frozen=True)
    class One:
        a: float

    return One


def _empty(decorate: Callable[..., Any]) -> type:
    @decorate(frozen=True)
    class Empty:
        pass

    return Empty


def _mutable(decorate: Callable[..., Any]) -> type:
    @decorate
    class Mutable:
        a: int

    return Mutable


def _below(decorate: Callable[..., Any]) -> type:
    @decorate(frozen=True)
    class Below(_one(decorate)):
        b: int = 2

    return Below


def _identity(decorate: Callable[..., Any]) -> type:
    @decorate(frozen=True, eq=False, repr=False)
    class Identity:
        a: int

    return Identity


def _own(decorate: Callable[..., Any]) -> type:
    @decorate(frozen=True)
    class Own:
        a: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 5

        def __repr__(self) -> str:
            return "own"

    return Own


def _made_of_parts(decorate: Callable[..., Any]) -> type:
    @decorate(slots=True)
    class Parts:
        a: int
        b: list[int] = field(default_factory=list)
        c: int = field(default=7, kw_only=True)
        d: dict[int, int] = field(default_factory=dict, init=False)
        e: int = field(default=5, init=False)
        f: int = field(init=False)

        def __post_init__(self) -> None:
            self.f = self.a + self.c

    return Parts


NAN = float("nan")
CASES: list[tuple[Callable[..., type], list[tuple[Any, ...]]]] = [
    (_frozen, [(1,), (1, ()), (1, (2,)), (1, (), "c"), (1, (), "c", "d")]),
    (_one, [(1.0,), (1,), (NAN,), (2.0,)]),
    (_empty, [()]),
    (_mutable, [(1,), (1,), (2,)]),
    (_below, [(1,), (1, 3)]),
    (_identity, [(1,), (1,)]),
    (_own, [(1,), (2,)]),
    (_made_of_parts, [(1,), (1, [2])]),
]


@pytest.mark.parametrize(("make", "values"), CASES)
def test_same_as_the_standard_one(make: Any, values: list[tuple[Any, ...]]) -> None:
    ours, standard = make(dataclass), make(dataclasses.dataclass)
    pairs = [(ours(*value), standard(*value)) for value in values]
    for value, (ours_a, standard_a) in zip(values, pairs, strict=True):
        assert (ours.__hash__ is None) == (standard.__hash__ is None)
        if standard.__hash__ not in (None, object.__hash__):
            assert hash(ours_a) == hash(ours(*value))
        if standard.__repr__ is not object.__repr__:
            assert repr(ours_a) == repr(standard_a)
        assert ours_a != standard_a or make is _own
        for ours_b, standard_b in pairs:
            assert (ours_a == ours_b) == (standard_a == standard_b)
    assert [f.name for f in dataclasses.fields(ours)] == [
        f.name for f in dataclasses.fields(standard)
    ]


def test_arguments() -> None:
    ours, standard = _made_of_parts(dataclass), _made_of_parts(dataclasses.dataclass)
    assert repr(ours(1, c=2)) == repr(standard(1, c=2))
    one, two = ours(1), ours(1)
    assert one.b is not two.b and one.d is not two.d
    for args, named in [((), {}), ((1, [], 3), {}), ((1,), {"d": {}})]:
        messages = []
        for kind in (ours, standard):
            with pytest.raises(TypeError) as raised:
                kind(*args, **named)
            messages.append(str(raised.value))
        assert messages[0] == messages[1]


def test_a_class_below_that_is_no_dataclass() -> None:
    below = type("Below", (_one(dataclass),), {})
    assert below(1.0).a == below(a=1.0).a == 1.0


def test_equality_is_with_the_same_class_alone() -> None:
    one, below = _one(dataclass), _below(dataclass)
    assert one(1.0) != below(1.0) and one(1.0) != 1.0
    assert one(1.0).__eq__(1.0) is NotImplemented


def test_an_object_inside_itself_is_printed() -> None:
    inner: list[Any] = []
    made = Pair(1, (inner,))
    inner.append(made)
    assert repr(made) == "Pair(a=1, b=([...],), c='')"


def test_copies() -> None:
    made = Pair(1, (2,), "c", "d")
    assert copy.copy(made) == copy.deepcopy(made) == made
    assert dataclasses.replace(made, a=3) == Pair(3, (2,), "c", "d")
    with pytest.raises(AttributeError):
        made.other = 1


def test_replaced() -> None:
    made = Pair(1, (2,), "c", "d")
    for changes in ({}, {"a": 3}, {"b": (), "d": "e"}):
        found, wanted = replace(made, **changes), dataclasses.replace(made, **changes)
        assert found is not made
        for one in dataclasses.fields(Pair):
            assert getattr(found, one.name) == getattr(wanted, one.name)
    with pytest.raises(TypeError):
        replace(made, e=1)
