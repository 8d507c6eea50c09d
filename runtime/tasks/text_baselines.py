"""What a linear model of word counts predicts for texts: the baseline of their classification."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import LabelledTexts

_MOST: Final = 20_000
"""Number of training texts that are used."""
_WORD: Final = r"(?u)\w+|[^\w\s]"
_ITERATIONS: Final = 2_000
_STRENGTH: Final = 10.0
"""Inverse of the regularisation."""


def text_predictions(data: DataSplits) -> dict[str, NDArray[Any]]:
    """The predicted classes int[N] of held-out texts by baseline: `tfidf`, of weighted words and pairs of words.

    Empty if the training texts are of a single class, or have no words.
    """
    train, held_out = data.train, data.held_out
    assert isinstance(train, LabelledTexts)
    assert isinstance(held_out, LabelledTexts)
    texts, labels = train.texts[:_MOST], train.answers["label"][:_MOST].numpy()
    if len(np.unique(labels)) < 2 or not any(map(str.strip, texts)):
        return {}
    words = TfidfVectorizer(token_pattern=_WORD, ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=_STRENGTH, max_iter=_ITERATIONS)
    return {
        "tfidf": make_pipeline(words, model).fit(texts, labels).predict(held_out.texts)
    }
