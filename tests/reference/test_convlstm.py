"""ConvLSTM against its formulas, written once more with torch alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tests.reference.equality import check_equal, count, generated


class Cell(nn.Module):
    """Equation 3 of the paper."""

    def __init__(self, before: int, width: int, size: int, kernel: int) -> None:
        super().__init__()
        self.width = width
        self.gates = nn.Conv2d(before + width, 4 * width, kernel, padding=kernel // 2)
        zeros = (torch.zeros(width, size, size) for _ in range(3))
        self.peepholes = nn.ParameterList(zeros)

    def forward(self, video: Tensor) -> Tensor:
        b, steps, _, *size = video.shape
        h = c = video.new_zeros(b, self.width, *size)
        states = []
        for t in range(steps):
            i, f, g, o = self.gates(torch.cat([video[:, t], h], 1)).chunk(4, 1)
            i = torch.sigmoid(i + self.peepholes[0] * c)
            f = torch.sigmoid(f + self.peepholes[1] * c)
            c = f * c + i * torch.tanh(g)
            h = torch.sigmoid(o + self.peepholes[2] * c) * torch.tanh(c)
            states.append(h)
        return torch.stack(states, 1)


class Network(nn.Module):
    """Cells over one another, whose states are read together."""

    def __init__(
        self, channels: int, size: int, widths: tuple[int, ...], kernel: int
    ) -> None:
        super().__init__()
        ins = (channels, *widths)
        self.cells = nn.ModuleList(
            Cell(before, width, size, kernel)
            for before, width in zip(ins, widths, strict=False)
        )
        self.predict = nn.Conv2d(sum(widths), channels, 1)

    def forward(self, video: Tensor) -> Tensor:
        states, x = [], video
        for cell in self.cells:
            x = cell(x)
            states.append(x)
        joined = torch.cat(states, 2)
        return torch.stack([self.predict(one) for one in joined.unbind(1)], 1)


def test_convlstm() -> None:
    ours = generated("convlstm")(channels=2, size=6, widths=(4, 3, 5), kernel_size=3)
    theirs, video = Network(2, 6, (4, 3, 5), 3), torch.randn(2, 4, 2, 6, 6)
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))

    def run(model: nn.Module) -> tuple[Tensor]:
        return (model(video.to(next(model.parameters()).dtype)),)

    check_equal(
        ours, theirs, lambda given: {names[k]: t for k, t in given.items()}, run, run
    )


def test_counts() -> None:
    assert count(generated("convlstm")()) == count(Network(16, 16, (128, 64, 64), 5))
