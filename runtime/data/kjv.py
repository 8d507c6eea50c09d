"""The King James Bible as running text, a verse on each line; whole books are held out."""

from __future__ import annotations

from compiler.tasks.data.kjv import Kjv
from runtime.data.bible import verses
from runtime.data.dataset import Data
from runtime.data.place import Place
from runtime.data.running_text import running_text


def load(options: Kjv, place: Place) -> Data:
    """The text of the books, those to learn from and those held out."""
    found = verses()
    train, held_out = (
        "\n".join(verse.english for verse in found if verse.held_out == held)
        for held in (False, True)
    )
    return running_text(train, held_out, options)
