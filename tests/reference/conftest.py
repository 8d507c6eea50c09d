"""Every test here draws the same numbers each time, and finds the reference packages.

They lie in a folder beside the environment's own packages, so that nothing which looks
for torchvision, as transformers and torchmetrics do, finds it where it does not work.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

REFERENCE = Path(__file__).parents[2] / ".venv" / "reference"

sys.path.append(str(REFERENCE))

# The compiled part of torchvision's wheel needs CUDA. Its models do not need that part,
# but its Python declares what two of its ops give, and so they must be known. They are
# known for as long as this object lives.
OPS = torch.library.Library("torchvision", "FRAGMENT")
if torch.version.cuda is None:
    for name in ("nms", "qnms"):
        OPS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    torch.manual_seed(0)
