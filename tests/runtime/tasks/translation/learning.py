"""A small network that translates six pairs, and how it learns them."""

from collections.abc import Callable

import torch
from torch import Tensor

from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import Pair
from runtime.tasks.translation import TranslationLearner

SPEC = """
name: Net
DIMS
inputs:
  source: int[B, S]
  target: int[B, T]
layers:
  mask: {op: padding_mask, padding_idx: 0, in: source}
  source_embedding: {op: embedding, num_embeddings: 40, embedding_dim: 16, in: source}
  encoder: {op: gru, hidden_size: 16}
  target_embedding: {op: embedding, num_embeddings: 40, embedding_dim: 16, in: target}
  decoder: {op: gru, hidden_size: 16, bidirectional: AHEAD}
  narrow: {op: linear, out_features: 16, in: decoder.output}
  look:
    op: attention
    num_heads: 1
    in: {query: narrow, key: encoder.output, value: encoder.output, mask: mask}
  both: {op: concat, dim: -1, in: [narrow, look]}
  head: {op: linear, out_features: 40}
outputs:
  logits: head
task: {kind: translation, data: {pairs: {path: none.tsv, tokens: {words: 40}}}TASK}
"""
PAIRS: list[Pair] = [
    ("one man", "un hombre"),
    ("one good man", "un hombre bueno"),
    ("two men", "dos hombres"),
    ("one woman sleeps.", "una mujer duerme."),
    ("two women sleep.", "dos mujeres duermen."),
    ("two good women sleep.", "dos mujeres buenas duermen."),
]
Make = Callable[..., tuple[TranslationLearner, DataSplits]]


def every(data: DataSplits) -> dict[str, Tensor]:
    """All pairs that are trained on, as one batch."""
    return data.train.__getitems__(list(range(len(data.train))))


def fit(learner: TranslationLearner, data: DataSplits, steps: int) -> None:
    """Steps of Adam on all pairs at once."""
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.02)
    for step in range(steps):
        optimizer.zero_grad()
        torch.autograd.backward(learner.loss("", every(data), step / steps))
        optimizer.step()
    learner.network.eval()


def evaluated(
    learner: TranslationLearner, data: DataSplits, final: bool = True
) -> dict[str, float]:
    """The metrics over two batches of unequal size."""
    batches = [data.held_out.__getitems__(rows) for rows in ([0, 1, 2, 3], [4, 5])]
    with torch.no_grad():
        return learner.evaluate(batches, final)
