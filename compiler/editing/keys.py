"""The keys that a mapping of a spec may have, with what their declarations say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from compiler.dataclass import dataclass
from compiler.elaborate.apply_recipe import is_recipe
from compiler.language.choice import is_family
from compiler.language.recipe import Recipe
from compiler.language.spec import Spec
from compiler.language.wording import model_below, only_model
from compiler.op.arg_docs import alternatives, takes
from compiler.op.docstrings import descriptions, summary
from compiler.parse.document import Document, MappingNode, ScalarNode
from compiler.parse.path_error import Path
from compiler.tasks.task import Task
from compiler.tasks.task_kinds import task_kind, task_names


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A key: what is said of it, what it takes, and the texts that it may have."""

    text: str = ""
    takes: str = ""
    choices: tuple[str, ...] = ()


def keys_at(document: Document, path: Path) -> Mapping[str, KeyFacts]:
    """The keys that the mapping at a path may have, by name; none where the mapping is one of names."""
    model = _model_at(document, path)
    if model is None:
        return {}
    if is_family(model):
        return {name: KeyFacts(summary(one)) for name, one in model.members().items()}
    texts = descriptions(model)
    return {
        field.alias or name: _facts(texts.get(name, ""), field.annotation)
        for name, field in model.model_fields.items()
        if name not in getattr(model, "derived", ())
    }


def choices_at(document: Document, path: Path) -> tuple[str, ...]:
    """The texts that the value at a path may have, where these are few."""
    if path == ("task", "kind"):
        return tuple(task_names())
    facts = keys_at(document, path[:-1]).get(str(path[-1])) if path else None
    model = _below(document, path)
    if is_family(model):
        things = model.members().items()
        return tuple(name for name, one in things if not one.required())
    return facts.choices if facts else ()


def _facts(text: str, annotation: Any) -> KeyFacts:
    kinds = alternatives(annotation)
    if any(one.model is not None and not _is_model(one.model) for one in kinds):
        return KeyFacts(text)  # a type that is read by rules of its own
    choices = tuple(
        str(choice)
        for one in kinds
        if one.base == "choice"
        for choice in one.choices
        if isinstance(choice, str)
    )
    bools = ("true", "false") if any(one.base == "boolean" for one in kinds) else ()
    words = takes(annotation, lambda _: "a mapping", null=False)
    return KeyFacts(text, words, (*choices, *bools))


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _model_at(document: Document, path: Path) -> Any:
    """The model, or the family of options, whose keys the mapping at a path has; None for a mapping of names."""
    model = only_model(_below(document, path))
    return model if _is_model(model) or is_family(model) else None


def _below(document: Document, path: Path) -> Any:
    model: Any = Recipe if is_recipe(document) else Spec
    rest = path
    if path[:1] == ("task",):
        model, rest = _task(document), path[1:]
    for step in rest:
        model = None if model is None else model_below(model, step)
    return model


def _task(document: Document) -> Any:
    """The class of the kind of task that a document has."""
    section = document.root.get("task")
    kind = section.get("kind") if isinstance(section, MappingNode) else None
    name = kind.text if isinstance(kind, ScalarNode) else ""
    return task_kind(name) if name in task_names() else Task
