import math

import pytest
import torch

from runtime.tasks import translation_baselines
from runtime.tasks.translation_baselines import (
    learn_dictionary,
    translate_words,
    unigram_loss,
)

PAIRS = [
    ("the house", "la casa"),
    ("the book", "el libro"),
    ("a book", "un libro"),
    ("a house", "una casa"),
]


def test_the_dictionary_finds_which_word_comes_of_which() -> None:
    found = learn_dictionary(PAIRS)
    assert found["house"] == "casa"
    assert found["book"] == "libro"
    assert found.keys() == {"the", "a", "house", "book"}


def expected(pairs: list[tuple[str, str]], rounds: int) -> dict[str, dict[str, float]]:
    """IBM model 1 as its textbook pseudocode has it (Koehn, 2009, figure 4.3)."""
    words = {f for _, b in pairs for f in b.split()}
    every = {e for a, _ in pairs for e in a.split()} | {""}
    chance = {e: dict.fromkeys(words, 1.0) for e in every}
    for _ in range(rounds):
        count = {e: dict.fromkeys(words, 0.0) for e in every}
        for a, b in pairs:
            sources = ["", *a.split()]
            for f in b.split():
                total = sum(chance[e][f] for e in sources)
                for e in sources:
                    count[e][f] += chance[e][f] / total
        chance = {
            e: {f: n / sum(row.values()) for f, n in row.items()}
            for e, row in count.items()
        }
    return chance


def test_the_dictionary_is_that_of_model_1_by_hand() -> None:
    pairs = [*PAIRS, ("the old house", "la casa vieja"), ("old", "vieja")]
    chance = expected(pairs, 5)
    best = {e: max(row, key=lambda f: row[f]) for e, row in chance.items() if e}
    assert learn_dictionary(pairs) == best


def test_words_in_no_dictionary_are_copied_and_marks_close_up() -> None:
    words = {"house": "casa", "the": "la"}
    assert translate_words("the house, Deborah.", words) == "la casa, Deborah."
    assert translate_words("", words) == ""


def test_a_dictionary_of_many_pairs_uses_a_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(translation_baselines, "_MAX_LINKS", 12)
    assert learn_dictionary(PAIRS).keys() < {"the", "a", "house", "book"}


def test_a_dictionary_of_no_pairs_is_empty() -> None:
    assert learn_dictionary([]) == {}
    assert learn_dictionary([("a", "")]) == {}


def test_the_unigram_loss_is_the_cross_entropy_of_frequencies() -> None:
    train = [torch.tensor([0, 0, 1]), torch.tensor([0])]
    held_out = [torch.tensor([0, 1, 2])]
    shares = [4 / 7, 2 / 7, 1 / 7]
    expected = -sum(map(math.log, shares)) / 3
    assert unigram_loss(train, held_out, 3) == pytest.approx(expected)
