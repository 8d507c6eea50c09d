"""Text for LaTeX: every character stands for itself, in any engine and font encoding."""

from __future__ import annotations

import unicodedata
from typing import Final

_COMMANDS: Final = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",  # babel gives it another meaning in some languages
    "`": r"{\char96}",
    "…": r"\dots{}",
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "ø": r"\o{}",
    "ł": r"\l{}",
    "Æ": r"\AE{}",
    "Ø": r"\O{}",
    "Ł": r"\L{}",
    **{char: f"\\{char}" for char in "{}$&#_%"},
    **{char: f"{{{char}}}" for char in "-',"},  # two of them would be joined
    **{
        char: f"\\ensuremath{{\\{name}}}"
        for char, name in {
            "×": "times",
            "·": "cdot",
            "•": "bullet",
            "÷": "div",
            "±": "pm",
            "→": "rightarrow",
            "←": "leftarrow",
            "↔": "leftrightarrow",
            "‖": "Vert",
            "≤": "leq",
            "≥": "geq",
            "≠": "neq",
            "≈": "approx",
            "∞": "infty",
            "√": "surd",
            "∑": "sum",
            "∈": "in",
            "⌊": "lfloor",
            "⌋": "rfloor",
            "⌈": "lceil",
            "⌉": "rceil",
            "\u03b1": "alpha",
            "β": "beta",
            "\u03b3": "gamma",
            "δ": "delta",
            "ε": "epsilon",
            "θ": "theta",
            "λ": "lambda",
            "μ": "mu",
            "π": "pi",
            "σ": "sigma",
            "τ": "tau",
            "φ": "phi",
            "Σ": "Sigma",
            "Φ": "Phi",
            "Ω": "Omega",
        }.items()
    },
    "−": r"\ensuremath{-}",
}
_ACCENTS: Final = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
    "\u0328": "k",
}
OTHER_CHARACTERS: Final = (
    r"\providecommand\lgchar[1]{\ifdefined\Uchar\Uchar"
    '"#1\\else[U+#1]\\fi}'
)
"""The command for all other characters: themselves in an engine for Unicode, else their numbers."""


def escape_tex(text: str) -> str:
    r"""Escape text for LaTeX; the result is ASCII and has no commands of the text's own.

    >>> print(escape_tex(r"50 % of \input{x} × 3"))
    50 \% of \textbackslash{}input\{x\} \ensuremath{\times} 3
    """
    return "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    if char in _COMMANDS:
        return _COMMANDS[char]
    if char.isascii():
        return char if char.isprintable() else " "
    parts = unicodedata.normalize("NFD", char)
    base, mark = parts[0], parts[1:]
    if mark in _ACCENTS and base.isascii() and base.isalpha():
        return f"\\{_ACCENTS[mark]}{{{base}}}"
    return f"\\lgchar{{{ord(char):04X}}}"
