"""Where a name is declared, and where it is used: in the file, and in those that it imports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.editing.hover import mention_at
from compiler.editing.mentions import Mention, Named, mentions
from compiler.editing.survey import Survey
from compiler.ir.graph import Unit
from compiler.parse.document import Document


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a name is written, in this file or in another."""

    span: Span
    declares: bool


def declarations(survey: Survey, line: int, column: int) -> tuple[Span, ...]:
    """Where what is named at a place is declared; of a file its beginning."""
    mention = mention_at(survey, line, column)
    if mention is None:
        return ()
    of = mention.of
    if of.kind == "file":
        return _beginning(survey, mention)
    if of.kind == "block":
        found = _block(survey, of.name)
        if found is not None:
            return (found,)
    if of.kind == "argument":
        return _param_of_block(survey, of)
    if of.kind == "port" and len(of.home) > 1:
        return (survey.merged.locate(of.home, key=True),)
    declared = [one for one in survey.mentions if one.of == of and one.declares]
    return tuple(one.span for one in declared[:1])


def occurrences(survey: Survey, line: int, column: int) -> tuple[Occurrence, ...]:
    """Where what is named at a place is written; a block also in the file that it is imported from."""
    mention = mention_at(survey, line, column)
    if mention is None:
        return ()
    found = [_occurrence(one) for one in survey.mentions if one.of == mention.of]
    if mention.of.kind == "block":
        home = _home(survey.unit, mention.of.name)
        for document in [home.document] if home is not None else []:
            if document.source.file != survey.source.file:
                found += [
                    _occurrence(one)
                    for one in mentions(document)
                    if one.of == mention.of
                ]
    return tuple(dict.fromkeys(found))


def users_of_block(survey: Survey, file: Path, name: str) -> Iterator[Occurrence]:
    """Where a spec names a block that it imports from a file."""
    home = _home(survey.unit, name)
    if home is None or Path(home.document.source.file).resolve() != file:
        return
    own = survey.document.root.get("blocks")
    if own is not None and survey.document.node(("blocks", name)) is not None:
        return
    for one in survey.mentions:
        if one.of == Named("block", name):
            yield _occurrence(one)


def _occurrence(one: Mention) -> Occurrence:
    return Occurrence(one.span, one.declares)


def _home(unit: Unit | None, name: str) -> Unit | None:
    """The file that has a block, followed through imports."""
    while unit is not None and name not in unit.spec.blocks:
        unit = unit.imports.get(name)
    return unit


def _block(survey: Survey, name: str) -> Span | None:
    home = _home(survey.unit, name)
    document: Document = survey.merged if home is None else home.document
    if document.node(("blocks", name)) is None:
        return None
    return document.locate(("blocks", name), key=True)


def _param_of_block(survey: Survey, of: Named) -> tuple[Span, ...]:
    """The param of a block of another file; an op has no place."""
    home = _home(survey.unit, str(of.home[0]))
    path = ("blocks", *of.home, "params", of.name)
    if home is None or home.document.node(path) is None:
        return ()
    return (home.document.locate(path, key=True),)


def _beginning(survey: Survey, mention: Mention) -> tuple[Span, ...]:
    """The beginning of a file that is named."""
    unit = survey.unit
    if unit is None:
        return ()
    file = ""
    if mention.path[:1] == ("import",) and len(mention.path) > 1:
        other = unit.imports.get(str(mention.path[1]))
        file = other.document.source.file if other else ""
    elif mention.path == ("extends",) and unit.document.bases:
        file = unit.document.bases[0]
    elif mention.path == ("network",) and unit.document.network is not None:
        file = str(unit.document.network)
    return (Span(file, 1, 1, 1, 1),) if file else ()
