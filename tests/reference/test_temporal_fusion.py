"""The Temporal Fusion Transformer against its paper's equations, one variable, head and position after the other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated

SMALL: dict[str, Any] = {
    "statics": 2,
    "observed": 4,
    "known": 3,
    "width": 8,
    "heads": 2,
    "quantiles": 3,
}


class Gate(nn.Module):
    """LayerNorm(skip + GLU(x)), of equations 2 and 5."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 2 * out)
        self.norm = nn.LayerNorm(out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        value, gate = self.linear(x).chunk(2, dim=-1)
        normed: Tensor = self.norm(skip + torch.sigmoid(gate) * value)
        return normed


class GRN(nn.Module):
    """Equations 2 to 4, with a context or without one."""

    def __init__(self, given: int, width: int, out: int, context: int = 0) -> None:
        super().__init__()
        self.first = nn.Linear(given, width)
        if context:
            self.from_context = nn.Linear(context, width, bias=False)
        self.second = nn.Linear(width, width)
        if given != out:
            self.skip = nn.Linear(given, out)
        self.out = Gate(width, out)

    def forward(self, a: Tensor, c: Tensor | None = None) -> Tensor:
        hidden = self.first(a) + (0 if c is None else self.from_context(c))
        skip = self.skip(a) if hasattr(self, "skip") else a
        normed: Tensor = self.out(self.second(F.elu(hidden)), skip)
        return normed


class Selection(nn.Module):
    """Equations 6 to 8, of one position."""

    def __init__(self, variables: int, width: int, context: int = 0) -> None:
        super().__init__()
        self.embedded = nn.ModuleList(
            nn.ModuleDict({"linear": nn.Linear(1, width)}) for _ in range(variables)
        )
        self.scores = GRN(variables * width, width, variables, context)
        self.processed = nn.ModuleList(
            GRN(width, width, width) for _ in range(variables)
        )

    def forward(self, values: Tensor, context: Tensor | None = None) -> Tensor:
        vectors = [
            one["linear"](values[:, k : k + 1])  # type: ignore[operator, index]
            for k, one in enumerate(self.embedded)
        ]
        weights = self.scores(torch.cat(vectors, 1), context).softmax(1)
        chosen = torch.zeros_like(vectors[0])
        for k, (one, vector) in enumerate(zip(self.processed, vectors, strict=True)):
            chosen = chosen + weights[:, k : k + 1] * one(vector)
        return chosen


class Attention(nn.Module):
    """Equations 13 to 16: each head has its queries and keys, all have the same values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width // heads)
        self.out = nn.Linear(width // heads, width, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        queries = self.query(x).chunk(self.heads, dim=-1)
        keys = self.key(x).chunk(self.heads, dim=-1)
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        weights = []
        for q, k in zip(queries, keys, strict=True):
            scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
            weights.append(scores.masked_fill(later, -torch.inf).softmax(-1))
        means = [one @ self.value(x) for one in weights]
        mean = torch.stack(means).mean(0)
        return self.out(mean), torch.stack(weights).mean(0)


class TFT(nn.Module):
    """Figure 2 of the paper."""

    def __init__(
        self,
        statics: int,
        observed: int,
        known: int,
        width: int,
        heads: int,
        quantiles: int,
    ) -> None:
        super().__init__()
        self.static_selection = Selection(statics, width)
        self.selection_context = GRN(width, width, width)
        self.enrichment_context = GRN(width, width, width)
        self.hidden_context = GRN(width, width, width)
        self.cell_context = GRN(width, width, width)
        self.past_selection = Selection(observed, width, width)
        self.future_selection = Selection(known, width, width)
        self.encoder = nn.LSTM(width, width, batch_first=True)
        self.decoder = nn.LSTM(width, width, batch_first=True)
        self.temporal = Gate(width, width)
        self.enriched = GRN(width, width, width, width)
        self.attention = Attention(width, heads)
        self.attended = Gate(width, width)
        self.position_wise = GRN(width, width, width)
        self.transformed = Gate(width, width)
        self.head = nn.Linear(width, quantiles)

    def forward(
        self, static: Tensor, past: Tensor, future: Tensor
    ) -> tuple[Tensor, Tensor]:
        chosen = self.static_selection(static)
        context = self.selection_context(chosen)
        before = [self.past_selection(x, context) for x in past.unbind(1)]
        after = [self.future_selection(x, context) for x in future.unbind(1)]
        start = self.hidden_context(chosen)[None], self.cell_context(chosen)[None]
        first, state = self.encoder(torch.stack(before, 1), start)
        second, _ = self.decoder(torch.stack(after, 1), state)
        local = torch.cat([first, second], 1)
        temporal = self.temporal(local, torch.stack(before + after, 1))
        enrichment = self.enrichment_context(chosen)
        steps = [self.enriched(x, enrichment) for x in temporal.unbind(1)]
        enriched = torch.stack(steps, 1)
        found, weights = self.attention(enriched)
        attended = self.attended(found, enriched)
        transformed = self.transformed(self.position_wise(attended), temporal)
        return self.head(transformed[:, len(before) :]), weights


def test_temporal_fusion_transformer() -> None:
    shapes = [(3, 2), (3, 6, 4), (3, 5, 3)]
    given = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    check_equal(
        generated("tft")(**SMALL, dropout=0.0),
        TFT(**SMALL),
        dict,
        lambda model: model(*(x.to(model.head.weight) for x in given)),
        lambda model: model(*(x.to(model.head.weight) for x in given)),
    )


def test_parameters_of_the_default_size() -> None:
    theirs = TFT(2, 5, 3, 160, 4, 3)
    assert count(build_on_meta(generated("tft"))) == count(theirs)
