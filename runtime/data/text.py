"""Text files as running text; without a file for it, the end of the text is held out."""

from __future__ import annotations

from compiler.tasks.data.text import Text
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.running_text import running_text
from runtime.data.user_files import read_text


def load(options: Text, section: DataSection) -> DataSplits:
    """The texts of the files.

    Raises:
        SpecError: if the file does not exist, is not UTF-8, or is too short for an example in each split.
    """
    text = read_text(section, "path", options.path)
    own = {
        option: read_text(section, option, written)
        for option in ("validation", "test")
        if (written := getattr(options, option)) is not None
    }
    train, held_out = text, own.get("validation")
    if held_out is None:
        split = round(len(text) * (1 - options.held_out))
        train, held_out = text[:split], text[split:]
    data = running_text(train, held_out, options, section, own.get("test"))
    _check_lengths(data, options, section)
    return data


def _check_lengths(data: DataSplits, options: Text, section: DataSection) -> None:
    held_out = "path" if options.validation is None else "validation"
    parts = [("path", "train on", data.train)]
    parts += [(held_out, "evaluate with", data.held_out)] if options.holds_out else []
    parts += [("test", "test", data.test)] if data.test is not None else []
    for option, use, examples in parts:
        if not len(examples):
            path = section.path(getattr(options, option))
            message = f"{path} is too short: it has no example to {use}"
            tokens = options.length + 1
            help = f"an example has {tokens} tokens: see `length` and `held_out`"
            section.fail("data-empty", message, option, help=help)
