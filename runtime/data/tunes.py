"""Melodies as notes."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

import torch

from compiler.tasks.data.tunes import TOKENS, Tunes
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.running_text import TokenWindows
from runtime.data.tokenizer import TEXT_SPECIALS, SpacedTokenizer

HELD_OUT: Final = ("Old Hundredth", "Hänschen klein", "Jingle Bells", "Clementine")
KEYS: Final = range(-5, 7)
"""Semitones by which melodies are transposed."""
END: Final = "\n"
"""The token after each melody."""
_NAMES: Final = ("C", "^C", "D", "^D", "E", "F", "^F", "G", "^G", "A", "^A", "B")
_NOTE: Final = re.compile(r"(\^?)([A-Ga-g])([,']*)(\d*)")
_MIDDLE: Final = 60
"""The pitch of C, in semitones as MIDI counts them."""


def load(options: Tunes, section: DataSection) -> DataSplits:
    """The melodies in all keys, and those held out in their own."""
    tunes = read_tunes()
    held_out = [notes for title, notes in tunes.items() if title.startswith(HELD_OUT)]
    known = [notes for title, notes in tunes.items() if not title.startswith(HELD_OUT)]
    train = [transposed(notes, key) for key in KEYS for notes in known]
    tokens = sorted({token for notes in (*train, *held_out) for token in notes})
    tokenizer = SpacedTokenizer([END, *tokens], TEXT_SPECIALS, TOKENS)
    texts = (
        "".join(f"{' '.join(one)} {END} " for one in part) for part in (train, held_out)
    )
    first, second = (
        TokenWindows(torch.tensor(tokenizer.encode(text)), options.length)
        for text in texts
    )
    metadata = {"tokenizer": tokenizer.to_json(), "characters_per_token": 1.0}
    return DataSplits(first, second, options.facts(), metadata)


def read_tunes() -> dict[str, list[str]]:
    """The notes of each melody by its title."""
    shipped = files("runtime.data").joinpath("files", "tunes.abc")
    lines = [
        line
        for line in shipped.read_text(encoding="utf-8").splitlines()
        if line[0] != "%"
    ]
    titles, notes = lines[::2], lines[1::2]
    return {
        title.removeprefix("T:"): one.split()
        for title, one in zip(titles, notes, strict=True)
    }


def transposed(notes: list[str], semitones: int) -> list[str]:
    """Notes, higher by a number of semitones.

    >>> transposed(["C2", "^F", "B,4", "g'3"], 1)
    ['^C2', 'G', 'C4', "^g'3"]
    """
    return [_written(pitch(note) + semitones, _length(note)) for note in notes]


def pitch(note: str) -> int:
    """The pitch of a note, in semitones as MIDI counts them.

    >>> [pitch(note) for note in ("C", "^c2", "B,", "c'")]
    [60, 73, 59, 84]
    """
    sharp, name, octave, _ = _parts(note)
    above = 12 * (name.islower() + octave.count("'") - octave.count(","))
    return _MIDDLE + _NAMES.index(name.upper()) + len(sharp) + above


def _length(note: str) -> str:
    return _parts(note)[3]


def _parts(note: str) -> tuple[str, str, str, str]:
    found = _NOTE.fullmatch(note)
    if found is None:
        raise ValueError(f"{note} is no note")
    sharp, name, octave, length = found.groups()
    return sharp, name, octave, length


def _written(pitch: int, length: str) -> str:
    octave, step = divmod(pitch - _MIDDLE, 12)
    name = _NAMES[step] if octave < 1 else _NAMES[step].lower()
    return name + ("'" * (octave - 1) if octave > 0 else "," * -octave) + length
