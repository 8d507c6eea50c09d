"""The Fréchet distance of features, each set taken as the normal distribution that is like it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution: mean [D] and covariance [D, D], in double precision."""

    mean: Tensor
    covariance: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """The one that is like features [N, D]; N is at least 2."""
        exact = features.double().cpu()
        return cls(exact.mean(0), exact.T.cov())


def frechet(one: Gaussian, other: Gaussian) -> float:
    """The squared distance (Heusel et al., 2017); inf where something is not finite.

    The root of a product of covariances has the trace of the root of a symmetric matrix,
    R C R with R R the other covariance, whose eigenvalues are real and not negative.
    """
    parts = (one.mean, one.covariance, other.mean, other.covariance)
    if not all(part.isfinite().all() for part in parts):
        return math.inf
    root = _root(one.covariance)
    product = root @ other.covariance @ root
    cross = torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum()
    spread = one.covariance.trace() + other.covariance.trace() - 2 * cross
    shift = (one.mean - other.mean).square().sum()
    return max(0.0, float(shift + spread))


def _root(matrix: Tensor) -> Tensor:
    """The root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root
