"""The King James Bible as running text, a verse on each line; whole books are held out."""

from __future__ import annotations

from compiler.tasks.data.kjv import Kjv
from runtime.data.bible import verses
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.running_text import running_text


def load(options: Kjv, section: DataSection) -> DataSplits:
    """The text of the books, those to learn from and those held out."""
    found = verses()
    train, held_out = (
        "\n".join(verse.english for verse in found if verse.held_out == held)
        for held in (False, True)
    )
    return running_text(train, held_out, options)
