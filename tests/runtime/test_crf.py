"""Conditional random fields against all sequences of tags."""

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor

from runtime.crf import crf_loss, likeliest_tags


def scores(logits: Tensor, transitions: Tensor) -> dict[tuple[int, ...], float]:
    """The score of each sequence for logits [T, K]."""
    length, tags = logits.shape
    return {
        one: float(
            sum(logits[i, tag] for i, tag in enumerate(one))
            + sum(transitions[a, b] for a, b in pairwise(one))
        )
        for one in product(range(tags), repeat=length)
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_likelihood_and_the_likeliest(seed: int) -> None:
    torch.manual_seed(seed)
    logits, transitions = torch.randn(3, 4, 3).double(), 2 * torch.randn(3, 3).double()
    lengths = torch.tensor([4, 1, 3])
    mask = torch.arange(4) < lengths[:, None]
    tags = torch.randint(0, 3, (3, 4))
    expected, found = torch.zeros((), dtype=torch.float64), []
    for row, length in enumerate(lengths.tolist()):
        every = scores(logits[row, :length], transitions)
        total = torch.tensor(list(every.values()), dtype=torch.float64).logsumexp(0)
        expected += total - every[tuple(tags[row, :length].tolist())]
        best = max(every, key=lambda one: every[one])
        found.append([*best, *[0] * (4 - length)])
    loss = crf_loss(logits, tags, mask, transitions)
    torch.testing.assert_close(loss, expected)
    assert likeliest_tags(logits, mask, transitions).tolist() == found


def test_without_transitions_the_tags_are_independent() -> None:
    torch.manual_seed(0)
    logits, none = torch.randn(2, 5, 4), torch.zeros(4, 4)
    tags, mask = torch.randint(0, 4, (2, 5)), torch.ones(2, 5, dtype=torch.bool)
    expected = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), tags.flatten(), reduction="sum"
    )
    torch.testing.assert_close(crf_loss(logits, tags, mask, none), expected)
    assert likeliest_tags(logits, mask, none).equal(logits.argmax(-1))
