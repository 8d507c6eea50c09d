"""A scan against the loop it stands for, then compiled, exported and differentiated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, export
from torch.nn import functional as F

from compiler.library.scan import scan

# torch hides this one from users, by a way that does not hide it from pytest
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")

SIZES = [(2, 5), (3, 9), (1, 4), (1, 1), (2, 1)]


def test_carries_the_state_and_stacks_the_rows() -> None:
    x = torch.arange(6.0).view(1, 6)
    total, sums = scan(lambda x, s: (s + x, s + x), (x,), (torch.zeros(1),))
    assert torch.equal(sums, x.cumsum(1))
    assert torch.equal(total, sums[:, -1])


def test_backwards_keeps_the_order_of_the_rows() -> None:
    x = torch.arange(6.0).view(1, 6)
    total, sums = scan(
        lambda x, s: (s + x, s + x), (x,), (torch.zeros(1),), reverse=True
    )
    assert torch.equal(sums, x.flip(1).cumsum(1).flip(1))
    assert torch.equal(total, sums[:, 0])


def test_a_step_may_return_one_tensor() -> None:
    x, h = torch.randn(2, 4, 3), torch.zeros(2, 5)
    cell = nn.GRUCell(3, 5)
    (last,) = scan(cell, (x,), (h,))
    for now in x.unbind(1):
        h = cell(now, h)
    assert torch.equal(last, h)
    (rows,) = scan(torch.neg, (x,), ())
    assert torch.equal(rows, -x)


def test_each_x_has_its_own_axis_and_rows_stack_along_the_first() -> None:
    x, gate = torch.randn(2, 3, 4), torch.randn(4)
    products, means = scan(lambda x, g: (x * g, x.mean()), (x, gate), (), dim=(2, 0))
    assert torch.equal(products, x * gate)
    assert torch.allclose(means, x.mean((0, 1)))


def test_shared_tensors_go_in_whole() -> None:
    def step(x: Tensor, memory: Tensor, mask: Tensor | None) -> Tensor:
        return x @ memory if mask is None else x

    x, memory = torch.randn(2, 5, 3), torch.randn(3, 4)
    (rows,) = scan(step, (x,), (), (memory, None))
    assert torch.allclose(rows, x @ memory, atol=1e-6)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        scan(torch.add, (torch.ones(2, 4), torch.ones(2, 3)), ())


class Attend(nn.Module):
    """A cell that reads a memory of its own length."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(3, 6)
        self.out = nn.Linear(6, 2)

    def forward(
        self, x: Tensor, h: Tensor, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor]:
        seen = F.scaled_dot_product_attention(h.unsqueeze(1), keys, values)
        h = self.cell(x, h + seen.squeeze(1))
        return h, self.out(h)


class Decoder(nn.Module):
    """A module as the step, views of one tensor as what is shared."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.Linear(3, 12)
        self.step = Attend()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        keys, values = self.memory(x).chunk(2, dim=-1)
        h = torch.zeros(x.shape[0], 6, device=x.device)
        return scan(
            self.step,
            (x,),
            (h,),
            (
                keys,
                values,
            ),
            reverse=True,
        )


class Feedback(nn.Module):
    """Integers carried and given: the likeliest class is the next step's input."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 3)
        self.out = nn.Linear(6, 7)

    def guess(self, x: Tensor, token: Tensor, known: Tensor) -> tuple[Tensor, ...]:
        logits = self.out(torch.cat([x, self.embed(token)], dim=-1))
        token = logits.argmax(-1)
        return token, known | (token == 3), token, logits.amax()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        token = torch.zeros(x.shape[0], dtype=torch.long)
        return scan(self.guess, (x,), (token, token.bool()))


class Nested(nn.Module):
    """A scan whose step scans: both lengths are dynamic."""

    def inner(self, row: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        return scan(lambda x, h: (h + x, h * x), (row,), (h,))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        pairs = x.mean(-1)[:, :, None] * x.mean(-1)[:, None, :]
        return scan(self.inner, (pairs,), (x[:, 0, 0],))


class Places(nn.Module):
    """Different axes, a None, no state, and rows of no dimensions."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        places = torch.arange(x.shape[1])
        return scan(self.row, (x.movedim(1, 2), places), (), (None,), dim=(2, 0))

    def row(self, x: Tensor, place: Tensor, mask: Tensor | None) -> tuple[Tensor, ...]:
        return x + place if mask is None else x, place * 2


MODULES = [Decoder, Feedback, Nested, Places]


@pytest.mark.parametrize(
    ("module", "strict"),
    [
        (Decoder, False),
        (Decoder, True),
        (Feedback, True),
        (Nested, False),
        (Places, True),
    ],
)
def test_exports_with_any_length(module: Callable[[], Any], strict: bool) -> None:
    model = module().eval()
    program = export(
        model,
        (torch.randn(3, 7, 3),),
        dynamic_shapes=({0: Dim("B"), 1: Dim("T")},),
        strict=strict,
    ).module()
    for batch, length in SIZES:
        x = torch.randn(batch, length, 3)
        torch.testing.assert_close(program(x), model(x))


def test_an_exported_scan_has_the_gradients_of_the_loop() -> None:
    model = Decoder()
    shapes = ({0: Dim("B"), 1: Dim("T")},)
    program = export(model, (torch.randn(3, 7, 3),), dynamic_shapes=shapes).module()
    for length in (1, 6):
        x = torch.randn(2, length, 3, requires_grad=True)
        gradients = []
        for run in (model, program):
            loss = sum(result.square().sum() for result in run(x))
            gradients.append(torch.autograd.grad(loss, [x, *run.parameters()]))
        torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("module", MODULES)
def test_compiles_to_one_graph(module: Callable[[], Any]) -> None:
    model = module()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    for length in (4, 6):
        x = torch.randn(2, length, 3)
        torch.testing.assert_close(compiled(x), model(x))
