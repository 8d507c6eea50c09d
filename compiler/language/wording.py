"""Turn pydantic's errors into diagnostics with places and messages of the language."""

from __future__ import annotations

from typing import Any

import pydantic

from compiler.diagnostics import suggestions
from compiler.diagnostics.codes import CODES
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.replacement import Replacement
from compiler.diagnostics.text import shorten
from compiler.language.choice import Choice, is_family
from compiler.op.as_yaml import as_yaml
from compiler.parse.document import Document, SequenceNode
from compiler.parse.path_error import Path, PathError


def report_all(
    report: Report,
    document: Document,
    error: pydantic.ValidationError,
    model: type[pydantic.BaseModel],
    under: Path = (),
) -> None:
    """Report every error of a model that was read from the value at a path.

    A key that is missing is not told beside one that is wrong and was meant for it.
    """
    details = error.errors(include_url=False)
    errors = [_error(report, document, one, model, under) for one in details]
    meant = {
        (*one.path[:-1], one.help.right)
        for one in errors
        if isinstance(one.help, Replacement) and one.path
    }
    for detail, found in zip(details, errors, strict=True):
        if detail["type"] == "missing" and found.path in meant:
            continue
        span = found.span(document, under)
        report.error(
            found.code, span, found.message, help=found.help, missing=found.missing
        )


def _error(
    report: Report,
    document: Document,
    detail: Any,
    model: type[pydantic.BaseModel],
    under: Path,
) -> PathError:
    """What pydantic found, at its path below what was read."""
    context = detail.get("ctx", {})
    loc = detail["loc"]
    named = bool(loc) and loc[-1] == "[key]"
    path = _path(document, loc[:-1] if named else loc, under)
    path += tuple(context.get("at", ()))
    code, message, help = _worded(detail, (*under, *path), report, model)
    blame_key = bool(context.get("key", named or detail["type"] in _AT_KEYS))
    thing = _thing(loc, model)
    if thing is not None and thing.code:  # for all that is wrong in it
        code = thing.code
        if detail["type"] in _AT_KEYS:
            path, blame_key = path[:-1], False
    help, offsets = context.get("help", help), context.get("offsets")
    missing = context.get("missing", "")
    return PathError(code, message, path, blame_key, help, offsets, missing)


_AT_KEYS = {"extra_forbidden", "missing", "missing-key"}
"""What is wrong with a mapping as a whole, or with a key, and not with a value."""


def _path(document: Document, loc: Path, under: Path) -> Path:
    """The path in the document: a list of layers has become a mapping with numbers for keys.

    And what may be one thing or several is read as a list, where there is none.
    """
    path: list[str | int] = []
    for step in loc:
        listed = isinstance(document.node((*under, *path)), SequenceNode)
        if isinstance(step, int) and not listed:
            continue
        number = isinstance(step, str) and step.isdigit() and listed
        path.append(int(step) if number else step)
    return tuple(path)


def _worded(
    detail: Any, path: Path, report: Report, model: type[pydantic.BaseModel]
) -> tuple[str, str, str]:
    kind, name = detail["type"], path[-1] if path else "the file"
    if kind in CODES:
        return kind, detail["msg"], ""
    if kind == "extra_forbidden":
        known, thing = _keys(detail["loc"], model), _thing(detail["loc"], model)
        help = suggestions.key(str(name), known) or report.like(str(name), known)
        message = f"there is no key {shorten(str(name))} here"
        keys = f"the keys are {', '.join(known)}"
        if thing is not None:
            message = f"{thing.name} has no argument {shorten(str(name))}"
            keys = f"{thing.name} takes {', '.join(known) or 'no arguments'}"
        return "unknown-key", message, help or keys
    if kind == "missing":
        return "missing-key", f"`{name}` is missing", ""
    code = "bad-value" if kind in _RANGES or kind == "literal_error" else "bad-type"
    found = _found(detail["input"])
    return code, f"{_name(path)} must be {_wanted(detail)}{found}", ""


def _name(path: Path) -> str:
    """What stands at a path; an item of a list by its number."""
    if len(path) > 1 and isinstance(path[-1], int):
        return f"{path[-2]}[{path[-1]}]"
    return str(path[-1]) if path else "the file"


def _wanted(detail: Any) -> str:
    kind = detail["type"]
    if kind in _RANGES:
        word, bound = _RANGES[kind]
        return f"{word} {detail['ctx'][bound]:g}"
    if kind == "too_short":
        return f"a list of at least {detail['ctx']['min_length']}"
    wanted: str = _WORDS.get(kind) or detail["msg"].removeprefix("Input should be ")
    return wanted.replace("'", "")


def _found(value: Any) -> str:
    """The value that came, where it is short enough to be seen at once."""
    known = isinstance(value, bool | int | float | str | list | tuple)
    return f", and is {shorten(as_yaml(value))}" if known else ""


_RANGES = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}
"""Pydantic's names for values out of range, in words, and where each has its bound."""
_WORDS = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "tuple_type": "a list",
    "finite_number": "a finite number",
}
"""What a value must be, by pydantic's name for the fault that it is not."""


def _keys(loc: Path, start: type[pydantic.BaseModel]) -> list[str]:
    """The keys that the model at a location knows."""
    model: Any = start
    for step in loc[:-1]:
        model = model_below(model, step)
    model = only_model(model)
    fields = (
        model.model_fields
        if isinstance(model, type) and issubclass(model, pydantic.BaseModel)
        else {}
    )
    return [field.alias or name for name, field in fields.items()]


def _thing(loc: Path, start: type[pydantic.BaseModel]) -> type[Choice] | None:
    """The thing chosen by name in whose arguments a location is."""
    model: Any = start
    found = None
    for step in loc:
        model = model_below(model, step)
        thing = isinstance(model, type) and issubclass(model, Choice)
        found = model if thing and not is_family(model) else found
    return found


def model_below(model: Any, step: str | int) -> Any:
    """The type of what stands under a key of a model, or in a mapping of models."""
    if is_family(model):
        return model.members().get(str(step))
    if isinstance(model, type) and issubclass(model, pydantic.BaseModel):
        by_key = {
            field.alias or name: field.annotation
            for name, field in model.model_fields.items()
        }
        return by_key.get(str(step))
    only = only_model(model)
    if only is not model:
        return model_below(only, step)
    arguments = getattr(model, "__args__", ())
    return arguments[-1] if arguments else None


def only_model(model: Any) -> Any:
    """The type itself, of one that may be None or has annotations."""
    arguments = [a for a in getattr(model, "__args__", ()) if a is not type(None)]
    return only_model(arguments[0]) if len(arguments) == 1 else model
