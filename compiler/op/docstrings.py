"""What docstrings say of the fields of declarations, for the schema and the pages."""

from __future__ import annotations

import inspect
import re

from pydantic import BaseModel

_ATTRIBUTES = re.compile(r"^Attributes:\n((?:[ ]{4}.*\n?|\n)*)", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+(?:, \w+)*): (.*(?:\n {8}.*)*)", re.MULTILINE)


def summary(model: type[object]) -> str:
    """A docstring without its attributes.

    >>> from compiler.tasks.schedules import ConstantSchedule
    >>> summary(ConstantSchedule)
    'Constant `lr`.'
    """
    return _ATTRIBUTES.sub("", inspect.cleandoc(model.__doc__ or "")).strip()


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What is said of each field, in its class or one that it is made from.

    >>> from compiler.tasks.schedules import NoamSchedule
    >>> descriptions(NoamSchedule)["width"]
    'the width of the model.'
    """
    described: dict[str, str] = {}
    for base in reversed(model.__mro__):
        described |= _own_descriptions(base)
    return {name: described[name] for name in model.model_fields if name in described}


def _own_descriptions(model: type[object]) -> dict[str, str]:
    found = _ATTRIBUTES.search(inspect.cleandoc(model.__dict__.get("__doc__") or ""))
    entries = _ENTRY.findall(found[1]) if found else []
    return {
        name: " ".join(text.split())
        for names, text in entries
        for name in names.split(", ")
    }
