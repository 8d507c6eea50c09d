"""NeRF's network against its formulas, written once more with torch alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tests.reference.equality import check_equal, count, generated


class Field(nn.Module):
    """Section 4 and figure 7 of the paper."""

    def __init__(self, width: int) -> None:
        super().__init__()
        ins = [60, *[width] * 4, 60 + width, width, width]
        self.layers = nn.ModuleList(nn.Linear(size, width) for size in ins)
        self.density = nn.Linear(width, 1)
        self.features = nn.Linear(width, width)
        self.view = nn.Linear(width + 24, width // 2)
        self.color = nn.Linear(width // 2, 3)

    def forward(self, point: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        seen = x = self.encode(point, 10)
        for k, layer in enumerate(self.layers):
            x = layer(torch.cat([seen, x], 1) if k == 5 else x).relu()
        view = torch.cat([self.features(x), self.encode(direction, 4)], 1)
        color = self.color(self.view(view).relu()).sigmoid()
        return color, self.density(x).relu()

    @staticmethod
    def encode(x: Tensor, waves: int) -> Tensor:
        """Equation 4, of all coordinates."""
        rows = []
        for k in range(waves):
            rows += [(2**k * math.pi * x).sin(), (2**k * math.pi * x).cos()]
        return torch.cat(rows, 1)


def test_nerf() -> None:
    ours, theirs = generated("nerf")(width=8), Field(8)
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))
    point, direction = torch.rand(6, 3), torch.rand(6, 3)

    def run(model: nn.Module) -> tuple[Tensor, ...]:
        dtype = next(model.parameters()).dtype
        given: tuple[Tensor, ...] = model(point.to(dtype), direction.to(dtype))
        return given

    check_equal(
        ours, theirs, lambda given: {names[k]: t for k, t in given.items()}, run, run
    )


def test_counts() -> None:
    assert count(generated("nerf")()) == count(Field(256))
