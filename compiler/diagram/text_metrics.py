"""Widths of text in Helvetica, from Adobe's font metrics."""

from __future__ import annotations

from collections.abc import Mapping


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a line of text at a font size, both in points; unknown characters count as an em.

    >>> text_width("Linear", 10)
    27.79
    """
    widths = _BOLD if bold else _REGULAR
    return size * sum(widths.get(char, 1000) for char in text) / 1000


def has_widths(text: str) -> bool:
    """Whether the width of each character is known.

    >>> has_widths("64 × 64 …"), has_widths("模型")
    (True, False)
    """
    return _REGULAR.keys() >= set(text)


def _by_character(groups: Mapping[int, str]) -> dict[str, int]:
    return {char: width for width, chars in groups.items() for char in chars}


# Thousandths of an em. `→`, `√` and `≈` are as wide as in Arial and Symbol.
_REGULAR = _by_character(
    {
        191: "'",
        222: "ijl",
        260: "|¦",
        278: " \u00a0!,./:;I[\\]ft·ÌÍÎÏìíîïı",
        333: "()-`r¡¨¯",
        334: "{}",
        350: "•",
        355: '"',
        365: "º",
        370: "ª",
        389: "*",
        400: "°",
        469: "^",
        500: "‖Jcksvxyzçýÿšž",
        537: "¶",
        549: "√≈≡",
        556: "#$0123456789?L_abdeghnopqu¢£¤¥§«µ»àáâãäåèéêëðñòóôõöøùúûüþ€",
        584: "+<=>~¬±×÷−",
        611: "FTZ¿ßŽ",
        667: "&ABEKPSVXYÀÁÂÃÄÅÈÉÊËÝÞŠŸ",
        722: "CDHNRUwÇÐÑÙÚÛÜ",
        737: "©®",
        778: "GOQÒÓÔÕÖØ",
        833: "Mm",
        834: "¼½¾",
        889: "%æ",
        944: "Wœ",
        1000: "ÆŒ—…‰™→",
        1015: "@",
    }
)
_BOLD = _by_character(
    {
        238: "'",
        278: " \u00a0,./I\\ijl·ÌÍÎÏìíîïı",
        280: "|¦",
        333: "!()-:;[]`ft¡¨¯",
        350: "•",
        365: "º",
        370: "ª",
        389: "*r{}",
        400: "°",
        474: '"',
        500: "‖zž",
        549: "√≈≡",
        556: "#$0123456789J_aceksvxy¢£¤¥§«¶»àáâãäåçèéêëýÿš€",
        584: "+<=>^~¬±×÷−",
        611: "?FLTZbdghnopquµ¿ßðñòóôõöøùúûüþŽ",
        667: "EPSVXYÈÉÊËÝÞŠŸ",
        722: "&ABCDHKNRUÀÁÂÃÄÅÇÐÑÙÚÛÜ",
        737: "©®",
        778: "GOQwÒÓÔÕÖØ",
        833: "M",
        834: "¼½¾",
        889: "%mæ",
        944: "Wœ",
        975: "@",
        1000: "ÆŒ—…‰™→",
    }
)
