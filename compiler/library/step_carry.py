"""The state of a recurrence, kept between the pieces of a sequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor

from compiler.library.step_state import StepState, select_rows


@dataclass
class StepCarry(StepState):
    """The states after the last position; none before the first.

    Dimension `batch` of each is the batch; None if they have none.
    """

    values: tuple[Tensor, ...] = ()
    batch: int | None = 0

    def select(self, rows: Tensor) -> Self:
        chosen = tuple(select_rows(value, rows, self.batch) for value in self.values)
        return replace(self, values=chosen)

    def check_rewind(self, count: int) -> None:
        if count:
            raise ValueError("a recurrence has forgotten its earlier states")


def resume(
    state: StepCarry | None,
    module: Callable[..., Any],
    x: Tensor,
    start: Tensor | tuple[Tensor, ...] | None = None,
) -> tuple[Tensor, Any]:
    """Run a recurrent module from where the piece before ended, or from `start`.

    The result is that of the module: its output, and its last state or states.
    """
    if state is not None and state.values:
        single = len(state.values) == 1
        start = state.values[0] if single else state.values
    output, last = module(x) if start is None else module(x, start)
    if state is not None:
        state.values = last if isinstance(last, tuple) else (last,)
    return output, last
