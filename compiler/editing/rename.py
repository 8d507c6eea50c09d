"""Another name for what is named at a place: what is to be written where, or why it cannot be done safely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from compiler.checkpoint.plan import plans
from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.source import Source, Span
from compiler.editing.hover import mention_at
from compiler.editing.locate import occurrences, users_of_block
from compiler.editing.mentions import Mention
from compiler.editing.survey import Survey
from compiler.language.identifiers import (
    class_name,
    layer_name,
    network_name,
    param_name,
    snake_case,
    symbol_name,
)

_RULES: Final = {
    "layer": layer_name,
    "input": snake_case,
    "output": snake_case,
    "param": param_name,
    "dimension": symbol_name,
    "block": class_name,
    "network": network_name,
    "variant": snake_case,
}


@dataclass(frozen=True, slots=True)
class Edit:
    """A text in place of the characters of a range."""

    span: Span
    text: str


def renamable(survey: Survey, line: int, column: int) -> Span:
    """The characters of the name at a place.

    Raises:
        RequestError: if it cannot have another name; the message says why.
    """
    return _renamable(survey, line, column).span


def _renamable(survey: Survey, line: int, column: int) -> Mention:
    mention = mention_at(survey, line, column)
    if mention is None:
        raise RequestError("there is no name here that could be another")
    kind, name = mention.of.kind, mention.of.name
    if kind not in _RULES:
        what = {"file": "a path"}.get(kind, "a name of the language")
        raise RequestError(f"{name} is {what}")
    if not survey.whole:
        message = (
            "the file has errors: a use of the name may be where it cannot be read"
        )
        raise RequestError(message)
    if kind in ("input", "output") and survey.merged.root.get("task") is not None:
        raise RequestError(f"the task finds {name} by its name")
    own = survey.source.file
    for one in occurrences(survey, line, column):
        if one.span.file != own:
            where = Path(one.span.file).name
            raise RequestError(f"{name} is also in {where}, which others may use")
        if _written(survey, one.span) != name:
            raise RequestError(
                f"{name} is written with escapes in line {one.span.line}"
            )
    return mention


def rename(
    survey: Survey, line: int, column: int, new: str, others: Iterable[Survey] = ()
) -> tuple[Edit, ...]:
    """The edits by which what is named at a place has another name, everywhere.

    Args:
        survey: the file.
        line, column: a place of the name.
        new: the other name.
        others: further files that are open, which may import a block of this one.

    Raises:
        RequestError: if that is not safe; the message says why.
    """
    mention = _renamable(survey, line, column)
    of = mention.of
    if wrong := _RULES[of.kind](new):
        raise RequestError(f"{new} cannot be its name: {wrong}")
    edits = [Edit(one.span, new) for one in occurrences(survey, line, column)]
    after = Survey(survey.file, edited(survey.text, edits), survey.texts, survey.limits)
    _check_same(survey, after, new)
    for other in others if of.kind == "block" else ():
        found = users_of_block(other, survey.file.resolve(), of.name)
        edits += [Edit(one.span, new) for one in found]
    return tuple(dict.fromkeys(edits))


def _written(survey: Survey, span: Span) -> str:
    line = survey.source.line(span.line)
    return line[span.column - 1 : span.end_column - 1]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text with edits made, no two of which overlap."""
    source = Source("", text)
    text = source.text
    for one in sorted(edits, key=lambda e: (e.span.line, e.span.column), reverse=True):
        span = one.span
        first = source.offset(span.line, span.column)
        last = source.offset(span.end_line, span.end_column)
        text = f"{text[:first]}{one.text}{text[last:]}"
    return text


def _check_same(before: Survey, after: Survey, new: str) -> None:
    """Check that the file means the same, but for the name.

    Raises:
        RequestError: if not.
    """
    if _bindings(before.mentions) != _bindings(after.mentions):
        raise RequestError(f"{new} would stand for something else somewhere")
    codes = Counter(one.code for one in before.diagnostics)
    more = Counter(one.code for one in after.diagnostics) - codes
    for one in after.diagnostics:
        if one.code in more:
            raise RequestError(f"with the name {new}: {one.message}")
    if _published(before) != _published(after):
        message = "the checkpoint makes published names from the names of layers here, and would ask for others"
        raise RequestError(message)


def _bindings(found: Iterable[Mention]) -> list[int]:
    """Which mentions are of one thing: for each the number of the first of them."""
    numbers: dict[object, int] = {}
    return [numbers.setdefault(one.of, len(numbers)) for one in found]


def _published(survey: Survey) -> list[object]:
    """What each tensor of the networks is made of, in order; nothing without a checkpoint.

    Raises:
        RequestError: if errors are in the way.
    """
    typed = survey.typed
    if typed is None or typed.graph.spec.checkpoint is None:
        return []
    if any(one.severity == "error" for one in survey.diagnostics):
        message = "the file has errors, so that what its checkpoint asks for cannot be compared"
        raise RequestError(message)
    return [entry.assemblies for plan in plans(typed) for entry in plan.entries]
