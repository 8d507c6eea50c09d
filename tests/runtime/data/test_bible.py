import math
import random
from collections import Counter
from functools import cache
from hashlib import sha256

import torch

from compiler.tasks.data.kjv import CHARACTERS
from runtime.data.bible import HELD_OUT, verses
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import TextPairs
from runtime.data.running_text import TokenWindows
from runtime.data.tokenizer import BOS, EOS, PAD, Tokenizer
from tests.runtime.data.section import read


def test_verses() -> None:
    found = verses()
    assert len(found) == 31_084
    assert found[0].english.startswith("In the beginning God created")
    assert found[0].spanish.startswith("EN el principio crió Dios")
    assert sum(not verse.parallel for verse in found) == 27


def test_texts_are_those_of_the_results() -> None:
    """Results that are written down hold for these bytes alone."""
    texts = [
        "".join(f"{getattr(verse, side)}\n" for verse in verses())
        for side in ("english", "spanish")
    ]
    assert [sha256(text.encode()).hexdigest() for text in texts] == [
        "61972e05970c2ca92c0a1e69c310cfba7eaae54de190603b0b320e2679f93761",
        "828934bf9a75608cf718e6e12b3a0041ab77ccaab9e7e72a577adf0c406e0169",
    ]


def test_held_out_books_exist() -> None:
    counts = Counter(verse.book for verse in verses())
    assert counts.keys() >= HELD_OUT
    assert sum(counts[book] for book in HELD_OUT) == 3_204


def test_testaments_begin_and_end_where_they_do() -> None:
    new = dict.fromkeys(verse.book for verse in verses() if verse.new)
    old = dict.fromkeys(verse.book for verse in verses() if not verse.new)
    assert len(old) == 39 and len(new) == 27 and not old.keys() & new.keys()


@cache
def kjv() -> DataSplits:
    return read("{kjv: {length: 64}}")


def test_kjv_windows_predict_every_token_once() -> None:
    data = kjv()
    tokenizer = Tokenizer.from_json(data.metadata["tokenizer"])
    batch = data.train.__getitems__([0, 1, 2])
    text = [tokenizer.decode(row) for row in batch["tokens"].tolist()]
    whole = "\n".join(verse.english for verse in verses()[:20])
    assert text == [whole[0:65], whole[64:129], whole[128:193]]
    assert data.metadata["characters_per_token"] == 1.0
    assert data.facts.vocab == tokenizer.size == CHARACTERS


def test_kjv_holds_out_whole_books() -> None:
    data = kjv()
    tokenizer = Tokenizer.from_json(data.metadata["tokenizer"])
    first = data.held_out.__getitems__([0])["tokens"][0]
    assert tokenizer.decode(first.tolist()).startswith("Now after the death of Joshua")
    sizes = [
        sum(len(v.english) + 1 for v in verses() if v.held_out == held) - 1
        for held in (False, True)
    ]
    assert [len(data.train), len(data.held_out)] == [(n - 1) // 64 for n in sizes]


def test_kjv_by_bpe_counts_characters() -> None:
    data = read("{kjv: {length: 64, tokens: {bpe: 400}}}")
    held = "\n".join(verse.english for verse in verses() if verse.held_out)
    assert data.facts.vocab == 400
    assert isinstance(data.held_out, TokenWindows)
    stream = data.held_out.stream.tolist()
    assert Tokenizer.from_json(data.metadata["tokenizer"]).decode(stream) == held
    assert math.isclose(data.metadata["characters_per_token"], len(held) / len(stream))
    assert data.metadata["characters_per_token"] > 1.5


def test_testaments() -> None:
    data = read("{testaments: {length: 20}}")
    assert (len(data.train), len(data.held_out)) == (31_084 - 3_204, 3_204)
    assert data.metadata["classes"] == ["Old Testament", "New Testament"]
    batch = data.train.__getitems__([0, 27_000])
    assert batch["label"].tolist() == [0, 1]
    assert batch["tokens"].shape[1] <= 20
    assert torch.equal(batch["mask"], batch["tokens"] != PAD)


@cache
def short_verses() -> DataSplits:
    return read("{verses: {tokens: {bpe: 500}}}")


def test_verses_of_at_most_fifteen_words() -> None:
    data = short_verses()
    assert len(data.train) + len(data.held_out) == 5_457
    assert isinstance(data.train, TextPairs) and isinstance(data.held_out, TextPairs)
    books = {verse.english: verse.book for verse in verses() if verse.held_out}
    assert all(source in books for source, _ in data.held_out.texts)
    for source, target in data.train.texts + data.held_out.texts:
        assert len(source.split()) <= 15 and len(target.split()) <= 15


def test_verses_as_ids() -> None:
    data = short_verses()
    assert isinstance(data.held_out, TextPairs)
    assert data.metadata["source"] == data.metadata["target"]
    assert data.facts.vocab == data.facts.target_vocab == 500
    tokenizer = Tokenizer.from_json(data.metadata["target"])
    rows = random.Random(0).sample(range(len(data.held_out)), 8)
    batch = data.held_out.__getitems__(rows)
    for i, row in enumerate(rows):
        source, target = batch["source"][i].tolist(), batch["target"][i].tolist()
        assert (tokenizer.decode(source), tokenizer.decode(target)) == (
            data.held_out.texts[row]
        )
        assert target[0] == BOS and source.count(EOS) == target.count(EOS) == 1
        assert set(source[source.index(EOS) + 1 :]) <= {PAD}
        assert set(target[target.index(EOS) + 1 :]) <= {PAD}
    assert (batch["source"] != PAD).any(0).all()  # no longer than the longest


def test_verses_with_two_vocabularies_and_other_lengths() -> None:
    data = read(
        "{verses: {tokens: {words: 900}, shared: false, words: 12, train_words: 25}}"
    )
    source, target = (
        data.metadata["source"]["tokens"],
        data.metadata["target"]["tokens"],
    )
    assert "the" in source and "the" not in target and "los" in target
    assert len(data.held_out) < 476 and len(data.train) > 14_000


def test_tokens_are_learned_from_the_training_part() -> None:
    data = read("{kjv: {tokens: {words: 100000}}}")
    known = set(data.metadata["tokenizer"]["tokens"])
    assert {"Moses", "Jesus"} <= known
    assert not {"Melchisedec", "Gomer", "Mordecai"} <= known
