"""PixelCNN against its formulas, written once more with torch alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.reference.equality import check_equal, count, generated


class Masked(nn.Conv2d):
    """Sees rows above and, in its own row, the pixels before the centre, or up to it."""

    def __init__(self, before: int, after: int, size: int, centre: bool) -> None:
        super().__init__(before, after, size, padding=size // 2)
        self.centre = centre

    def forward(self, x: Tensor) -> Tensor:
        middle = self.kernel_size[0] // 2
        mask = torch.zeros_like(self.weight)
        mask[:, :, :middle] = 1
        mask[:, :, middle, : middle + self.centre] = 1
        return F.conv2d(x, self.weight * mask, self.bias, padding=middle)


class Residual(nn.Module):
    """Figure 5, on the left."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(2 * width, width, 1),
            nn.ReLU(),
            Masked(width, width, 3, centre=True),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        given: Tensor = x + self.body(x)
        return given


def network(levels: int, width: int, depth: int, hidden: int) -> nn.Module:
    return nn.Sequential(
        Masked(1, 2 * width, 7, centre=False),
        *(Residual(width) for _ in range(depth)),
        nn.ReLU(),
        nn.Conv2d(2 * width, hidden, 1),
        nn.ReLU(),
        nn.Conv2d(hidden, levels, 1),
    )


def test_pixelcnn() -> None:
    ours = generated("pixelcnn")(levels=5, width=4, depth=2, hidden=6)
    theirs, image = network(5, 4, 2, 6), torch.randn(2, 1, 9, 8)
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))

    def run(model: nn.Module) -> tuple[Tensor]:
        return (model(image.to(next(model.parameters()).dtype)),)

    check_equal(
        ours, theirs, lambda given: {names[k]: t for k, t in given.items()}, run, run
    )


def test_no_pixel_sees_itself_or_later_ones() -> None:
    model = generated("pixelcnn")(levels=5, width=4, depth=2, hidden=6)
    image = torch.randn(1, 1, 6, 7)
    changed = image.clone()
    changed[..., 3, 4] += 1
    differs = (model(image) != model(changed)).any(1)[0].flatten()
    assert not differs[: 3 * 7 + 5].any()
    assert differs[3 * 7 + 5 :].any()


def test_counts() -> None:
    assert count(generated("pixelcnn")()) == count(network(256, 128, 15, 1024))
