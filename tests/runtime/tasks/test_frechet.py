from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor

from runtime.tasks.image_evaluator import Gaussian, frechet_distance


def diagonal(mean: list[float], deviations: list[float]) -> Gaussian:
    spread = torch.tensor(deviations, dtype=torch.float64)
    return Gaussian(torch.tensor(mean, dtype=torch.float64), spread.square().diag())


def draws(seed: int, count: int, size: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    mix = torch.randn(size, size, generator=random)
    return torch.randn(count, size, generator=random) @ mix + seed


def test_the_distance_of_independent_normals_is_that_of_means_and_deviations() -> None:
    one, other = diagonal([0, 0], [1, 2]), diagonal([3, 4], [2, 0])
    assert frechet_distance(one, other) == pytest.approx(
        25 + (1 - 2) ** 2 + (2 - 0) ** 2
    )


def test_it_is_scipys_formula_of_full_covariances() -> None:
    one, other = (Gaussian.fit(draws(seed, 200, 6)) for seed in (1, 2))
    root = sqrtm((one.covariance @ other.covariance).numpy())
    spread = one.covariance + other.covariance - 2 * torch.from_numpy(np.real(root))
    expected = (one.mean - other.mean).square().sum() + spread.trace()
    assert frechet_distance(one, other) == pytest.approx(float(expected), rel=1e-9)
    assert frechet_distance(other, one) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("count", [3, 500])
def test_the_distance_of_equal_sets_is_zero(count: int) -> None:
    found = Gaussian.fit(draws(3, count, 8))
    assert frechet_distance(found, found) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_distance_is_infinite_if_a_value_is_not_finite(bad: float) -> None:
    features = draws(3, 10, 4)
    features[0, 0] = bad
    assert (
        frechet_distance(Gaussian.fit(draws(3, 10, 4)), Gaussian.fit(features))
        == math.inf
    )
