"""The table against a lookup of each pair of places."""

from __future__ import annotations

import torch

from compiler.library.window_position_bias import WindowPositionBias


def test_each_way_has_its_own_number() -> None:
    height, width = 2, 3
    bias = WindowPositionBias(4, height, width)
    torch.nn.init.normal_(bias.weight)
    table = bias.weight.unflatten(0, (2 * height - 1, 2 * width - 1))
    found = bias()
    assert found.shape == (4, 6, 6)
    for query in range(6):
        for key in range(6):
            down = query // width - key // width
            right = query % width - key % width
            wanted = table[down + height - 1, right + width - 1]
            assert torch.equal(found[:, query, key], wanted)


def test_the_index_is_not_saved() -> None:
    assert list(WindowPositionBias(2, 3, 3).state_dict()) == ["weight"]
