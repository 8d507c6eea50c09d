"""A file of pairs of texts, its end held out."""

from __future__ import annotations

from typing import Final

from compiler.tasks.data.pairs import Pairs
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import text_pairs
from runtime.data.user_files import read_rows
from runtime.data.verses import has_at_most

COLUMNS: Final = ("the source", "the target")


def load(options: Pairs, section: DataSection) -> DataSplits:
    """The pairs of the file, without those that have more than `words` words on a side.

    Raises:
        SpecError: if the file does not exist, a line is invalid, or there are too few pairs.
    """
    rows = read_rows(section, "path", options.path, COLUMNS)
    pairs = [
        (source, target)
        for _, source, target in rows
        if has_at_most((source, target), options.words)
    ]
    split = round(len(pairs) * (1 - options.held_out))
    if not 0 < split < len(pairs):
        message = f"{section.path(options.path)} has too few pairs to hold some out"
        help = f"{len(pairs)} of {len(rows)} pairs have at most {options.words} words on both sides"
        section.fail("data-empty", message, "path", help=help)
    train, held_out = pairs[:split], pairs[split:]
    return text_pairs(train, held_out, options.tokens, options.shared, options.facts())
