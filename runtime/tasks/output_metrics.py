"""The metrics that every evaluation has, by what is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def number_metrics(predicted: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Mean absolute error, root mean squared error and R² of each number [targets].

    R² is the fraction of the variance that predictions explain: 1 at best, 0 for the mean of the evaluated part,
    and for numbers that are all the same.

    Args:
        predicted, target: float64[N, targets].
    """
    error = predicted - target
    squares = error.square().sum(0)
    variation = (target - target.mean(0)).square().sum(0)
    explained = torch.where(variation > 0, 1 - squares / variation, 0.0)
    return {
        "mae": error.abs().mean(0),
        "rmse": (squares / len(target)).sqrt(),
        "r2": explained,
    }


def confusion_matrix(predicted: Tensor, label: Tensor, classes: int) -> Tensor:
    """The number of examples int[classes, classes]: rows are true classes, columns predicted ones."""
    cells = torch.bincount(label * classes + predicted, minlength=classes**2)
    return cells.view(classes, classes)


def label_metrics(predicted: Tensor, labels: Tensor) -> dict[str, float]:
    """The mean F1 of the labels, and the fraction of examples whose labels are all right.

    Args:
        predicted, labels: bool[N, labels].
    """
    counts = label_counts(predicted, labels)
    exact = (predicted == labels).all(1).sum()
    return {"f1": float(counts.f1.mean()), "exact": int(exact) / len(labels)}


class Counts:
    """How often each of several classes or labels was predicted rightly.

    Args:
        right: number of examples of the class that were predicted to be, int[classes].
        predicted: number of examples that were predicted to be of the class.
        true: number of examples that are.
    """

    def __init__(self, right: Tensor, predicted: Tensor, true: Tensor) -> None:
        self.right, self.predicted, self.true = (
            one.double() for one in (right, predicted, true)
        )

    @property
    def precision(self) -> Tensor:
        """The fraction of right ones among those predicted; 0 if there are none."""
        return self.right / self.predicted.clamp(min=1)

    @property
    def recall(self) -> Tensor:
        """The fraction of right ones among the true ones; 0 if there are none."""
        return self.right / self.true.clamp(min=1)

    @property
    def f1(self) -> Tensor:
        """The harmonic mean of both."""
        return 2 * self.right / (self.predicted + self.true).clamp(min=1)

    def table(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """A row for each class."""
        columns = {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }
        return [
            {"class": name, "examples": int(self.true[i])}
            | {column: float(values[i]) for column, values in columns.items()}
            for i, name in enumerate(names)
        ]


def class_counts(confusion: Tensor) -> Counts:
    """The counts of a confusion matrix int[classes, classes]."""
    return Counts(confusion.diagonal(), confusion.sum(0), confusion.sum(1))


def label_counts(predicted: Tensor, labels: Tensor) -> Counts:
    """The counts of predictions bool[N, labels] of labels bool[N, labels]."""
    return Counts((predicted & labels).sum(0), predicted.sum(0), labels.sum(0))
