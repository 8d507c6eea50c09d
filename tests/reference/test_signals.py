"""Convolutions over time, against their formulas, written once more with torch alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated, renamed

Tensors = Mapping[str, Tensor]


class TemporalBlock(nn.Module):
    """As in the paper's figure 1(b): pad on both sides, and cut off what sees the future."""

    def __init__(self, before: int, after: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.cut = dilation * (kernel - 1)
        options = {"padding": self.cut, "dilation": dilation}
        self.conv1 = weight_norm(nn.Conv1d(before, after, kernel, **options))  # type: ignore[arg-type]
        self.conv2 = weight_norm(nn.Conv1d(after, after, kernel, **options))  # type: ignore[arg-type]
        self.downsample = nn.Conv1d(before, after, 1) if before != after else None

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv1(x)[..., : -self.cut])
        y = F.relu(self.conv2(y)[..., : -self.cut])
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class TCN(nn.Module):
    """An embedding, blocks of doubling dilation, and the embedding again."""

    def __init__(self, vocab: int, width: int, widths: list[int], kernel: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        before = [width, *widths[:-1]]
        self.blocks = nn.Sequential(
            *(
                TemporalBlock(*sizes, kernel, 2**k)
                for k, sizes in enumerate(zip(before, widths, strict=True))
            )
        )
        self.head = nn.Linear(width, vocab)
        self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        states = self.blocks(self.embed(tokens).transpose(1, 2))
        logits: Tensor = self.head(states.transpose(1, 2))
        return logits


def _tcn_names(tensors: Tensors) -> dict[str, Tensor]:
    rules = {r"(blocks\.\d+\.conv\d)\.(.*)": r"\1.conv.\2", r"(.*)": r"\1"}
    return {renamed(name, rules): tensor for name, tensor in tensors.items()}


def test_tcn() -> None:
    tokens = torch.randint(23, (3, 11))
    check_equal(
        generated("tcn")(
            vocab=23, embedding=6, width=8, dilations=(1, 2, 4), dropout=0.0
        ),
        TCN(23, 6, [8, 8, 6], 3),
        _tcn_names,
        lambda model: (model(tokens),),
        lambda model: (model(tokens),),
    )


def test_tcn_counts() -> None:
    theirs = build_on_meta(TCN, 50, 100, [450, 450, 100], 3)
    assert count(build_on_meta(generated("tcn"))) == count(theirs) == 2_222_100


class WaveNet(nn.Module):
    """Equation 2 of the paper, with the skip connections of its figure 4."""

    def __init__(
        self, levels: int, channels: int, skip: int, dilations: list[int]
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(levels, channels)
        self.first = nn.Conv1d(channels, channels, 2)
        self.dilations = dilations
        self.filters = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels, 2, dilation=d) for d in dilations
        )
        self.to_skip = nn.ModuleList(nn.Conv1d(channels, skip, 1) for _ in dilations)
        self.project = nn.ModuleList(
            nn.Conv1d(channels, channels, 1) for _ in dilations[1:]
        )
        self.hidden = nn.Conv1d(skip, skip, 1)
        self.head = nn.Conv1d(skip, levels, 1)

    def forward(self, samples: Tensor) -> Tensor:
        x = self.first(F.pad(self.embed(samples).transpose(1, 2), (1, 0)))
        skips = []
        for k, dilation in enumerate(self.dilations):
            both = self.filters[k](F.pad(x, (dilation, 0)))
            content, gate = both.split(x.shape[1], 1)
            gated = torch.tanh(content) * torch.sigmoid(gate)
            skips.append(self.to_skip[k](gated))
            x = x + self.project[k](gated) if k < len(self.project) else x
        hidden = F.relu(self.hidden(F.relu(torch.stack(skips).sum(0))))
        logits: Tensor = self.head(hidden).transpose(1, 2)
        return logits


WAVENET = {
    r"first\.(\w+)": r"first.conv.\1",
    r"filters\.(\d+)\.(\w+)": r"layers.\1.dilated.conv.\2",
    r"(to_skip|project)\.(\d+)\.(\w+)": r"layers.\2.\1.\3",
    r"(.*)": r"\1",
}


def test_wavenet() -> None:
    samples = torch.randint(16, (2, 19))
    check_equal(
        generated("wavenet")(
            levels=16, channels=4, skip=6, dilations=(1, 2, 4), stacks=2
        ),
        WaveNet(16, 4, 6, [1, 2, 4, 1, 2, 4]),
        lambda tensors: {renamed(n, WAVENET): t for n, t in tensors.items()},
        lambda model: (model(samples),),
        lambda model: (model(samples),),
    )


def test_wavenet_counts() -> None:
    theirs = build_on_meta(WaveNet, 256, 32, 512, [2**k for k in range(10)] * 3)
    assert count(build_on_meta(generated("wavenet"))) == count(theirs) == 1_066_560
