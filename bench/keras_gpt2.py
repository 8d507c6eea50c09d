"""GPT-2 (small) as a functional Keras model, layer by layer as specs/gpt2.yaml has it."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


class Positions(layers.Layer):  # type: ignore[misc]
    """A learned vector for each position."""

    def __init__(self, context: int, width: int) -> None:
        super().__init__()
        self.table = layers.Embedding(context, width)

    def call(self, x: Any) -> Any:
        return x + self.table(ops.arange(x.shape[1]))


class TiedHead(layers.Layer):  # type: ignore[misc]
    """Logits by the weights of the embedding."""

    def __init__(self, embedding: layers.Embedding) -> None:
        super().__init__()
        self.embedding = embedding

    def call(self, x: Any) -> Any:
        return ops.matmul(x, ops.transpose(self.embedding.embeddings))


def gpt2(
    vocab: int = 50257,
    context: int = 1024,
    width: int = 768,
    depth: int = 12,
    heads: int = 12,
    dropout: float = 0.1,
) -> Any:
    tokens = keras.Input((context,), dtype="int32")
    embedding = layers.Embedding(vocab, width)
    x = Positions(context, width)(embedding(tokens))
    x = layers.Dropout(dropout)(x)
    for _ in range(depth):
        x = _block(x, width, heads, dropout)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    return keras.Model(tokens, TiedHead(embedding)(x))


def _block(x: Any, width: int, heads: int, dropout: float) -> Any:
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    attention = layers.MultiHeadAttention(heads, width // heads, dropout=dropout)
    y = attention(y, y, use_causal_mask=True)
    x = layers.Add()([x, layers.Dropout(dropout)(y)])
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dense(4 * width, activation="gelu")(y)
    y = layers.Dropout(dropout)(layers.Dense(width)(y))
    return layers.Add()([x, y])
