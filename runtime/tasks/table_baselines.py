"""What models of scikit-learn predict for a table: the baselines of regression and classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from runtime.data.dataset import DataSplits, Examples

_Values = NDArray[Any]
_MOST: Final = 100_000
"""Number of training examples that are used."""
_FEW: Final = 5_000
"""Number of training examples up to which gradient boosting sorts all values, and not their histograms."""
_ITERATIONS: Final = 2_000


def class_predictions(data: DataSplits) -> dict[str, _Values]:
    """The predicted classes int[N] of held-out examples, by baseline: `logistic` and `boosting`."""
    return _predictions(_classifiers(data), data, "label")


def label_predictions(data: DataSplits) -> dict[str, _Values]:
    """The predicted labels bool[N, labels] of held-out examples, by baseline: `logistic` and `boosting`."""
    predicted = _predictions(_classifiers(data), data, "labels")
    return {name: one > 0 for name, one in predicted.items()}


def number_predictions(data: DataSplits, columns: Sequence[int]) -> dict[str, _Values]:
    """The predicted numbers float[N, columns] of held-out examples by baseline: `linear`, `boosting`; standardised."""
    few = len(data.train) <= _FEW
    boosting = GradientBoostingRegressor if few else HistGradientBoostingRegressor
    models = {"linear": LinearRegression(), "boosting": boosting(random_state=0)}
    predicted = _predictions(models, data, "target")
    return {name: one[:, list(columns)] for name, one in predicted.items()}


def _classifiers(data: DataSplits) -> dict[str, Any]:
    few = len(data.train) <= _FEW
    boosting = GradientBoostingClassifier if few else HistGradientBoostingClassifier
    return {
        "logistic": LogisticRegression(max_iter=_ITERATIONS),
        "boosting": boosting(random_state=0),
    }


def _predictions(
    models: Mapping[str, Any], data: DataSplits, answer: str
) -> dict[str, _Values]:
    """What each model predicts of held-out examples; of several answers, each by itself."""
    inputs, truth = _columns(data.train, answer)
    held_out, _ = _columns(data.held_out, answer)

    def predicted(model: Any, column: _Values) -> _Values:
        if len(np.unique(column)) == 1:  # nothing to fit
            return np.full(len(held_out), column[0])
        found: _Values = _fitted(model, data, inputs, column).predict(held_out)
        return found

    return {
        name: predicted(model, truth)
        if truth.ndim == 1
        else np.stack([predicted(model, column) for column in truth.T], 1)
        for name, model in models.items()
    }


def _columns(examples: Examples, answer: str) -> tuple[_Values, _Values]:
    """Inputs float[N, columns], numbers first, and the answers."""
    batch = examples.__getitems__(list(range(min(len(examples), _MOST))))
    inputs = [
        batch[role].double() for role in ("numbers", "categories") if role in batch
    ]
    return np.concatenate([one.numpy() for one in inputs], 1), batch[answer].numpy()


def _fitted(model: Any, data: DataSplits, inputs: _Values, answer: _Values) -> Any:
    """A model that was fitted to inputs of which the last columns are categories."""
    numbers = data.facts.numbers or 0
    categories = list(range(numbers, inputs.shape[1]))
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encode = ColumnTransformer(
        [("categories", encoder, categories)], remainder="passthrough"
    )
    return make_pipeline(encode, model).fit(inputs, answer)
