"""The shipped melodies."""

from itertools import pairwise

import pytest

from runtime.data.running_text import TokenWindows
from runtime.data.tokenizer import Tokenizer
from runtime.data.tunes import HELD_OUT, KEYS, pitch, read_tunes, transposed
from tests.runtime.data.section import read


def test_melodies() -> None:
    tunes = read_tunes()
    assert len(tunes) == 22
    assert all(any(title.startswith(one) for title in tunes) for one in HELD_OUT)
    for title, notes in tunes.items():
        assert len(notes) > 20, title
        assert all(52 <= pitch(note) <= 91 for note in notes), title
        assert all(abs(pitch(a) - pitch(b)) <= 15 for a, b in pairwise(notes)), title


@pytest.mark.parametrize("key", KEYS)
def test_keys(key: int) -> None:
    for notes in read_tunes().values():
        other = transposed(notes, key)
        assert [pitch(note) for note in other] == [pitch(note) + key for note in notes]
        assert transposed(other, -key) == notes


def test_the_data_set() -> None:
    data = read("{tunes: {length: 16}}")
    assert isinstance(data.train, TokenWindows)
    tokenizer = Tokenizer.from_json(data.metadata["tokenizer"])
    assert tokenizer.size == data.facts.vocab == 320
    assert int(data.train.stream.min()) > 0
    assert tokenizer.unknown("C2 G,4 ^f3 \n") == []
    held_out = read_tunes()["Alle meine Entchen (Germany, 19th century)"]
    assert tokenizer.decode(tokenizer.encode(" ".join(held_out))) == " ".join(held_out)
    # Four melodies are held out, in one key each.
    assert isinstance(data.held_out, TokenWindows)
    end = tokenizer.encode("\n")[0]
    assert int((data.held_out.stream == end).sum()) == 4
    assert int((data.train.stream == end).sum()) == 18 * len(KEYS)
