"""DLRM against its formulas, written once more with torch alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated


def mlp(widths: Sequence[int]) -> list[nn.Module]:
    """Linear maps, each with a ReLU after it."""
    return [one for a, b in pairwise(widths) for one in (nn.Linear(a, b), nn.ReLU())]


class Recommender(nn.Module):
    """Figure 1 of the paper, with the pairs of its code: those below the diagonal, row by row."""

    def __init__(
        self,
        numbers: int,
        rows: Sequence[int],
        width: int,
        below: Sequence[int],
        above: Sequence[int],
    ) -> None:
        super().__init__()
        self.bottom = nn.Sequential(*mlp([numbers, *below, width]))
        self.tables = nn.ModuleList(nn.Embedding(n, width) for n in rows)
        pairs = (len(rows) + 1) * len(rows) // 2
        self.top = nn.Sequential(*mlp([width + pairs, *above]), nn.Linear(above[-1], 1))

    def forward(self, dense: Tensor, categories: Tensor) -> Tensor:
        x = self.bottom(dense)
        vectors = [x]
        for table, column in zip(self.tables, categories.unbind(1), strict=True):
            assert isinstance(table, nn.Embedding)
            vectors.append(table(column % table.num_embeddings))
        pairs = [
            (vectors[i] * vectors[j]).sum(1)
            for i in range(len(vectors))
            for j in range(i)
        ]
        click: Tensor = self.top(torch.cat([x, torch.stack(pairs, 1)], dim=1))
        return click


def _ours(given: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors by the names of the spec, where all tables are one."""
    tables = [tensor for name, tensor in given.items() if name.startswith("tables")]
    found = {names[name]: tensor for name, tensor in given.items() if name in names}
    return {**found, "vectors.weight": torch.cat(tables)} if tables else found


def test_dlrm() -> None:
    ours = generated("dlrm")(numbers=4, tables=3, rows=5, below=(8, 7, 6), above=(9, 5))
    theirs = Recommender(4, [5, 5, 5], 6, [8, 7], [9, 5])
    dense, categories = torch.randn(7, 4), torch.randint(50, (7, 3))
    plain = [name for name in theirs.state_dict() if not name.startswith("tables")]
    own = [name for name in ours.state_dict() if name != "vectors.weight"]
    names = dict(zip(plain, own, strict=True))

    def run(model: nn.Module) -> tuple[Tensor]:
        return (model(dense.to(next(model.parameters()).dtype), categories),)

    check_equal(ours, theirs, lambda given: _ours(given, names), run, run)


def test_counts() -> None:
    """Eight tables of a million rows, as its authors measure it."""
    rows, above = [1_000_000] * 8, [1024, 1024, 1024]
    theirs = build_on_meta(Recommender, 512, rows, 64, [512], above)
    assert count(build_on_meta(generated("dlrm"))) == count(theirs)
