"""Decoding against the sum over all paths."""

from collections import defaultdict
from itertools import product

import pytest
import torch

from runtime.ctc import collapse, decode_ctc, needed_positions


@pytest.mark.parametrize("seed", range(20))
def test_a_wide_beam_finds_the_likeliest_text(seed: int) -> None:
    torch.manual_seed(seed)
    logits = 2 * torch.randn(5, 3)
    scores = logits.double().log_softmax(-1)
    sums: dict[tuple[int, ...], float] = defaultdict(float)
    for path in product(range(3), repeat=5):
        likelihood = sum(float(scores[i, token]) for i, token in enumerate(path))
        sums[tuple(collapse(list(path)))] += 2.718281828459045**likelihood
    likeliest = max(sums, key=lambda text: sums[text])
    assert tuple(decode_ctc(logits, beam=100)) == likeliest


def test_greedy_decoding_follows_the_likeliest_path() -> None:
    path = [0, 2, 2, 0, 2, 1, 1, 0]
    logits = torch.nn.functional.one_hot(torch.tensor(path), 3).float()
    assert decode_ctc(logits) == [2, 2, 1]
    assert decode_ctc(10 * logits, beam=3) == [2, 2, 1]


def test_a_beam_sums_over_paths() -> None:
    """Two blanks are the likeliest path, but the paths of the text [1] are likelier together."""
    logits = torch.tensor([[0.6, 0.4], [0.6, 0.4]]).log()
    assert decode_ctc(logits) == []
    assert decode_ctc(logits, beam=2) == [1]


def test_a_text_is_found_on_its_shortest_path_but_on_no_shorter() -> None:
    tokens = torch.tensor([1, 1, 2, 2, 2])
    for length, finite in ((needed_positions(tokens.tolist()), True), (7, False)):
        loss = torch.nn.functional.ctc_loss(
            torch.zeros(length, 1, 3).log_softmax(-1),
            tokens[None],
            torch.tensor([length]),
            torch.tensor([len(tokens)]),
        )
        assert bool(loss.isfinite()) is finite
