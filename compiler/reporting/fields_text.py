"""What the fields of declarations take, and what they are left out, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from typing import get_type_hints as hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from compiler.diagnostics.text import either
from compiler.language.choice import Choice
from compiler.op.docstrings import descriptions
from compiler.op.op_docs import as_yaml

_WORDS: Final[dict[Any, tuple[str, str]]] = {
    int: ("an integer", "integers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "bools"),
    str: ("text", "texts"),
}
_BOUNDS: Final = {"ge": "of at least", "gt": "above", "le": "at most", "lt": "below"}


@dataclass(frozen=True, slots=True)
class FieldText:
    """A field as its users see it; `default` is None where it is required, and "" where it is nothing."""

    name: str
    takes: str
    default: str | None
    text: str


def fields_text(
    model: type[BaseModel], without: Iterable[str] = ()
) -> Iterator[FieldText]:
    """The fields of a declaration, in their order.

    >>> from compiler.tasks.schedules import ExponentialSchedule
    >>> [one.takes for one in fields_text(ExponentialSchedule)]
    ['an integer of at least 0', 'a number above 0']
    """
    told, kinds = descriptions(model), hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        if name not in without:
            text = told.get(name, "")
            yield FieldText(name, takes(kinds[name]), _default(field), text)


def takes(kind: Any) -> str:
    """What a value of a type is, in words.

    >>> takes(Literal["mse", "bce"] | None)
    'mse or bce'
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return f"{takes(arguments[0])}{_bounded(_limits(arguments[1:]))}"
    if origin in (Union, UnionType):
        return " or ".join(takes(one) for one in arguments if one is not NoneType)
    if origin is Literal:
        return either([as_yaml(value) for value in arguments])
    if origin is tuple:
        return _listed(arguments)
    if origin is dict:
        return "a mapping from roles to ports"
    return _of_model(kind) if issubclass(kind, BaseModel) else _WORDS[kind][0]


def _listed(items: tuple[Any, ...]) -> str:
    item = items[0]
    item = get_args(item)[0] if get_origin(item) is Annotated else item
    count = "a list of" if items[-1] is Ellipsis else "two"
    return f"{count} {_WORDS[item][1]}"


def _of_model(model: type[BaseModel]) -> str:
    if issubclass(model, Choice):
        article = "an" if model.noun[0] in "aeiou" else "a"
        return f"{article} [{model.noun}](#{model.noun.replace(' ', '-')}s)"
    keys = list(model.model_fields)
    shown = ", ".join(f"{key}: n" if len(keys) == 1 else key for key in keys)
    return f"`{{{shown}}}`" if len(keys) == 1 else "a mapping, see below"


def _limits(metadata: Iterable[Any]) -> dict[str, float]:
    """The bounds that stand beside a type; later ones go over those before."""
    found: dict[str, float] = {}
    for one in metadata:
        inner = one.metadata if isinstance(one, FieldInfo) else (one,)
        found |= {
            name: getattr(part, name)
            for part in inner
            for name in _BOUNDS
            if hasattr(part, name)
        }
    return found


def _bounded(limits: Mapping[str, float]) -> str:
    if limits.get("ge") is not None and len(limits) > 1:
        most = {key: value for key, value in limits.items() if key != "ge"}
        word = "below " if "lt" in most else ""
        return f" from {limits['ge']:,} to {word}{max(most.values()):,}"
    return "".join(f" {_BOUNDS[key]} {value:,}" for key, value in limits.items())


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    return _as_written(field.get_default(call_default_factory=True))


def _as_written(value: Any) -> str:
    """A default as a spec would write it."""
    if isinstance(value, Choice):
        return value.name
    if isinstance(value, BaseModel):
        changed = value.model_dump(exclude_defaults=True)
        return as_yaml(changed)
    return "" if value is None else as_yaml(value)
