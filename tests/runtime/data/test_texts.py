import gzip
from pathlib import Path

import pytest
import torch

from runtime.data.dataset import Examples
from runtime.data.padded_texts import LabelledTexts, TextPairs
from runtime.data.running_text import TokenWindows
from runtime.data.strings import symbol_names
from runtime.data.tokenizer import BOS, EOS, UNK, Tokenizer
from tests.runtime.data.section import read


def test_text_holds_out_its_end(tmp_path: Path) -> None:
    text = "abcdefghij" * 20
    data = read("{text: {path: t.txt, length: 4}}", tmp_path, {"t.txt": text})
    assert (len(data.train), len(data.held_out)) == (179 // 4, 19 // 4)
    tokens = data.train.__getitems__([0, 1])["tokens"]
    assert tokens.tolist() == [[1, 2, 3, 4, 5], [5, 6, 7, 8, 9]]
    held = data.held_out.__getitems__([3])["tokens"][0].tolist()
    assert Tokenizer.from_json(data.metadata["tokenizer"]).decode(held) == "cdefg"


def test_tokens_only_in_held_out_text_are_unknown(tmp_path: Path) -> None:
    text = "abcdefghij" * 18 + "abcdefghiz" * 2
    data = read("{text: {path: t.txt, length: 19}}", tmp_path, {"t.txt": text})
    assert data.facts.vocab == 11
    assert data.held_out.__getitems__([0])["tokens"][0, [9, 19]].tolist() == [0, 0]


@pytest.mark.parametrize(
    "written",
    [
        b"a b\r\nc d\r\n",
        b"\xef\xbb\xbfa b\nc d\n",
        b"a b\rc d\r",
        gzip.compress(b"a b\nc d\n", mtime=0),
    ],
)
def test_encodings_of_the_same_text(tmp_path: Path, written: bytes) -> None:
    data = read("{text: {path: t, length: 2, held_out: 0.5}}", tmp_path, {"t": written})
    assert isinstance(data.train, TokenWindows) and isinstance(
        data.held_out, TokenWindows
    )
    tokens = Tokenizer.from_json(data.metadata["tokenizer"])
    assert tokens.decode(data.train.stream.tolist()) == "a b\n"
    assert len(data.held_out.stream) == 4


def test_strange_characters_and_long_lines_survive(tmp_path: Path) -> None:
    text = "\0 \u2028\x0b\x85" + "x" * 300_000 + "\n" + "y\0" * 100_000
    data = read("{text: {path: t, length: 50}}", tmp_path, {"t": text})
    assert isinstance(data.train, TokenWindows)
    assert len(data.train.stream) == round(len(text) * 0.9)


PAIRS = "".join(
    f"the {n} end\tel {n} fin\n" for n in ("one", "two", "three", "four", "five")
)


def texts(examples: Examples) -> list[tuple[str, str]]:
    assert isinstance(examples, TextPairs)
    return examples.texts


def test_pairs_hold_out_their_end(tmp_path: Path) -> None:
    options = "{pairs: {path: p, held_out: 0.4, tokens: {words: 20}}}"
    data = read(options, tmp_path, {"p": "\n" + PAIRS + " \n\n"})
    assert [source for source, _ in texts(data.train)] == [
        "the one end",
        "the two end",
        "the three end",
    ]
    batch = data.held_out.__getitems__([1])
    assert batch["target"][0, 0] == BOS and batch["target"][0, -1] == EOS
    assert batch["source"][0, 1] == UNK and batch["source"][0, -1] == EOS
    assert (data.facts.vocab, data.facts.target_vocab) == (20, 20)


def test_pairs_are_limited_by_words(tmp_path: Path) -> None:
    lines = PAIRS + "a b c d\te\nf\tg h i j\n"
    data = read("{pairs: {path: p, words: 3}}", tmp_path, {"p": lines})
    assert len(data.train) + len(data.held_out) == 5


def test_pairs_by_characters_with_two_vocabularies(tmp_path: Path) -> None:
    options = "{pairs: {path: p, tokens: characters, shared: false, held_out: 0.5}}"
    data = read(options, tmp_path, {"p": "ab\tx\r\nba\ty\r\nab\tx\r\nab\tz\r\n"})
    assert (data.facts.vocab, data.facts.target_vocab) == (6, 6)
    batch = data.train.__getitems__([0, 1])
    assert batch["source"].tolist() == [[4, 5, EOS], [5, 4, EOS]]
    assert batch["target"].tolist() == [[BOS, 4, EOS], [BOS, 5, EOS]]


LABELLED = "good\tI like it\n" * 8 + "bad\tI do not like it at all\n" * 4


def test_labels_are_names(tmp_path: Path) -> None:
    options = "{labelled_text: {path: l, held_out: 0.25, length: 5}}"
    data = read(options, tmp_path, {"l": LABELLED})
    assert data.metadata["classes"] == ["bad", "good"] and data.facts.classes == 2
    batch = data.held_out.__getitems__([0, 1, 2])
    assert sorted(batch["label"].tolist()) == [0, 1, 1]
    assert batch["mask"].sum(1).tolist() == [
        3 if label else 5 for label in batch["label"].tolist()
    ]
    assert torch.equal(batch["tokens"] == 0, ~batch["mask"])


def test_labels_are_numbers(tmp_path: Path) -> None:
    options = "{labelled_text: {path: l, classes: 3, held_out: 0.5}}"
    data = read(options, tmp_path, {"l": "0\ta\n2\tb\n0\tc\n2\td\n"})
    assert data.metadata["classes"] == ["0", "1", "2"] and data.facts.classes == 3
    assert isinstance(data.train, LabelledTexts)
    assert data.train.answers["label"].bincount().tolist() == [1, 0, 1]


@pytest.mark.parametrize("what", ["reverse", "sort"])
def test_strings(what: str) -> None:
    options = f"{{strings: {{what: {what}, symbols: 5, count: 300, held_out: 50}}}}"
    data = read(options)
    train, held = texts(data.train), texts(data.held_out)
    assert (len(train), len(held)) == (300, 50)
    assert not set(train) & set(held) and len(set(held)) == 50
    for source, target in train + held:
        symbols = source.split()
        assert 3 <= len(symbols) <= 12 and set(symbols) <= set("abcde")
        expected = symbols[::-1] if what == "reverse" else sorted(symbols)
        assert target.split() == expected
    assert data.facts.vocab == data.facts.target_vocab == 9
    tokens = data.train.__getitems__([0])["source"][0].tolist()
    assert tokens == [4 + "abcde".index(one) for one in train[0][0].split()] + [EOS]


def test_strings_are_always_the_same() -> None:
    options = "{strings: {count: 20, held_out: 5}}"
    assert texts(read(options).train) == texts(read(options).train)


def test_many_symbols_are_numbers_sorted_as_such() -> None:
    options = "{strings: {what: sort, symbols: 200, count: 50, held_out: 5}}"
    for source, target in texts(read(options).train):
        assert list(map(int, target.split())) == sorted(map(int, source.split()))
    assert symbol_names(3) == ["a", "b", "c"]
