"""DDPM's U-Net against its formulas, written once more with torch alone, as a stack of what goes down."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated


class Attention(nn.Module):
    """Each pixel attends to all others, by 1 x 1 convolutions."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, eps=1e-6)
        for name in ("query", "key", "value", "proj"):
            self.add_module(name, nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        pixels = self.norm(x).view(b, c, h * w).mT
        q, k, v = (getattr(self, name)(pixels) for name in ("query", "key", "value"))
        mixed = (q @ k.mT * c**-0.5).softmax(-1) @ v
        proj: nn.Linear = self.get_submodule("proj")  # type: ignore[assignment]
        return x + proj(mixed).mT.reshape(b, c, h, w)


class Residual(nn.Module):
    """Two convolutions with the time between them; a shortcut, and attention at one resolution."""

    def __init__(
        self, wide: int, width: int, time: int, attend: bool, groups: int
    ) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, wide, eps=1e-6)
        self.conv1 = nn.Conv2d(wide, width, 3, padding=1)
        self.proj = nn.Linear(time, width)
        self.norm2 = nn.GroupNorm(groups, width, eps=1e-6)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(wide, width, 1) if wide != width else nn.Identity()
        self.attention = Attention(width, groups) if attend else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.proj(F.silu(time))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        found: Tensor = self.attention(self.shortcut(x) + h)
        return found


class Denoiser(nn.Module):
    """Appendix B of the paper, and its code."""

    def __init__(
        self, channels: int, width: int, factors: list[int], blocks: int, groups: int
    ) -> None:
        super().__init__()
        self.width, self.blocks = width, blocks
        widths, times = [width * one for one in factors], 4 * width

        def residual(wide: int, level: int) -> Residual:
            return Residual(wide, widths[level], times, level == 1, groups)

        self.fc1, self.fc2 = nn.Linear(width, times), nn.Linear(times, times)
        self.conv_in = nn.Conv2d(channels, width, 3, padding=1)
        stack, at = [width], width
        self.down, self.narrow = nn.ModuleList(), nn.ModuleList()
        for level, own in enumerate(widths):
            self.down.append(nn.ModuleList())
            for _ in range(blocks):
                self.down[level].append(residual(at, level))  # type: ignore[operator]
                at = own
                stack.append(at)
            if level < len(widths) - 1:
                self.narrow.append(nn.Conv2d(at, at, 3, stride=2))
                stack.append(at)
        self.middle = nn.ModuleList(
            Residual(at, at, times, attend, groups) for attend in (True, False)
        )
        self.up, self.widen = nn.ModuleList(), nn.ModuleList()
        for level in reversed(range(len(widths))):
            self.up.append(nn.ModuleList())
            for _ in range(blocks + 1):
                one = residual(at + stack.pop(), level)
                self.up[-1].append(one)  # type: ignore[operator]
                at = widths[level]
            if level:
                self.widen.append(nn.Conv2d(at, at, 3, padding=1))
        self.norm = nn.GroupNorm(groups, at, eps=1e-6)
        self.conv_out = nn.Conv2d(at, channels, 3, padding=1)

    def forward(self, image: Tensor, time: Tensor) -> Tensor:
        half = self.width // 2
        angles = time[:, None] * 10000.0 ** (-torch.arange(half) / (half - 1))
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)
        times = self.fc2(F.silu(self.fc1(waves)))
        stack = [self.conv_in(image)]
        for level, blocks in enumerate(self.down):
            for block in blocks:  # type: ignore[union-attr]
                stack.append(block(stack[-1], times))
            if level < len(self.narrow):
                stack.append(self.narrow[level](F.pad(stack[-1], (0, 1, 0, 1))))
        h = stack[-1]
        for block in self.middle:
            h = block(h, times)
        for level, blocks in enumerate(self.up):
            for block in blocks:  # type: ignore[union-attr]
                h = block(torch.cat([h, stack.pop()], dim=1), times)
            if level < len(self.widen):
                h = self.widen[level](h.repeat_interleave(2, 2).repeat_interleave(2, 3))
        noise: Tensor = self.conv_out(F.silu(self.norm(h)))
        return noise


def _ours(name: str, levels: int, blocks: int) -> str:
    """The name of a tensor in the spec, where the coarser levels are inside of the finer ones."""
    kind, *rest = name.split(".")
    within = ["body", *[f"body{'.coarser.level' * n}" for n in range(1, levels)]]
    if kind in ("fc1", "fc2"):
        return f"time_embedding.{name}"
    if kind == "middle":
        part = ("first", "second")[int(rest[0])]
        return ".".join([within[-1], "middle", part, *rest[1:]])
    if kind == "narrow":
        return ".".join([within[int(rest[0])], "coarser.narrow", *rest[1:]])
    if kind == "widen":
        return ".".join([within[levels - 2 - int(rest[0])], "coarser.conv", *rest[1:]])
    if kind == "down":
        return ".".join([within[int(rest[0])], "down", *rest[1:]])
    if kind == "up":
        part = "out" if int(rest[1]) == blocks else f"up.{rest[1]}"
        return ".".join([within[levels - 1 - int(rest[0])], part, "block", *rest[2:]])
    return name


def test_ddpm() -> None:
    ours = generated("ddpm")(
        channels=2, width=8, factors=(1, 2, 2, 3), blocks=2, groups=4, dropout=0.0
    )
    theirs = Denoiser(2, 8, [1, 2, 2, 3], 2, 4)
    image, time = torch.randn(3, 2, 16, 24), torch.tensor([0, 5, 31])

    def run(model: nn.Module) -> tuple[Tensor]:
        dtype = next(model.parameters()).dtype
        torch.set_default_dtype(dtype)
        found = model(image.to(dtype), time)
        torch.set_default_dtype(torch.float32)
        return (found,)

    check_equal(
        ours,
        theirs,
        lambda given: {_ours(name, 4, 2): tensor for name, tensor in given.items()},
        run,
        run,
    )


def test_counts() -> None:
    """35.7 million, as the paper says of CIFAR-10."""
    theirs = build_on_meta(Denoiser, 3, 128, [1, 2, 2, 2], 2, 32)
    assert count(build_on_meta(generated("ddpm"))) == count(theirs)
