"""English verses, and of which Testament they are; whole books are held out."""

from __future__ import annotations

from compiler.tasks.data.testaments import Testaments
from runtime.data.bible import verses
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.padded_texts import labelled_texts

CLASSES = ["Old Testament", "New Testament"]


def load(options: Testaments, section: DataSection) -> DataSplits:
    """The verses with label 0 for the Old Testament and 1 for the New."""
    found = verses()
    train, held = (
        [(verse.english, int(verse.new)) for verse in found if verse.held_out == part]
        for part in (False, True)
    )
    return labelled_texts(
        train, held, CLASSES, options.tokens, options.length, options.facts()
    )
