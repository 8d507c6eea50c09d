"""The Diffusion Transformer against its formulas, written once more with torch alone."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated


def waves(numbers: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The sines and the cosines of numbers, at frequencies from 1 down to nearly 1 / 10000."""
    half = width // 2
    angles = numbers[:, None] * 10000.0 ** (-torch.arange(half) / half)
    return angles.sin(), angles.cos()


def grid(side: int, width: int) -> Tensor:
    """Of each patch the waves of its column, then those of its row: [side * side, width]."""
    one = torch.cat(waves(torch.arange(side), width // 2), dim=1)
    columns = one[None].expand(side, side, -1)
    rows = one[:, None].expand(side, side, -1)
    return torch.cat([columns, rows], dim=-1).reshape(side * side, width)


class Layer(nn.Module):
    """Figure 3 of the paper, adaLN-Zero."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.modulation = nn.Linear(width, 6 * width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        six = self.modulation(F.silu(condition)).unflatten(1, (6, 1, -1)).unbind(1)
        b, n, d = x.shape
        read = F.layer_norm(x, (d,), eps=1e-6) * (1 + six[1]) + six[0]
        qkv = self.qkv(read).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = qkv[0] @ qkv[1].mT / math.sqrt(d // self.heads)
        mixed = (scores.softmax(-1) @ qkv[2]).transpose(1, 2).reshape(b, n, d)
        x = x + six[2] * self.proj(mixed)
        read = F.layer_norm(x, (d,), eps=1e-6) * (1 + six[4]) + six[3]
        out: Tensor = x + six[5] * self.fc2(F.gelu(self.fc1(read), approximate="tanh"))
        return out


class Denoiser(nn.Module):
    """Section 3.2 of the paper."""

    def __init__(
        self,
        side: int,
        channels: int,
        width: int,
        depth: int,
        heads: int,
        classes: int,
        times: int,
    ) -> None:
        super().__init__()
        self.times = times
        self.patches = nn.Conv2d(channels, width, 2, 2)
        self.time1 = nn.Linear(times, width)
        self.time2 = nn.Linear(width, width)
        self.classes = nn.Embedding(classes + 1, width)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(depth))
        self.modulation = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, 8 * channels)

    def forward(self, latent: Tensor, time: Tensor, label: Tensor) -> Tensor:
        x = self.patches(latent).flatten(2).mT
        x = x + grid(latent.shape[-1] // 2, x.shape[-1])
        sin, cos = waves(time, self.times)
        times = self.time1(torch.cat([cos, sin], dim=1))
        condition = self.time2(F.silu(times)) + self.classes(label)
        for layer in self.layers:
            x = layer(x, condition)
        shift, scale = self.modulation(F.silu(condition))[:, None].chunk(2, dim=-1)
        x = self.out(F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift)
        side, channels = latent.shape[-1] // 2, 2 * latent.shape[1]
        x = x.view(len(x), side, side, 2, 2, channels)
        return torch.einsum("nhwpqc->nchpwq", x).reshape(
            len(x), channels, 2 * side, 2 * side
        )


def test_dit() -> None:
    settings = {"size": 8, "channels": 2, "width": 12, "depth": 2, "heads": 3}
    ours = generated("dit")(**settings, classes=5, waves=6)
    theirs = Denoiser(8, 2, 12, 2, 3, 5, 6)
    latent = torch.randn(3, 2, 8, 8)
    time, label = torch.tensor([0, 17, 999]), torch.tensor([1, 5, 0])
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))

    def run(model: nn.Module) -> tuple[Tensor]:
        dtype = next(model.parameters()).dtype
        torch.set_default_dtype(dtype)
        found = model(latent.to(dtype), time, label)
        torch.set_default_dtype(torch.float32)
        return (found,)

    check_equal(
        ours, theirs, lambda given: {names[k]: t for k, t in given.items()}, run, run
    )


def test_counts() -> None:
    theirs = build_on_meta(Denoiser, 32, 4, 1152, 28, 16, 1000, 256)
    assert count(build_on_meta(generated("dit"))) == count(theirs)
