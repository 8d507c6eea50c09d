"""Read the weights that a run starts from: a file, or those of another run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import Tensor

from compiler.checkpoint.assembly import shown
from compiler.checkpoint.part import Part
from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.text import listed, shorten
from compiler.program import Program
from compiler.tasks.data_set import PACKAGE
from compiler.tasks.start import matching, tensor_names
from runtime.data.find_file import find_file, missing_help
from runtime.engine.run_folder import BEST
from runtime.weights import read_part

_SHOWN: Final = 5
"""Unused tensors of a file that are named."""


@dataclass(frozen=True)
class StartWeights:
    """The weights that a run starts from.

    Attributes:
        states: tensors by network and name; of tied tensors all names.
        notes: what is loaded and what is initialised, for the user.
    """

    states: Mapping[str, Mapping[str, Tensor]]
    notes: tuple[str, ...]


def read_start(program: Program, folder: Path) -> StartWeights | None:
    """The weights that the task of a program starts from; None if it starts anew.

    Args:
        program: the compiled spec.
        folder: base of relative paths.

    Raises:
        SpecError: if the weights do not fit: a tensor is lacking that a loaded one depends on.
        RequestError: if there are no such weights, or `start` names none.
        DataError: if they cannot be read.
    """
    start = program.task.start if program.task else None
    if start is None:
        return None
    if start.weights is None:
        message = "the task's `start` has no weights: give them as --weights FILE"
        raise RequestError(message)
    given = find_file(folder, start.weights)
    if start.weights.startswith(PACKAGE) and not given.exists():
        reason = missing_help(folder, start.weights)
        raise RequestError(f"{start.weights} does not exist: {reason}")
    file = given / BEST if given.is_dir() else given
    expected = matching(start.new, tensor_names(program.typed)) if start.new else ()
    names = "own" if given.is_dir() else ""
    states, found = read_part(program, file, names, expected)
    return StartWeights(states, tuple(_notes(found, file)))


def _notes(found: Part, file: Path) -> Iterator[str]:
    new = [
        f"{network}.{one.name} {shown(one.shape)}"
        if network
        else f"{one.name} {shown(one.shape)}"
        for network, one in found.new
    ]
    yield f"weights of {file}: {len(found.match.assemblies)} tensors"
    if new:
        yield f"initialised anew: {', '.join(new)}"
    if unknown := found.match.unknown:
        names = listed(list(map(shorten, unknown[:_SHOWN])))
        more = f", and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        yield f"not used, of that file: {names}{more}"
