"""A file of pairs of texts, its end held out."""

from __future__ import annotations

from compiler.tasks.data.pairs import Pairs
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import text_pairs
from runtime.data.user_files import read_rows
from runtime.data.verses import short

FORM = ("the source", "the target")


def load(options: Pairs, section: DataSection) -> DataSplits:
    """The pairs of the file, without those that are too long.

    Raises:
        SpecError: where the file is not there, or a line of it is no pair, or there are too few.
    """
    rows = read_rows(section, "path", options.path, FORM)
    found = [pair for _, *pair in rows]
    pairs = [(one, other) for one, other in found if short((one, other), options.words)]
    cut = round(len(pairs) * (1 - options.held_out))
    if not 0 < cut < len(pairs):
        few = f"{len(pairs)} of {len(rows)} pairs have at most {options.words} words on both sides"
        message = f"{section.path(options.path)} has too few pairs to hold some out"
        section.fail("data-empty", message, "path", help=few)
    train, held = pairs[:cut], pairs[cut:]
    return text_pairs(train, held, options.tokens, options.shared, options.facts())
