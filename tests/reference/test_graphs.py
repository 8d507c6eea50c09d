"""Networks of graphs against their papers' formulas, with dense matrices of neighbours."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated

FEATURES, NODES = 6, 7
# Both directions of each edge; node 6 has no neighbour but itself.
PAIRS = torch.tensor([[0, 1], [0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]])
EDGES = torch.cat([PAIRS, PAIRS.flip(1)]).T


def _neighbours() -> Tensor:
    """True at [i, j] where j sends to i, and on the diagonal."""
    found = torch.eye(NODES, dtype=torch.bool)
    found[EDGES[1], EDGES[0]] = True
    return found


class GCN(nn.Module):
    """Kipf and Welling, equation 9, before the softmax."""

    def __init__(self, hidden: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.ModuleDict({"linear": nn.Linear(FEATURES, hidden, bias=False)})
        self.conv2 = nn.ModuleDict({"linear": nn.Linear(hidden, classes, bias=False)})

    def forward(self, x: Tensor) -> Tensor:
        adjacency = _neighbours().to(x)
        root = adjacency.sum(1).rsqrt()
        normed = root[:, None] * adjacency * root
        hidden = torch.relu(normed @ self.conv1["linear"](x))
        logits: Tensor = normed @ self.conv2["linear"](hidden)
        return logits


class Attention(nn.Module):
    """Veličković et al., equations 1 to 4; the vector a is that of both ends."""

    def __init__(self, before: int, width: int, heads: int) -> None:
        super().__init__()
        self.linear = nn.Linear(before, heads * width, bias=False)
        self.score_source = nn.Parameter(torch.empty(heads, width))
        self.score_target = nn.Parameter(torch.empty(heads, width))
        self.bias = nn.Parameter(torch.empty(heads, width))

    def forward(self, x: Tensor) -> Tensor:
        heads = []
        parts = self.linear(x).chunk(len(self.bias), dim=1)
        for k, h in enumerate(parts):
            a = torch.cat([self.score_target[k], self.score_source[k]])
            ends = [h[:, None].expand(-1, NODES, -1), h[None].expand(NODES, -1, -1)]
            scores = F.leaky_relu(torch.cat(ends, dim=-1) @ a, 0.2)
            weights = scores.masked_fill(~_neighbours(), -torch.inf).softmax(1)
            heads.append(weights @ h + self.bias[k])
        return torch.stack(heads, 1)


class GAT(nn.Module):
    """Heads side by side in the first layer, and their mean in the second."""

    def __init__(self, width: int, heads: int, classes: int) -> None:
        super().__init__()
        self.conv1 = Attention(FEATURES, width, heads)
        self.conv2 = Attention(heads * width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(F.elu(self.conv1(x).flatten(1))).mean(1)


def test_gcn() -> None:
    x = torch.randn(NODES, FEATURES, dtype=torch.float64)
    check_equal(
        generated("gcn")(features=FEATURES, hidden=5, classes=3, dropout=0.0),
        GCN(5, 3),
        dict,
        lambda model: (model(x.to(model.conv1.linear.weight), EDGES),),
        lambda model: (model(x.to(model.conv1.linear.weight)),),
    )


def test_gat() -> None:
    x = torch.randn(NODES, FEATURES, dtype=torch.float64)
    sizes = {"features": FEATURES, "width": 4, "heads": 2, "classes": 3}
    check_equal(
        generated("gat")(**sizes, dropout=0.0),
        GAT(4, 2, 3),
        dict,
        lambda model: (model(x.to(model.conv1.bias), EDGES),),
        lambda model: (model(x.to(model.conv1.bias)),),
    )


def test_a_graph_without_edges() -> None:
    """Every node is its own and only neighbour."""
    x, none = torch.randn(NODES, FEATURES), torch.empty(2, 0, dtype=torch.long)
    gcn = generated("gcn")(features=FEATURES).eval()
    alone = gcn.conv2.linear(torch.relu(gcn.conv1.linear(x)))
    torch.testing.assert_close(gcn(x, none), alone)
    gat = generated("gat")(features=FEATURES).eval()
    hidden = F.elu(gat.conv1.linear(x) + gat.conv1.bias.flatten())
    torch.testing.assert_close(gat(x, none), gat.conv2.linear(hidden) + gat.conv2.bias)


def test_sizes_on_cora() -> None:
    """Of the papers: 1,433 words to 16 or to 8 times 8, and 7 classes."""
    assert count(build_on_meta(generated("gcn"))) == 1433 * 16 + 16 * 7
    layers = [1433 * 64 + 3 * 64, 64 * 7 + 3 * 7]
    assert count(build_on_meta(generated("gat"))) == sum(layers)
