"""The weights that training starts from, and those that stay as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from compiler.ir.tensors import own_tensors
from compiler.ir.typed import TypedGraph
from compiler.language.checkpoint import pattern_text
from compiler.language.model import Model
from compiler.language.name_patterns import parse_pattern
from compiler.tasks.data_set import File
from compiler.tasks.formulas import Whole

TensorPattern = Annotated[str, AfterValidator(pattern_text)]
"""A pattern of the names of tensors, as in `checkpoint`: `encoder.{i}.{*rest}`."""


class Start(Model):
    """The weights that training starts from.

    Attributes:
        weights: a file of weights, with published names or those of the spec; or a run folder: its best weights.
        new: patterns of tensors that are initialised all the same.
        freeze: patterns of tensors that are not trained.
        unfreeze_after: number of epochs after which these are trained, too; default: never.
    """

    weights: File | None = None
    new: list[TensorPattern] = Field(default=[])
    freeze: list[TensorPattern] = Field(default=[])
    unfreeze_after: Whole | None = None


def tensor_names(typed: TypedGraph) -> Iterator[str]:
    """The names of the tensors of all networks; of several networks, names start with the network's."""
    for network, instance in typed.networks.items():
        prefix = f"{network}." if network else ""
        yield from (f"{prefix}{tensor.name}" for tensor in own_tensors(instance))


def matching(patterns: Collection[str], names: Iterable[str]) -> set[str]:
    """The names that one of the patterns matches.

    >>> sorted(matching(["h.{i}.{*rest}"], ["h.0.fc.weight", "head.weight"]))
    ['h.0.fc.weight']
    """
    parsed = list(map(parse_pattern, patterns))
    return {
        name for name in names if any(one.match(name) is not None for one in parsed)
    }
