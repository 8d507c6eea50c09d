"""Parts of captions."""

import pytest

from compiler.diagram.captions import short_count


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.00 K"),
        (9_999, "10.0 K"),
        (99_990, "100 K"),
        (999_600, "1.00 M"),
        (7_087_872, "7.09 M"),
        (124_439_808, "124 M"),
        (1_557_611_200, "1.56 B"),
        (2_000_000_000_000, "2.00 T"),
    ],
)
def test_counts_have_three_digits(number: int, text: str) -> None:
    assert short_count(number) == text
