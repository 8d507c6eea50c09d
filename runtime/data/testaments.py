"""English Bible verses, labelled with their Testament; whole books are held out."""

from __future__ import annotations

from typing import Final

from compiler.tasks.data.testaments import Testaments
from runtime.data.bible import verses
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import labelled_texts

CLASSES: Final = ["Old Testament", "New Testament"]


def load(options: Testaments, section: DataSection) -> DataSplits:
    """The verses with label 0 for the Old Testament and 1 for the New."""
    every = verses()
    train, held_out = (
        [(verse.english, int(verse.new)) for verse in every if verse.held_out == part]
        for part in (False, True)
    )
    tokens, length, facts = options.tokens, options.length, options.facts()
    return labelled_texts(train, held_out, CLASSES, tokens, length, facts, section)
