"""A network's `step` as a program of torch.export, whose inputs and outputs are the tensors of the state, too."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram


def export_step(
    network: nn.Module, state: Any, inputs: Mapping[str, Tensor]
) -> ExportedProgram:
    """Export `step` of a generated class.

    The program takes the inputs of a piece by name, the position, and the tensors of the state (`state_tensors`). It
    returns what `step` returns, and the tensors after the piece. Sizes are dynamic where torch can have them so: with
    an example of one position, pieces have one. A window of attention must be full, and is so afterwards.

    Args:
        network: a generated class with `step`.
        state: its state after a piece; it is left as it is.
        inputs: the inputs of the piece after that, by name, as an example.
    """
    tensors = state_tensors(state)
    arguments = dict(inputs), state.position, tensors
    shapes = (
        {name: _dynamic(one) for name, one in inputs.items()},
        Dim.DYNAMIC,
        [_dynamic(one) for one in tensors],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(
            _Step(network, state), arguments, dynamic_shapes=shapes, strict=False
        )


def state_tensors(state: Any) -> list[Tensor]:
    """The tensors of a state, without room for more positions, in the order in which programs take them."""
    found: list[Tensor] = []

    def note(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    _changed(_trimmed(state), note)
    return found


class _Step(nn.Module):
    """Runs `step` on a state that is made of tensors."""

    def __init__(self, network: nn.Module, state: Any) -> None:
        super().__init__()
        self.network = network
        self._state = [_trimmed(state)]  # a list, or torch would look for weights in it

    def forward(
        self, inputs: dict[str, Tensor], position: int, tensors: list[Tensor]
    ) -> tuple[Any, list[Tensor]]:
        given = iter(tensors)
        state = _changed(self._state[0], lambda _: next(given))
        state.position = position
        step: Any = self.network.step
        return step(**inputs, state=state), state_tensors(state)


def _is_state(value: Any) -> bool:
    return hasattr(value, "check_rewind")


def _changed(value: Any, tensor: Callable[[Tensor], Tensor]) -> Any:
    """A copy of a state, or of a part of one, with other tensors."""
    if isinstance(value, Tensor):
        return tensor(value)
    if isinstance(value, list | tuple):
        return type(value)(_changed(one, tensor) for one in value)
    if not _is_state(value):
        return value
    made = copy.copy(value)
    for name, one in vars(value).items():
        setattr(made, name, _changed(one, tensor))
    if _has_keys(made):
        made.length = made.key.shape[1]
    return made


def _trimmed(value: Any) -> Any:
    """A copy of a state whose keys and values are those of the positions so far alone, oldest first."""
    if isinstance(value, list | tuple):
        return type(value)(map(_trimmed, value))
    if not _is_state(value):
        return value
    made = copy.copy(value)
    for name, one in vars(value).items():
        held = _has_keys(value) and isinstance(one, Tensor)
        setattr(made, name, _held(one, value.length) if held else _trimmed(one))
    if _has_keys(made):
        made.length = made.key.shape[1]
    return made


def _has_keys(value: Any) -> bool:
    """Whether a part of a state is the keys and values of attention."""
    return _is_state(value) and isinstance(getattr(value, "key", None), Tensor)


def _held(buffer: Tensor, length: int) -> Tensor:
    """The positions in a buffer, oldest first; in a full window, later ones took the places of the oldest."""
    size = buffer.shape[1]
    if torch.compiler.is_exporting() or length == size:
        return buffer
    if length > size:
        return buffer.roll(-(length % size), 1)
    return buffer[:, :length].clone()


def _dynamic(tensor: Tensor) -> dict[int, Any]:
    return dict.fromkeys(range(tensor.dim()), Dim.AUTO)
