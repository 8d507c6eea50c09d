"""Every test here draws the same numbers each time, and finds the reference packages."""

from __future__ import annotations

import pytest
import torch

from bench.published import torchvision_ops

# At the import, for the tests' own imports of torchvision come after it.
torchvision_ops()


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    torch.manual_seed(0)
