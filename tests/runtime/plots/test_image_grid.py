from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from numpy.typing import NDArray

from runtime.plots.image_grid import grid_png


def pixels(png: bytes) -> NDArray[np.float32]:
    return np.asarray(imread(io.BytesIO(png), format="png"), dtype=np.float32)[..., :3]


def test_images_are_in_rows_with_lines_between_them() -> None:
    images = torch.tensor([0.0, 1.0, 0.2]).view(3, 1, 1, 1).expand(3, 1, 40, 40)
    found = pixels(grid_png(images, columns=2))
    assert found.shape == (84, 84, 3)
    centres = [found[y, x, 0] for y in (21, 63) for x in (21, 63)]
    assert centres == pytest.approx([0, 1, 0.2, 1], abs=0.01)  # no fourth: white
    assert found[0].min() == found[41].min() == 1


def test_values_from_minus_one_and_colours() -> None:
    image = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    found = pixels(grid_png(image, columns=1, value_range="-1..1"))
    assert found.shape == (42, 42, 3)
    assert found[20, 20] == pytest.approx([0, 0.5, 1], abs=0.01)


def test_nan_and_values_out_of_range_are_drawn() -> None:
    image = torch.tensor([[float("nan"), 9.0], [-9.0, 0.5]]).view(1, 1, 2, 2)
    found = pixels(grid_png(image, columns=1))
    assert found.min() == 0 and found.max() == 1


def test_the_same_images_give_the_same_bytes() -> None:
    images = torch.rand(4, 1, 8, 8)
    assert grid_png(images, 2) == grid_png(images, 2)
