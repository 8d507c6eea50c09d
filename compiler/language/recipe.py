"""What a recipe may say: a network by its file, its params, and how it is trained."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from compiler.language import identifiers
from compiler.language.model import Model, mapping_of, named
from compiler.language.params import param_value
from compiler.language.spec import task_mapping


def _param(name: str) -> str:
    """What is wrong with the name of a param of a spec with a recipe."""
    return "it is a key of the recipe" if name == "task" else ""


class Recipe(Model):
    """How the networks of another file are trained.

    Attributes:
        network: the spec of the networks, as a path relative to the recipe.
        description: what is trained, for what.
        variant: a variant of the spec; default: its default params.
        params: values of params, over those of the variant.
        task: how the networks are trained; it replaces the task of the spec.
    """

    network: str
    description: str = ""
    variant: Annotated[str, named(identifiers.snake_case, "a variant")] | None = None
    params: Annotated[
        dict[
            Annotated[str, named(_param, "a param")],
            Annotated[Any, AfterValidator(param_value)],
        ],
        mapping_of("params"),
    ] = Field(default={})
    task: Annotated[Any, BeforeValidator(lambda v: task_mapping(v, ()))]
