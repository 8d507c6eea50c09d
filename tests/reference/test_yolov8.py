"""YOLOv8's network against plain modules of torch, and against its published sizes.

The counts are those that its authors print for 80 classes; they count the fixed numbers 0 to 15 too, by which their
code averages distances.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compiler.ir.counts import ParameterCounter
from tests.programs import compiled
from tests.reference.equality import check_equal, generated


class Conv(nn.Sequential):
    def __init__(self, before: int, after: int, kernel: int = 1, stride: int = 1):
        super().__init__(
            nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(after, eps=1e-3, momentum=0.03),
            nn.SiLU(),
        )


class Mixed(nn.Module):
    """Two halves; one goes through pairs of convolutions, and all of its states are kept."""

    def __init__(self, before: int, after: int, pairs: int, residual: bool = False):
        super().__init__()
        self.residual, half = residual, after // 2
        self.first = Conv(before, after)
        self.pairs = nn.ModuleList(
            nn.Sequential(Conv(half, half, 3), Conv(half, half, 3))
            for _ in range(pairs)
        )
        self.last = Conv(half * (2 + pairs), after)

    def forward(self, x: Tensor) -> Tensor:
        states = list(self.first(x).tensor_split(2, 1))
        for pair in self.pairs:
            change = pair(states[-1])
            states.append(states[-1] + change if self.residual else change)
        found: Tensor = self.last(torch.cat(states, 1))
        return found


class Pools(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Conv(width, width // 2)
        self.last = Conv(width // 2 * 4, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        # Three of 5 x 5, one after the other, are those of 5, 9 and 13.
        wider = [F.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13)]
        found: Tensor = self.last(torch.cat([x, *wider], 1))
        return found


class Head(nn.Module):
    def __init__(
        self, width: int, boxes: int, scores: int, classes: int, bins: int, stride: int
    ) -> None:
        super().__init__()
        self.bins, self.stride = bins, stride
        self.numbers = nn.Buffer(torch.arange(bins).float())
        self.box = nn.Sequential(
            Conv(width, boxes, 3), Conv(boxes, boxes, 3), nn.Conv2d(boxes, 4 * bins, 1)
        )
        self.score = nn.Sequential(
            Conv(width, scores, 3),
            Conv(scores, scores, 3),
            nn.Conv2d(scores, classes, 1),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        height, width = x.shape[2:]
        logits = self.box(x).flatten(2).transpose(1, 2).unflatten(2, (4, self.bins))
        left, top, right, bottom = (
            (logits.softmax(-1) * self.numbers).sum(-1).unbind(-1)
        )
        place = torch.arange(height * width)
        column, row = place % width + 0.5, place // width + 0.5
        sides = [column - left, row - top, column + right, row + bottom]
        scores = self.score(x).flatten(2).transpose(1, 2)
        return self.stride * torch.stack(sides, -1), scores, logits


class Detector(nn.Module):
    def __init__(
        self, classes: int, w: Sequence[int], depths: Sequence[int], bins: int
    ) -> None:
        super().__init__()
        n = depths[0]
        self.stem = Conv(3, w[0], 3, 2)
        self.stages = nn.ModuleList(
            nn.Sequential(Conv(a, b, 3, 2), Mixed(b, b, depth, residual=True))
            for a, b, depth in zip(w[:-1], w[1:], depths, strict=True)
        )
        self.pools = Pools(w[4])
        self.mixed = Mixed(w[4] + w[3], w[3], n)
        self.fine = Mixed(w[3] + w[2], w[2], n)
        self.down1 = Conv(w[2], w[2], 3, 2)
        self.middle = Mixed(w[2] + w[3], w[3], n)
        self.down2 = Conv(w[3], w[3], 3, 2)
        self.coarse = Mixed(w[3] + w[4], w[4], n)
        boxes, scores = max(w[2] // 4, 4 * bins), max(w[2], min(classes, 100))
        self.heads = nn.ModuleList(
            Head(width, boxes, scores, classes, bins, stride)
            for width, stride in zip(w[2:], (8, 16, 32), strict=True)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(image)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        x = self.pools(x)
        mixed = self.mixed(torch.cat([_doubled(x), maps[2]], 1))
        fine = self.fine(torch.cat([_doubled(mixed), maps[1]], 1))
        middle = self.middle(torch.cat([self.down1(fine), mixed], 1))
        coarse = self.coarse(torch.cat([self.down2(middle), x], 1))
        levels = zip(self.heads, (fine, middle, coarse), strict=True)
        found = [head(level) for head, level in levels]
        return tuple(torch.cat(parts, 1) for parts in zip(*found, strict=True))


def _doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def test_yolov8() -> None:
    classes, widths, depths, bins = 3, (4, 6, 8, 10, 12), (2, 1, 3, 1), 4
    ours = generated("yolov8")(classes, widths, depths, bins)
    theirs, image = Detector(classes, widths, depths, bins), torch.randn(2, 3, 64, 96)
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))

    def run(model: nn.Module) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = model(image.to(next(model.parameters()).dtype))
        return found

    check_equal(
        ours, theirs, lambda given: {names[k]: t for k, t in given.items()}, run, run
    )


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("", 3_157_200),
        ("s", 11_166_560),
        ("m", 25_902_640),
        ("l", 43_691_520),
        ("x", 68_229_648),
    ],
)
def test_counts(variant: str, parameters: int) -> None:
    instance = compiled("yolov8", variant).typed.networks[""]
    assert ParameterCounter().instance(instance) == parameters - 16
