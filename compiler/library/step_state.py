"""The base class of what a network keeps between the pieces of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self, cast

from torch import Tensor


class StepState:
    """Base class of states: a dataclass of tensors, other states and settings."""

    position: int = 0
    batches: ClassVar[Mapping[str, int | None]] = {}
    """Dimensions of tensors that are the batch, other than 0; None if there is none."""

    def select(self, rows: Tensor) -> Self:
        """Return the state of these rows of the batch, int[N]; rows may repeat."""
        return self._changed(
            lambda name, tensor: select_rows(tensor, rows, self.batches.get(name, 0)),
            lambda part: part.select(rows),
        )

    def clone(self) -> Self:
        """Return a copy that goes on independently."""
        return self._changed(
            lambda _, tensor: tensor.clone(), lambda part: part.clone()
        )

    def reserve(self, count: int) -> None:
        """Raise ValueError if there is no room for `count` more positions."""
        for part in self._states():
            part.reserve(count)

    def rewind(self, count: int) -> None:
        """Forget the last `count` positions; raise ValueError if that is impossible."""
        for part in self._states():
            part.check_rewind(count)
        for part in self._states():
            part.rewind(count)
        self.position -= count

    def check_rewind(self, count: int) -> None:
        """Raise ValueError if the last `count` positions cannot be forgotten."""
        for part in self._states():
            part.check_rewind(count)

    @property
    def grows(self) -> bool:
        """Whether it takes more memory with every position."""
        return any(part.grows for part in self._states())

    @property
    def size(self) -> int:
        """The number of bytes of its tensors."""
        return sum(tensor.nbytes for tensor in _tensors(self._values()))

    def _changed(
        self,
        tensor: Callable[[str, Tensor], Tensor],
        state: Callable[[StepState], StepState],
    ) -> Self:
        """Return a copy with changed tensors and states."""

        def change(name: str, value: Any) -> Any:
            if isinstance(value, list | tuple):
                return type(value)(change(name, item) for item in value)
            if isinstance(value, Tensor):
                return tensor(name, value)
            return state(value) if isinstance(value, StepState) else value

        changed = {key: change(key, value) for key, value in vars(self).items()}
        found: Self = replace(cast(Any, self), **changed)
        return found

    def _values(self) -> list[Any]:
        return list(vars(self).values())

    def _states(self) -> Iterator[StepState]:
        pending = self._values()
        for value in pending:
            if isinstance(value, list | tuple):
                pending.extend(value)
            elif isinstance(value, StepState):
                yield value


def select_rows(tensor: Tensor, rows: Tensor, batch: int | None) -> Tensor:
    """Return rows, int[N], of a tensor by its batch dimension; all if it has none."""
    return tensor if batch is None else tensor.index_select(batch, rows)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, StepState):
        yield from _tensors(value._values())
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
