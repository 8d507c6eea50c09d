"""Scan: a step function applied along a dimension, with state carried between steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def scan(
    step: Callable[..., Tensor | tuple[Tensor, ...]],
    xs: tuple[Tensor, ...],
    carry: tuple[Tensor, ...],
    shared: tuple[Tensor | None, ...] = (),
    dim: int | tuple[int, ...] = 1,
    reverse: bool = False,
) -> tuple[Tensor, ...]:
    """Apply `step` to the slices of xs along a dimension, first to last.

    `step(*slices, *carry, *shared)` returns the next carry, then its outputs. The
    result is the final carry, then the outputs stacked in the order of xs; `reverse`
    runs from last to first. `dim` is the dimension in all xs, or the dimension in each
    of them; outputs are stacked along the first. The dimension must not be empty.
    """
    dims = (dim,) * len(xs) if isinstance(dim, int) else dim
    if torch.compiler.is_exporting():
        return _scan_symbolic(step, xs, carry, shared, dims, reverse)
    columns = (x.unbind(d) for x, d in zip(xs, dims, strict=True))
    places = list(zip(*columns, strict=True))
    rows = []
    for now in reversed(places) if reverse else places:
        result = _as_tuple(step(*now, *carry, *shared))
        carry, row = result[: len(carry)], result[len(carry) :]
        rows.append(row)
    ordered = zip(*(reversed(rows) if reverse else rows), strict=True)
    return *carry, *(torch.stack(row, min(dims[0], row[0].dim())) for row in ordered)


def _scan_symbolic(
    step: Callable[..., Tensor | tuple[Tensor, ...]],
    xs: tuple[Tensor, ...],
    carry: tuple[Tensor, ...],
    shared: tuple[Tensor | None, ...],
    dims: tuple[int, ...],
    reverse: bool,
) -> tuple[Tensor, ...]:
    """Scan with a symbolic length; tracing would unroll a Python loop."""
    xs = _own(x.movedim(d, 0) for x, d in zip(xs, dims, strict=True))
    shared = tuple(s if s is None else s.clone() for s in shared)
    length, count = xs[0].shape[0], len(carry)

    def advance(done: Tensor, *carry: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        at = (length - 1 - done if reverse else done).reshape(1)
        now = (x.index_select(0, at).squeeze(0) for x in xs)
        return at, _as_tuple(step(*now, *carry, *shared))

    def unfinished(done: Tensor, *_: Tensor) -> Tensor:
        return done < length

    def body(done: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        at, result = advance(done, *state[:count])
        rows = zip(state[count:], result[count:], strict=True)
        written = (whole.index_copy(0, at, row.unsqueeze(0)) for whole, row in rows)
        return done + 1, *_own(result[:count]), *written

    # Run the first step once for the dtypes and shapes of its results, and so that the
    # loop's state requires a gradient from the start: otherwise, torch drops gradients.
    start = torch.zeros((), dtype=torch.long, device=xs[0].device)
    carry = _own(carry)
    _, first = advance(start, *carry)
    pairs = zip(carry, first[:count], strict=True)
    carry = _own(torch.where(unfinished(start), *pair) for pair in pairs)
    rows = _own(row.expand(length, *row.shape) for row in first[count:])
    state = (start, *carry, *rows)
    _, *end = torch.while_loop(unfinished, body, state)  # type: ignore[no-untyped-call]
    stacked = (rows.movedim(0, min(dims[0], rows.dim() - 1)) for rows in end[count:])
    return *end[:count], *_own(stacked)


def _as_tuple(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


def _own(tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    # torch.while_loop rejects tensors that share memory or change layout
    return tuple(t.clone(memory_format=torch.contiguous_format) for t in tensors)
