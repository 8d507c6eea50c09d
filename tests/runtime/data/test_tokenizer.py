import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.tasks.data_set import Bpe, Tokens, Words
from runtime.data.bible import verses
from runtime.data.tokenizer import (
    BOS,
    EOS,
    PAD,
    PAIR_SPECIALS,
    TEXT_SPECIALS,
    UNK,
    BpeTokenizer,
    Tokenizer,
    WordTokenizer,
    train_tokenizer,
)

TEXTS = ["In the beginning God created the heaven and the earth.", "ÿ, the  end\n\n"]
ALL: list[Tokens] = ["characters", Words(words=12), Bpe(bpe=300), Bpe(bpe=20)]
SPECIALS = [TEXT_SPECIALS, PAIR_SPECIALS]


def test_special_tokens_come_first() -> None:
    assert list(map(PAIR_SPECIALS.index, PAIR_SPECIALS)) == [PAD, BOS, EOS, UNK]
    assert TEXT_SPECIALS.index("<unk>") == 0


@pytest.mark.parametrize("specials", SPECIALS)
def test_characters_in_their_order(specials: Sequence[str]) -> None:
    tokenizer = train_tokenizer(["banana", "c"], "characters", specials)
    first = len(specials)
    assert tokenizer.size == first + 4
    assert tokenizer.encode("abcn") == [first, first + 1, first + 2, first + 3]
    assert tokenizer.encode("z") == [tokenizer.unk]


def test_words_by_frequency() -> None:
    tokenizer = train_tokenizer(["b a b c c", "c."], Words(words=8), TEXT_SPECIALS)
    assert tokenizer.encode("c b . a d") == [1, 2, 3, 4, 0]
    assert tokenizer.size == 8  # as declared, though there are only five


def test_the_rarest_words_are_unknown() -> None:
    tokenizer = train_tokenizer(["a a a b b c"], Words(words=8), PAIR_SPECIALS)
    fewer = train_tokenizer(
        [" ".join(f"w{i}" for i in range(9))], Words(words=8), PAIR_SPECIALS
    )
    assert tokenizer.encode("a b c") == [4, 5, 6]
    assert fewer.encode("w3 w4") == [7, UNK]


@pytest.mark.parametrize(
    "text",
    ["And God said, Let there be light: and there was light.", "¿Quién eres tú?"],
)
def test_words_are_joined_as_people_write(text: str) -> None:
    tokenizer = train_tokenizer([text], Words(words=100), PAIR_SPECIALS)
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("specials", SPECIALS)
@pytest.mark.parametrize("size", [300, 600])
def test_bpe_has_the_declared_size(size: int, specials: Sequence[str]) -> None:
    texts = [verse.english for verse in verses()[:300]]
    tokenizer = train_tokenizer(texts, Bpe(bpe=size), specials)
    assert tokenizer.size == size
    assert max(one for text in texts for one in tokenizer.encode(text)) == size - 1


@pytest.mark.parametrize("tokens", ["characters", Bpe(bpe=300), Bpe(bpe=1000)])
def test_training_text_is_restored(tokens: Tokens) -> None:
    tokenizer = train_tokenizer(TEXTS, tokens, PAIR_SPECIALS)
    for text in TEXTS:
        assert tokenizer.decode(tokenizer.encode(text)) == text


BYTES = train_tokenizer(TEXTS, Bpe(bpe=300), PAIR_SPECIALS)


@given(st.text())
def test_bpe_is_lossless(text: str) -> None:
    sound = text.encode("utf-8", "replace").decode()
    assert BYTES.decode(BYTES.encode(text)) == sound
    assert max(BYTES.encode(text), default=0) < BYTES.size


@given(st.lists(st.sampled_from(["the", "end", " ", "  ", "\n", "\t", ",", "\x1c"])))
def test_bpe_by_words_equals_bpe_of_the_whole_text(pieces: list[str]) -> None:
    assert isinstance(BYTES, BpeTokenizer)
    text = "".join(pieces)
    whole = BYTES._model.encode(text, add_special_tokens=False)
    assert BYTES.encode(text) == whole.ids


@pytest.mark.parametrize("tokens", ALL)
@pytest.mark.parametrize("specials", SPECIALS)
def test_json_round_trip(tokens: Tokens, specials: Sequence[str]) -> None:
    tokenizer = train_tokenizer(TEXTS, tokens, specials)
    again = Tokenizer.from_json(json.loads(json.dumps(tokenizer.to_json())))
    text = TEXTS[0] + " <eos> new"
    assert again.encode(text) == tokenizer.encode(text)
    assert again.size == tokenizer.size and again.specials == tokenizer.specials
    assert again.decode(range(again.size)) == tokenizer.decode(range(tokenizer.size))


@pytest.mark.parametrize("tokens", ALL)
def test_training_again_gives_the_same_tokenizer(tokens: Tokens) -> None:
    texts = [verse.spanish for verse in verses()[:200]]
    assert (
        train_tokenizer(texts, tokens).to_json()
        == train_tokenizer(texts, tokens).to_json()
    )


@pytest.mark.parametrize("tokens", ALL)
def test_names_of_special_tokens_in_a_text_are_text(tokens: Tokens) -> None:
    tokenizer = train_tokenizer([*TEXTS, "<eos> <pad> <bos>"], tokens, PAIR_SPECIALS)
    assert not {PAD, BOS, EOS} & set(tokenizer.encode("<eos> <pad><bos>"))


@pytest.mark.parametrize("tokens", ALL)
def test_special_tokens_are_not_text(tokens: Tokens) -> None:
    tokenizer = train_tokenizer(TEXTS, tokens, PAIR_SPECIALS)
    assert tokenizer.decode([PAD, BOS, EOS, PAD]) == ""
    assert tokenizer.decode([UNK]) == "<unk>"


@pytest.mark.parametrize("tokens", ALL)
def test_unused_ids_decode_to_nothing(tokens: Tokens) -> None:
    tokenizer = train_tokenizer(["ab"], tokens, PAIR_SPECIALS)
    assert tokenizer.decode([-1, 10**6]) == ""


@pytest.mark.parametrize("tokens", ALL)
def test_lone_surrogates_are_encoded(tokens: Tokens) -> None:
    assert train_tokenizer(TEXTS, tokens, TEXT_SPECIALS).encode("\udce9")


def test_unknown() -> None:
    texts = ["the end"]
    assert train_tokenizer(texts, "characters").unknown("then zoo") == ["z", "o"]
    assert train_tokenizer(texts, Words(words=9)).unknown("the new, new") == [
        "new",
        ",",
    ]
    assert train_tokenizer(texts, Bpe(bpe=400)).unknown("zoo漢") == []
    assert train_tokenizer(texts, Bpe(bpe=20)).unknown("then zoo") == ["z", "o"]


def test_a_vocabulary_without_room_for_all_bytes() -> None:
    tokenizer = train_tokenizer(["abc " * 20], Bpe(bpe=8), PAIR_SPECIALS)
    assert tokenizer.decode(tokenizer.encode("abc")) == "abc"
    assert all(one < 8 for one in tokenizer.encode("abc xyz"))


def test_words_have_no_spaces_or_marks() -> None:
    assert WordTokenizer.split("Don't stop, x_1!") == ["Don't", "stop", ",", "x_1", "!"]
