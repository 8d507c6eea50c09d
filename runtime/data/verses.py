"""Bible verses in English and Spanish; whole books are held out."""

from __future__ import annotations

from compiler.tasks.data.verses import Verses
from runtime.data.bible import verses
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import Pair, text_pairs


def load(options: Verses, section: DataSection) -> DataSplits:
    """The pairs of verses, without long ones and those that are hardly translations of each other."""
    limits = {True: options.words, False: options.train_words}
    parts: dict[bool, list[Pair]] = {False: [], True: []}
    for verse in verses():
        pair = (verse.english, verse.spanish)
        if verse.parallel and has_at_most(pair, limits[verse.held_out]):
            parts[verse.held_out].append(pair)
    facts = options.facts()
    return text_pairs(parts[False], parts[True], options.tokens, options.shared, facts)


def has_at_most(pair: Pair, words: int) -> bool:
    """Whether both texts have at most this number of words."""
    return all(len(side.split()) <= words for side in pair)
