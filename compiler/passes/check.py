"""Document -> Spec: every key, name and literal is what the language allows."""

from __future__ import annotations

from typing import Any

import pydantic

from compiler.diagnostics import CODES, Report
from compiler.document import Document, Sequence, plain
from compiler.spec import Spec
from compiler.text import shorten


def check(document: Document) -> Spec:
    """Read a document as a spec.

    Raises:
        SpecError: with every mistake of form that the document holds.
    """
    try:
        return Spec.model_validate(plain(document.root))
    except pydantic.ValidationError as error:
        report = Report()
        for detail in error.errors(include_url=False):
            _report(report, document, detail)
        report.raise_if_failed()
        raise


def _report(report: Report, document: Document, detail: Any) -> None:
    context = detail.get("ctx", {})
    loc = detail["loc"]
    named = bool(loc) and loc[-1] == "[key]"
    path = _path(document, loc[:-1] if named else loc) + tuple(context.get("at", ()))
    code, message, help = _worded(detail, path, report)
    blame_key = context.get("key", named or detail["type"] in _AT_KEYS)
    span = document.locate(path, bool(blame_key))
    if "offsets" in context:
        span = document.part(path, *context["offsets"])
    report.error(code, span, message, help=context.get("help", help))


_AT_KEYS = {"extra_forbidden", "missing", "missing-key"}
"""What is wrong with a mapping as a whole, or with a key, and not with a value."""


def _path(document: Document, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path in the document: a list of layers has become a mapping with numbers for keys."""
    path: list[str | int] = []
    for step in loc:
        number = (
            isinstance(step, str)
            and step.isdigit()
            and isinstance(document.node(tuple(path)), Sequence)
        )
        path.append(int(step) if number else step)
    return tuple(path)


def _worded(
    detail: Any, path: tuple[str | int, ...], report: Report
) -> tuple[str, str, str]:
    kind, name = detail["type"], path[-1] if path else "the file"
    if kind in CODES:
        return kind, detail["msg"], ""
    if kind == "extra_forbidden":
        known = _keys(detail["loc"])
        help = report.like(str(name), known) or f"the keys are {', '.join(known)}"
        return "unknown-key", f"there is no key {shorten(str(name))} here", help
    if kind == "missing":
        return "missing-key", f"`{name}` is missing", ""
    wanted = _WORDS.get(kind) or detail["msg"].removeprefix("Input should be ")
    wanted = wanted.replace("'", "")
    code = "bad-value" if kind == "literal_error" else "bad-type"
    return code, f"{name} must be {wanted}", ""


_WORDS = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
"""What a value must be, by pydantic's name for the fault that it is not."""


def _keys(loc: tuple[str | int, ...]) -> list[str]:
    """The keys that the model at a location knows."""
    model: Any = Spec
    for step in loc[:-1]:
        model = _below(model, step)
    model = _only(model)
    fields = (
        model.model_fields
        if isinstance(model, type) and issubclass(model, pydantic.BaseModel)
        else {}
    )
    return [field.alias or name for name, field in fields.items()]


def _below(model: Any, step: str | int) -> Any:
    """The type of what stands under a key of a model, or in a mapping of models."""
    if isinstance(model, type) and issubclass(model, pydantic.BaseModel):
        by_key = {
            field.alias or name: field.annotation
            for name, field in model.model_fields.items()
        }
        return by_key.get(str(step))
    only = _only(model)
    if only is not model:
        return _below(only, step)
    arguments = getattr(model, "__args__", ())
    return arguments[-1] if arguments else None


def _only(model: Any) -> Any:
    """The type itself, of one that may be None or has annotations."""
    arguments = [a for a in getattr(model, "__args__", ()) if a is not type(None)]
    return _only(arguments[0]) if len(arguments) == 1 else model
