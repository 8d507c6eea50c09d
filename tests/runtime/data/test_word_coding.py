from itertools import product
from string import ascii_letters

import pytest

from runtime.data.word_coding import decode, encode


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "word",
        " a  b \n\nc-d, e\u2019s (f) — g.h 1 2 \n",
        "Ñandú y ÁRBOL; 12:3\n x_y  ",
        "a b" * 3,
    ],
)
def test_a_text_comes_back(text: str) -> None:
    assert decode(encode(text)) == text


def test_what_has_no_code() -> None:
    with pytest.raises(ValueError, match="control characters"):
        encode("a\x01b")
    with pytest.raises(ValueError, match="too many words"):
        encode(" ".join(map("".join, product(ascii_letters, repeat=3))))
