"""Conditional random fields over sequences (Lafferty et al., 2001): the likelihood, and the likeliest tags.

The score of a sequence is the sum of the logits of its tags and of the transitions between them. Masks are true for the
first positions of each row, at least one.
"""

from __future__ import annotations

import torch
from torch import Tensor


def crf_loss(logits: Tensor, tags: Tensor, mask: Tensor, transitions: Tensor) -> Tensor:
    """The negative log-likelihood of sequences of tags, summed over the batch: a scalar.

    Args:
        logits: float[B, T, K].
        tags: int[B, T]; ignored where the mask is false.
        mask: bool[B, T].
        transitions: float[K, K]: of a tag, the row, before another, the column.
    """
    emitted = logits.gather(2, tags[..., None])[..., 0]
    passed = transitions[tags[:, :-1], tags[:, 1:]]
    scores = (emitted * mask).sum() + (passed * mask[:, 1:]).sum()
    # The log-sum of the scores of all sequences that end in each tag.
    sums = logits[:, 0]
    for position in range(1, logits.shape[1]):
        longer = (sums[:, :, None] + transitions).logsumexp(1) + logits[:, position]
        sums = torch.where(mask[:, position, None], longer, sums)
    return sums.logsumexp(1).sum() - scores


def likeliest_tags(logits: Tensor, mask: Tensor, transitions: Tensor) -> Tensor:
    """The sequences of tags with the highest score, int[B, T], by Viterbi's algorithm; 0 where the mask is false."""
    best = logits[:, 0]
    before: list[Tensor] = []
    for position in range(1, logits.shape[1]):
        longer, index = (best[:, :, None] + transitions).max(1)
        going_on = mask[:, position, None]
        best = torch.where(going_on, longer + logits[:, position], best)
        before.append(
            torch.where(going_on, index, torch.arange(index.shape[1]).to(index))
        )
    tags = [best.argmax(1)]
    for index in reversed(before):
        tags.append(index.gather(1, tags[-1][:, None])[:, 0])
    return torch.stack(tags[::-1], 1) * mask
