"""Files of pairs of texts; without a file for it, the end of the pairs is held out."""

from __future__ import annotations

from typing import Final

from compiler.tasks.data.pairs import Pairs
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import Pair, text_pairs
from runtime.data.user_files import read_rows
from runtime.data.verses import has_at_most

COLUMNS: Final = ("the source", "the target")


def load(options: Pairs, section: DataSection) -> DataSplits:
    """The pairs of the files, without those that have more than `words` words on a side.

    Raises:
        SpecError: if the file does not exist, a line is invalid, or there are too few pairs.
    """
    pairs, count = _read(options, section, "path")
    train, held_out = pairs, None
    if options.validation is not None:
        held_out, _ = _read(options, section, "validation")
    else:
        split = round(len(pairs) * (1 - options.held_out))
        train, held_out = pairs[:split], pairs[split:]
        if not train or (options.holds_out and not held_out):
            message = f"{section.path(options.path)} has too few pairs to hold some out"
            help = f"{len(pairs)} of {count} pairs have at most {options.words} words on both sides"
            section.fail("data-empty", message, "path", help=help)
    test = None if options.test is None else _read(options, section, "test")[0]
    facts, shared = options.facts(), options.shared
    return text_pairs(train, held_out, options.tokens, shared, facts, test)


def _read(options: Pairs, section: DataSection, option: str) -> tuple[list[Pair], int]:
    """The pairs of the file that an option names, without long ones, and the number of all."""
    rows = read_rows(section, option, getattr(options, option), COLUMNS)
    pairs = [
        (source, target)
        for _, source, target in rows
        if has_at_most((source, target), options.words)
    ]
    if not pairs and option != "path":
        path = section.path(getattr(options, option))
        message = f"no pair of {path} has at most {options.words} words on both sides"
        section.fail("data-empty", message, option, help="see `words`")
    return pairs, len(rows)
