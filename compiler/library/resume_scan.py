"""A scan that goes on where the piece before ended."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from compiler.library.scan import scan
from compiler.library.step_carry import StepCarry


def resume_scan(
    state: StepCarry | None,
    step: Callable[..., Tensor | tuple[Tensor, ...]],
    xs: tuple[Tensor, ...],
    carry: tuple[Tensor, ...],
    shared: tuple[Tensor | None, ...] = (),
    dim: int | tuple[int, ...] = 1,
) -> tuple[Tensor, ...]:
    """Scan from the final states of the previous piece; `carry` starts the first."""
    if state is not None and state.values:
        carry = state.values
    result = scan(step, xs, carry, shared, dim)
    if state is not None:
        state.values = result[: len(carry)]
    return result
