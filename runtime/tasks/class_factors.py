"""The weights of classes in a loss, as factors for torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from compiler.tasks.class_weights import ClassWeights, exponent_of
from runtime.data.dataset import DataSplits, Examples


def class_factors(
    weights: ClassWeights, names: Sequence[str], data: DataSplits
) -> Tensor:
    """The factor of each class [classes], so that their mean over the training examples is 1.

    Args:
        weights: `balanced`, an exponent, or the weight of each class by name, by default 1.
        names: the classes.
        data: whose training examples are counted.
    """
    counts = torch.bincount(column(data.train, "label"), minlength=len(names))
    return factors_of_counts(weights, names, counts.double())


def factors_of_counts(
    weights: ClassWeights, names: Sequence[str], counts: Tensor
) -> Tensor:
    """The factor of each class [classes], so that their mean over all that is counted is 1.

    Args:
        weights: as for `class_factors`.
        names: the classes.
        counts: number of examples, or of pixels, of each class; float64.
    """
    if isinstance(weights, dict):
        found = torch.tensor([weights.get(name, 1.0) for name in names]).double()
    else:
        found = counts.clamp(min=1) ** -exponent_of(weights)
    return (found * counts.sum() / (found * counts).sum()).float()


def label_factors(
    weights: ClassWeights, names: Sequence[str], data: DataSplits
) -> Tensor:
    """The factor of the loss where each label applies [labels]: torch's `pos_weight`."""
    if isinstance(weights, dict):
        return torch.tensor([weights.get(name, 1.0) for name in names])
    labels = column(data.train, "labels")
    applies = labels.sum(0)
    return ((len(labels) - applies) / applies.clamp(min=1)) ** exponent_of(weights)


def column(examples: Examples, role: str) -> Tensor:
    """The answers of all examples in a role, without their inputs where these are apart."""
    for columns in ("answers", "columns"):
        found = getattr(examples, columns, {}).get(role)
        if isinstance(found, Tensor):
            return found
    return examples.__getitems__(list(range(len(examples))))[role]
