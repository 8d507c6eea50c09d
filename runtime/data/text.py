"""A text file as running text, its end held out."""

from __future__ import annotations

from compiler.tasks.data.text import Text
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.running_text import running_text
from runtime.data.user_files import read_text


def load(options: Text, section: DataSection) -> DataSplits:
    """The text of the file.

    Raises:
        SpecError: if the file does not exist, is not UTF-8, or is too short for an example in each split.
    """
    text = read_text(section, "path", options.path)
    split = round(len(text) * (1 - options.held_out))
    data = running_text(text[:split], text[split:], options)
    if not (len(data.train) and len(data.held_out)):
        use = "evaluate with" if len(data.train) else "train on"
        path = section.path(options.path)
        message = f"{path} is too short: it has no example to {use}"
        tokens = options.length + 1
        help = f"an example has {tokens} tokens: see `length` and `held_out`"
        section.fail("data-empty", message, "path", help=help)
    return data
