"""MLP-Mixer against its formulas, written once more with torch alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated


class Mixer(nn.Module):
    """Table 1 and figure 1 of the paper."""

    def __init__(self, classes: int, tokens: int, patch: int, width: int, depth: int):
        super().__init__()
        self.stem = nn.Conv2d(3, width, patch, patch)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.LayerNorm(width, eps=1e-6),
                    self.mlp(tokens, width // 2),
                    nn.LayerNorm(width, eps=1e-6),
                    self.mlp(width, 4 * width),
                ]
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    @staticmethod
    def mlp(width: int, hidden: int) -> nn.Module:
        """Two layers around a GELU."""
        return nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)
        )

    def forward(self, image: Tensor) -> Tensor:
        x = self.stem(image).flatten(2).mT
        for norm1, tokens, norm2, channels in self.layers:  # type: ignore[misc]
            x = x + tokens(norm1(x).mT).mT
            x = x + channels(norm2(x))
        logits: Tensor = self.head(self.norm(x).mean(1))
        return logits


def test_mlp_mixer() -> None:
    ours = generated("mlp_mixer")(classes=7, size=24, patch=8, width=12, depth=2)
    theirs, image = Mixer(7, 9, 8, 12, 2), torch.randn(3, 3, 24, 24)
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))

    def run(model: nn.Module) -> tuple[Tensor]:
        return (model(image.to(next(model.parameters()).dtype)),)

    check_equal(
        ours, theirs, lambda given: {names[k]: t for k, t in given.items()}, run, run
    )


def test_counts() -> None:
    theirs = build_on_meta(Mixer, 1000, 196, 16, 768, 12)
    assert count(build_on_meta(generated("mlp_mixer"))) == count(theirs)
