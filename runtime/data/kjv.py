"""The King James Bible as running text, one verse a line; whole books are held out."""

from __future__ import annotations

from compiler.tasks.data.kjv import Kjv
from runtime.data.bible import verses
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.running_text import running_text


def load(options: Kjv, section: DataSection) -> DataSplits:
    """The text of the training books and of the held-out books."""
    every = verses()
    train, held_out = (
        "\n".join(verse.english for verse in every if verse.held_out == part)
        for part in (False, True)
    )
    return running_text(train, held_out, options, section)
