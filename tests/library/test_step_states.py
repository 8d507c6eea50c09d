"""What is kept between the pieces of a sequence: pieces give what the whole gives."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compiler.library.causal_attention import causal_attention
from compiler.library.keep_masked import keep_masked
from compiler.library.key_values import KeyValues, keep
from compiler.library.recent import Recent, pad_past
from compiler.library.resume_scan import resume_scan
from compiler.library.scan import scan
from compiler.library.step_carry import StepCarry, resume
from compiler.library.step_state import StepState


@dataclass
class Nested(StepState):
    """What a class with a repeat in a repeat keeps."""

    layers: list[list[KeyValues]]


PIECES = [[12], [1] * 12, [5, 1, 1, 3, 2], [1, 11]]
LENGTH = 12


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def _heads(x: Tensor) -> Tensor:
    return x.unflatten(-1, (2, -1)).transpose(1, 2)


def _attend(
    query: Tensor, key: Tensor, value: Tensor, state: KeyValues | None
) -> Tensor:
    key, value = keep(state, key, value)
    return causal_attention(_heads(query), _heads(key), _heads(value))


@pytest.mark.parametrize("pieces", PIECES, ids=str)
@pytest.mark.parametrize("capacity", [None, LENGTH])
@pytest.mark.parametrize("gradients", [False, True])
def test_attention(pieces: list[int], capacity: int | None, gradients: bool) -> None:
    parts = [_random(3, LENGTH, 8).requires_grad_(gradients) for _ in range(3)]
    state = KeyValues(capacity)
    split = [part.split(pieces, 1) for part in parts]
    found = torch.cat([_attend(*now, state) for now in zip(*split, strict=True)], 2)
    query, key, value = map(_heads, parts)
    wanted = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
    if gradients:
        weights = _random(*wanted.shape)
        for one, other in zip(
            torch.autograd.grad((found * weights).sum(), parts),
            torch.autograd.grad((wanted * weights).sum(), parts),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_states_in_lists_of_lists_are_asked_like_any_other() -> None:
    """As those of a repeated layer in a repeated layer."""
    full, empty = KeyValues(4), KeyValues(4, window=2)
    full.extend(_random(1, 3, 2), _random(1, 3, 2))
    state = Nested([[full], [empty]])
    with pytest.raises(ValueError, match="room for 4 positions"):
        state.reserve(2)
    with pytest.raises(ValueError, match="forgotten"):
        state.rewind(1)
    state = Nested([[full], []])
    state.rewind(2)
    assert full.length == 1 and state.grows


def test_a_full_state_is_an_error_before_anything_is_written() -> None:
    state = KeyValues(4)
    state.extend(_random(1, 3, 2), _random(1, 3, 2))
    before = state.clone()
    with pytest.raises(ValueError, match="room for 4 positions, not for 5"):
        state.extend(_random(1, 2, 2), _random(1, 2, 2))
    assert state.key is not None and before.key is not None
    assert state.length == 3 and torch.equal(state.key, before.key)


@pytest.mark.parametrize("pieces", PIECES, ids=str)
@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("capacity", [None, 4, 20])
def test_a_window_keeps_what_the_next_query_attends_to(
    pieces: list[int], in_order: bool, capacity: int | None
) -> None:
    """One position at a time takes the place of the oldest, unless they must stay in order."""
    window = 4
    key, value = _random(2, LENGTH, 3), _random(2, LENGTH, 3)
    state, at = KeyValues(capacity, window, in_order), 0
    for k, v in zip(key.split(pieces, 1), value.split(pieces, 1), strict=True):
        count = k.shape[1]
        first, at = max(0, at + 1 - window), at + count
        if at <= window:
            first = 0
        for one, whole in zip(state.extend(k, v), (key, value), strict=False):
            assert one is not None
            wanted = whole[:, first:at]
            if count == 1 and not in_order:
                one, wanted = one.sort(1).values, wanted.sort(1).values
            assert torch.equal(one, wanted)
    assert state.key is not None and state.key.shape[1] == window
    assert state.size == 2 * 2 * window * 3 * 8
    with pytest.raises(ValueError, match="forgotten"):
        state.rewind(1)


def test_a_window_wider_than_the_room_can_be_full() -> None:
    state = KeyValues(3, window=8)
    state.extend(_random(1, 3, 2), _random(1, 3, 2))
    with pytest.raises(ValueError, match="room for 3 positions, not for 4"):
        state.extend(_random(1, 1, 2), _random(1, 1, 2))


def test_masked_keys_and_values_are_zero() -> None:
    """A mask that comes later leaves what came before, and what comes after it without one."""
    state = KeyValues(LENGTH)
    mask = torch.tensor([[False, True], [True, True]])
    parts = [_random(2, n, 3) for n in (3, 2, 1)]
    keep_masked(state, parts[0], parts[0], None)
    keep_masked(
        state, parts[1].masked_fill(~mask[..., None], torch.nan), parts[1], mask
    )
    key, value, found = keep_masked(state, parts[2], parts[2], None)
    assert found is not None
    assert found.tolist() == [[True] * 3 + [False] + [True] * 2, [True] * 6]
    wanted = torch.cat(parts, 1).masked_fill(~found[..., None], 0.0)
    assert torch.equal(key, wanted) and torch.equal(value, wanted)
    chosen = state.select(torch.tensor([1, 0]))
    assert chosen.mask is not None
    assert torch.equal(chosen.mask[:, :6], found.flip(0))


def test_rewind_select_and_clone() -> None:
    key, value = _random(2, LENGTH, 4), _random(2, LENGTH, 4)
    state = KeyValues(LENGTH)
    state.extend(key[:, :6], value[:, :6])
    other = state.clone()
    other.extend(_random(2, 2, 4), _random(2, 2, 4))
    other.rewind(2)
    turned = other.select(torch.tensor([1, 0, 1]))
    found, *_ = turned.extend(*(x[[1, 0, 1], 6:7] for x in (key, value)))
    assert torch.equal(found, key[[1, 0, 1], :7])
    assert state.length == 6
    with pytest.raises(ValueError, match="holds 6 positions, not 7"):
        state.rewind(7)


def test_size_is_that_of_the_formula() -> None:
    state = KeyValues(LENGTH)
    assert state.size == 0
    state.extend(torch.ones(3, 1, 4), torch.ones(3, 1, 6))
    assert state.size == 3 * LENGTH * (4 + 6) * 4


@pytest.mark.parametrize("pieces", PIECES, ids=str)
@pytest.mark.parametrize("dim", [1, 2, -1])
def test_padding(pieces: list[int], dim: int) -> None:
    x = _random(2, LENGTH, LENGTH).requires_grad_()
    state = Recent()
    found = [pad_past(state, part, 3, dim, 0.5) for part in x.split(pieces, dim)]
    whole = torch.cat(
        [
            found[0].narrow(dim, 0, 3),
            *(f.narrow(dim, 3, f.shape[dim] - 3) for f in found),
        ],
        dim,
    )
    assert torch.equal(whole, pad_past(None, x, 3, dim, 0.5))
    sizes = {0: (0, 0), 1: (0, 0, 3, 0), 2: (3, 0)}[dim % 3]
    assert torch.equal(whole, F.pad(x, sizes, value=0.5))
    assert state.size == 2 * 3 * LENGTH * 8


@pytest.mark.parametrize("pieces", PIECES, ids=str)
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrence(pieces: list[int], kind: type[nn.RNNBase]) -> None:
    module = kind(4, 5, num_layers=2, batch_first=True).double()
    x, state = _random(3, LENGTH, 4), StepCarry()
    found = torch.cat(
        [resume(state, module, part)[0] for part in x.split(pieces, 1)], 1
    )
    torch.testing.assert_close(found, module(x)[0], rtol=0, atol=1e-12)


def test_rows_of_a_recurrence() -> None:
    module = nn.LSTM(4, 5, num_layers=2, batch_first=True).double()
    x, state, rows = (
        _random(3, LENGTH, 4),
        StepCarry(batch=1),
        torch.tensor([2, 2, 0, 1]),
    )
    resume(state, module, x[:, :5])
    found = resume(state.select(rows), module, x[rows, 5:])[0]
    torch.testing.assert_close(found, module(x[rows])[0][:, 5:], rtol=0, atol=1e-12)


@pytest.mark.parametrize("pieces", PIECES, ids=str)
def test_scan(pieces: list[int]) -> None:
    def step(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h = 0.5 * h + x
        return h, h.sin()

    x, start, state = _random(3, LENGTH, 4), _random(3, 4), StepCarry()
    found = [resume_scan(state, step, (part,), (start,)) for part in x.split(pieces, 1)]
    last, wanted = scan(step, (x,), (start,))
    torch.testing.assert_close(torch.cat([y for _, y in found], 1), wanted)
    torch.testing.assert_close(found[-1][0], last)
