"""Tokenizers that were trained elsewhere: a `tokenizer.json`, or a vocabulary of WordPiece."""

import json
from pathlib import Path

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers

from compiler.diagnostics.diagnostic import SpecError
from runtime.data.make_tokenizer import word_piece
from runtime.data.padded_texts import LabelledTexts
from runtime.data.running_text import TokenWindows
from runtime.data.tokenizer import PublishedTokenizer, Tokenizer
from tests.runtime.data.section import read

VOCABULARY = ("[PAD]", "x", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "##ly", ".")
LABELLED = "yes\tGood goodly.\nno\tBad\n" * 4
PATH = "labelled_text: {path: t.tsv, held_out: 0.5"


def files(folder: Path, **others: str) -> dict[str, str | bytes]:
    return {"t.tsv": LABELLED, "vocab.txt": "\n".join(VOCABULARY) + "\n", **others}


def labelled(folder: Path, tokens: str, more: str = "") -> LabelledTexts:
    data = read(f"{{{PATH}, tokens: {tokens}{more}}}}}", folder, files(folder))
    assert isinstance(data.train, LabelledTexts)
    assert data.facts.vocab == len(VOCABULARY)
    return data.train


def test_a_vocabulary_of_word_pieces(tmp_path: Path) -> None:
    train = labelled(tmp_path, "{file: vocab.txt}")
    batch = train.__getitems__([0, 1])
    assert batch["tokens"].tolist() == [[3, 5, 5, 7, 8, 4], [3, 6, 4, 0, 0, 0]]
    assert batch["mask"].sum(1).tolist() == [6, 3]


def test_what_is_cut_keeps_its_special_tokens(tmp_path: Path) -> None:
    train = labelled(tmp_path, "{file: vocab.txt}", ", length: 4")
    assert train.__getitems__([0])["tokens"].tolist() == [[3, 5, 5, 4]]


def test_special_tokens_and_lower_case_are_options(tmp_path: Path) -> None:
    tokens = "{file: vocab.txt, special: false, lowercase: false}"
    train = labelled(tmp_path, tokens)
    assert train.__getitems__([0])["tokens"].tolist() == [[2, 5, 7, 8]]


def test_padding_has_its_own_id(tmp_path: Path) -> None:
    order = ("[CLS]", "[SEP]", "[UNK]", "good", "[PAD]", "bad", "##ly", ".", "x")
    given = files(tmp_path, **{"vocab.txt": "\n".join(order)})
    data = read(f"{{{PATH}, tokens: {{file: vocab.txt}}}}}}", tmp_path, given)
    assert data.train.__getitems__([0, 1])["tokens"][1].tolist() == [0, 5, 1, 4, 4, 4]


def test_a_tokenizer_file_and_its_round_trip(tmp_path: Path) -> None:
    model = word_piece(VOCABULARY, lowercase=True)
    model.enable_padding(length=32)
    model.enable_truncation(max_length=2)
    given = files(tmp_path, **{"tokenizer.json": model.to_str()})
    data = read(f"{{{PATH}, tokens: {{file: tokenizer.json}}}}}}", tmp_path, given)
    assert data.train.__getitems__([0])["tokens"].tolist() == [[3, 5, 5, 7, 8, 4]]
    stored = json.loads(json.dumps(data.metadata["tokenizer"]))
    again = Tokenizer.from_json(stored)
    assert again.encode_whole("goodly", 9) == [3, 5, 7, 4]
    assert again.decode([3, 5, 7, 4, 99, -1]) == "goodly"
    assert again.unknown("good who bad") == ["who"]
    assert again.encode("[SEP] good") != [4, 5]  # the text is no special token


def test_running_text_has_no_special_tokens(tmp_path: Path) -> None:
    given = {"t.txt": "good bad. " * 40, "vocab.txt": "\n".join(VOCABULARY)}
    written = "{text: {path: t.txt, length: 4, tokens: {file: vocab.txt}}}"
    data = read(written, tmp_path, given)
    assert isinstance(data.train, TokenWindows)
    assert data.train.stream[:4].tolist() == [5, 6, 8, 5]


def test_a_tokenizer_without_an_unknown_token() -> None:
    model = tokenizers.Tokenizer(models.WordLevel({"a": 0, "<end>": 1}, unk_token="a"))
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ValueError, match="no special tokens"):
        PublishedTokenizer(model, special=True)
    model.add_special_tokens(["<end>"])
    found = PublishedTokenizer(model, special=True)
    assert (found.unk, found.size, found.unknown("b")) == (1, 2, [])


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("a.json", "{}", "is not a tokenizer"),
        ("a.json", "[1", "is not a tokenizer"),
        ("a.txt", "good\nbad\n", "the vocabulary lacks [UNK], [SEP], [CLS]"),
        ("a.txt", "good\ngood\n", "the vocabulary has a token twice"),
        ("missing.json", "", "does not exist"),
    ],
)
def test_files_that_are_none(tmp_path: Path, file: str, text: str, said: str) -> None:
    given = files(tmp_path, **({} if file.startswith("missing") else {file: text}))
    with pytest.raises(SpecError) as error:
        read(f"{{{PATH}, tokens: {{file: {file}}}}}}}", tmp_path, given)
    [found] = error.value.diagnostics
    assert said in found.message


def test_the_tokenizer_of_a_package_that_is_not_installed(tmp_path: Path) -> None:
    tokens = "{file: package:no_such_package/tokenizer.json}"
    with pytest.raises(SpecError) as caught:
        read(f"{{pictographs: {{tokens: {tokens}}}}}", tmp_path)
    (one,) = caught.value.diagnostics
    assert one.code == "data-not-found"
    assert one.help == "the package no_such_package is not installed"
