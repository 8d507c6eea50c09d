"""`step` as a program of torch.export gives what the whole sequence gives, as its state goes in and comes out."""

from __future__ import annotations

import pytest
import torch

from runtime.export.export_step import export_step, state_tensors
from tests.generated.networks import small
from tests.generated.stepped import LENGTH, Stepped, first


@pytest.mark.parametrize(
    ("spec", "size", "pieces"),
    [
        ("gpt2", 2, [2, 3, 2]),
        ("mistral", 2, [2, 3, 2]),  # whose window is 4
        ("rnn", 1, [1, 1, 1]),
        ("mamba_130m", 1, [1, 1, 1]),
        pytest.param("t5_small", 1, [1, 1, 1], marks=pytest.mark.deep),
    ],
)
@torch.no_grad()
def test_a_program_goes_on_from_its_state(
    spec: str, size: int, pieces: list[int]
) -> None:
    stepped, begin = Stepped(small(spec)), 4
    state = stepped.begin(LENGTH)
    stepped.pieces([1] * begin, state)
    before = [one.clone() for one in state_tensors(state)]
    program = export_step(stepped.network, state, stepped.part(begin, size)).module()
    tensors, position, found = state_tensors(state), state.position, []
    assert all(map(torch.equal, tensors, before)) and position == begin
    for n in pieces:
        result, tensors = program(stepped.part(position, n), position, tensors)
        found.append(first(result))
        position += n
    wanted = stepped.whole()[:, begin:position]
    torch.testing.assert_close(torch.cat(found, 1), wanted, rtol=0, atol=1e-10)
