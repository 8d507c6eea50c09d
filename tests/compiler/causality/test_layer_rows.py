"""The size of what a step keeps, as a formula, for networks of each kind."""

from __future__ import annotations

import pytest

from compiler.causality.layer_rows import LayerFlow, layer_rows, state_size
from compiler.causality.prove import prove
from tests.programs import compiled

SIZES = {
    # 12 layers of keys and values of 768
    "gpt2": ("0", "18432 * B"),
    # 32 layers: 8 of 32 heads of 128, keys and values, of 4,096 places
    "mistral": ("268435456 * B", "0"),
    # 24 layers: 3 places and 16 states of 1,536 channels
    "mamba_130m": ("700416 * B", "0"),
    # hidden and cell of 2 layers of 650
    "rnn": ("2600 * B", "0"),
    # 6 layers of 8 heads of 64; and once those of the encoder
    "t5_small": ("6144 * B * S", "6144 * B"),
}


@pytest.mark.parametrize("spec", SIZES)
def test_size_of_the_state(spec: str) -> None:
    size = state_size(layer_rows(prove(compiled(spec).typed)))
    assert (str(size.fixed), str(size.per_position)) == SIZES[spec]


def test_what_carries_no_position_is_done_once() -> None:
    rows = {row.name: row for row in layer_rows(prove(compiled("t5_small").typed))}
    assert not any(one.carries for one in _all(rows["encoder"]))
    assert rows["decoder"].carries


def _all(row: LayerFlow) -> list[LayerFlow]:
    return [row, *(one for inner in row.inside for one in _all(inner))]
