"""The names of pictographs in the Unicode Character Database that comes with Python, grouped as in its code charts."""

from __future__ import annotations

import unicodedata
from typing import Final

import torch

from compiler.tasks.data.pictographs import GROUPS, Pictographs
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import labelled_texts
from runtime.data.split import split_by_class

_RANGES: Final = {
    "animals": "1F400-1F43D 1F54A 1F577 1F980-1F9AE",
    "body and people": "1F440-1F450 1F464-1F487",
    "buildings and places": "1F3D4-1F3F0",
    "clothing": "1F451-1F462 1F97B-1F97F 1F9E2-1F9E6",
    "faces": "1F600-1F644 1F910-1F917 1F920-1F92F 1F970-1F976",
    "food and drink": "1F32D-1F32F 1F345-1F37F 1F950-1F96F 1F9C0-1F9CB",
    "office and communication": "1F4BB-1F4FF 1F50D-1F50F 1F58A-1F58D",
    "plants, sky and weather": "1F300-1F32C 1F330-1F344",
    "sport and entertainment": "1F3A0-1F3D3 1F938-1F945 1F94A-1F94F",
    "transport": "1F680-1F6A4 1F6A6-1F6A7 1F6E3-1F6EC 1F6F0-1F6FC",
}
"""The code points of each group: subheads of the code charts, some of them together; all of Unicode 13 or before."""


def load(options: Pictographs, section: DataSection) -> DataSplits:
    """The names in lower case, a fraction of each group held out."""
    texts = [
        (name, label) for label, group in enumerate(GROUPS) for name in names(group)
    ]
    labels = torch.tensor([label for _, label in texts])
    train, held_out = (
        [texts[i] for i in part.tolist()] for part in split_by_class(labels, options)
    )
    tokens, length, facts = options.tokens, options.length, options.facts()
    return labelled_texts(train, held_out, GROUPS, tokens, length, facts, section)


def names(group: str) -> list[str]:
    """The names of a group's pictographs, in the order of their code points.

    >>> names("buildings and places")[:3]
    ['snow capped mountain', 'camping', 'beach with umbrella']
    """
    found = []
    for part in _RANGES[group].split():
        first, _, last = part.partition("-")
        points = range(int(first, 16), int(last or first, 16) + 1)
        found += [unicodedata.name(chr(point), "").lower() for point in points]
    return [name for name in found if name]
