"""Dataclasses that are defined quickly: the standard library's took a quarter of the time of `layergraph check`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import replace as replace
else:

    def dataclass(cls=None, /, **options):
        """The standard library's `dataclass`, with the same options.

        The standard one compiles up to six methods of each class from text. Here only `__init__` is compiled, for the
        first object of a class, and the others are shared. `frozen` is enforced by the type checker, and makes a class
        hashable; at run time nothing refuses an assignment, so that `__init__` takes half the time, too.
        """
        return _made(cls, **options) if cls else lambda cls: _made(cls, **options)

    def replace(known, /, **changes):
        """The standard library's `replace`, of an object of a class that is made here; it takes half the time."""
        made = known.__class__
        names = _ARGUMENTS.get(made)
        if names is None:
            fields = dataclasses.fields(made)
            names = _ARGUMENTS[made] = [one.name for one in fields if one.init]
        for name in names:
            if name not in changes:
                changes[name] = getattr(known, name)
        return made(**changes)


_ARGUMENTS: dict[type, list[str]] = {}
"""The arguments of the `__init__` of classes."""


def _made(
    cls: type,
    *,
    frozen: bool = False,
    eq: bool = True,
    repr: bool = True,
    **options: Any,
) -> Any:
    own = vars(cls)
    made: Any = dataclasses.dataclass(cls, eq=False, repr=False, init=False, **options)
    if "__init__" not in own:
        made.__init__ = _first_init(made)
    if repr and "__repr__" not in own:
        made.__repr__ = _repr
    if eq and "__eq__" not in own:
        names = [one.name for one in dataclasses.fields(made) if one.compare]
        made.__eq__ = _equality(_key(names))
        made.__hash__ = _hash(names) if frozen else None
    return made


def _first_init(made: Any) -> Callable[..., None]:
    """The `__init__` that the first object of a class is made by: it compiles the one of all others."""

    def init(self: object, *args: Any, **named: Any) -> None:
        if made.__init__ is init:
            made.__init__ = _init(made)
        made.__init__(self, *args, **named)

    return init


def _init(made: Any) -> Any:
    """The `__init__` of a class, as the standard library would write it, without `InitVar`."""
    scope: dict[str, Any] = {"_UNSET": object()}
    plain, named, body = ["self"], ["*"], list[str]()
    for one in dataclasses.fields(made):
        name = value = one.name
        argument, default = name, f"_default_{name}"
        if one.default is not dataclasses.MISSING:
            scope[default] = one.default
            argument = f"{name}={default}"
            value = name if one.init else default
        elif one.default_factory is not dataclasses.MISSING:
            scope[default] = one.default_factory
            argument = f"{name}=_UNSET"
            value = f"{default}()"
            if one.init:
                value = f"{value} if {name} is _UNSET else {name}"
        elif not one.init:
            continue
        if one.init:
            (named if one.kw_only else plain).append(argument)
        body.append(f"self.{name}={value}")
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    arguments = ", ".join((*plain, *(named if len(named) > 1 else ())))
    text = f"def __init__({arguments}): {'; '.join(body or ['pass'])}"
    exec(text, scope)  # noqa: S102  # of names of fields in our code
    made_by = scope["__init__"]
    made_by.__qualname__ = f"{made.__qualname__}.__init__"
    return made_by


_Key = Callable[[object], tuple[object, ...]]
"""From an object to the tuple of what distinguishes it."""


def _key(names: list[str]) -> _Key:
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda one: ()
    only = attrgetter(*names)
    return lambda one: (only(one),)


def _equality(key: _Key) -> Callable[[object, object], bool]:
    def equal(self: object, other: object) -> bool:
        if self is other:
            return True
        same: bool = NotImplemented
        if self.__class__ is other.__class__:
            same = key(self) == key(other)
        return same

    return equal


def _hash(names: list[str]) -> Callable[[object], int]:
    key = attrgetter(*names) if names else type
    return lambda self: hash(key(self))


@recursive_repr()
def _repr(self: Any) -> str:
    fields = [one for one in dataclasses.fields(self) if one.repr]
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields)
    return f"{type(self).__qualname__}({shown})"
