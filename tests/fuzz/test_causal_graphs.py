"""The proof of causality holds against running random networks: never `causal` where an output moves."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fuzz.causal_graphs import causal_graph
from tests.fuzz.causal_judge import judge_causality, judge_seeds, judge_structure

WRONG = ("UNSOUND", "WRONG LAYER", "invalid")


@pytest.mark.parametrize("first", range(0, 60, 30))
def test_what_is_proved_never_moves(first: int) -> None:
    counts = judge_seeds(range(first, first + 30))
    assert not [key for key in counts if key in WRONG or key[0] in WRONG]


def test_nearly_all_that_never_moves_is_proved() -> None:
    counts = judge_seeds(range(1000, 1060), planted=False)
    refused = counts["refused, and never moves"]
    assert counts["causal"] >= 0.95 * (counts["causal"] + refused)


@pytest.mark.parametrize("seed", range(20))
def test_planted_layer_is_named(seed: int) -> None:
    graph = causal_graph(seed, planted=True)
    found = judge_causality(graph)
    assert found.verdict.startswith("refused")
    assert found.about.startswith(f"{graph.leak}:")


@pytest.mark.parametrize("first", range(0, 60, 30))
def test_blocks_repeats_and_scans(first: int) -> None:
    found = [judge_structure(seed) for seed in range(first, first + 30)]
    verdicts = Counter(one.verdict for one in found)
    assert not verdicts["UNSOUND"]
    assert verdicts["causal"] > 10
