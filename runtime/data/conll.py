"""Tagged sentences of a CoNLL file (Tjong Kim Sang and De Meulder, 2003)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import shorten
from compiler.tasks.data.conll import Conll
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.split_items import split_items
from runtime.data.tagged_texts import OUTSIDE, TaggedWords, tagged_texts
from runtime.data.user_files import read_text


def load(options: Conll, section: DataSection) -> DataSplits:
    """The sentences of the files; without a file for it, a random part is held out.

    Raises:
        SpecError: if a file does not exist or lacks a column, or there are too few sentences or other tags.
    """
    sentences = list(_sentences(options, section, "path"))
    path = section.path(options.path)
    found = {tag for sentence in sentences for _, tag in sentence}
    tags = sorted(found, key=lambda tag: (tag != OUTSIDE, tag))
    if options.classes is not None and len(tags) != options.classes:
        message = f"{path} has {len(tags)} tags, not {options.classes}"
        section.fail("data-label", message, "classes")

    def read(option: str) -> list[TaggedWords]:
        return list(_sentences(options, section, option, tags))

    train, held_out, test = split_items(sentences, options, section, read, "sentences")
    return tagged_texts(train, held_out, tags, options.words, options.facts(), test)


def _sentences(
    options: Conll, section: DataSection, option: str, known: Sequence[str] = ()
) -> Iterator[TaggedWords]:
    """The sentences of the file that an option names, whose tags are known; () if any may be."""
    written = getattr(options, option)
    path = section.path(written)
    sentence: list[tuple[str, str]] = []
    lines = read_text(section, option, written).split("\n")
    for number, line in enumerate([*lines, ""], 1):
        if line.startswith(("#", "-DOCSTART-")):
            continue
        columns = line.split("\t") if "\t" in line else line.split()
        if not line.strip():
            if sentence:
                yield sentence
            sentence = []
            continue
        token, tag = (_column(columns, index) for index in (options.token, options.tag))
        if not token or not tag or len(columns) == 1:
            wanted = (
                f"a token in column {options.token} and a tag in column {options.tag}"
            )
            message = f"a line must have {wanted}: this has {len(columns)}"
            span = (1, len(line) + 1)
            section.fail_in("data-format", path, number, message, columns=span)
        if known and tag not in known:
            message = f"the tag {shorten(tag)} is not in the training file"
            span, help = (1, len(line) + 1), suggest(tag, known) or ""
            section.fail_in(
                "data-label", path, number, message, columns=span, help=help
            )
        word = token.replace(" ", "_")
        sentence.append((word.lower() if options.lower else word, tag))


def _column(columns: list[str], number: int) -> str:
    """A column, numbered from 1, or from the last by negative numbers; "" if there is none."""
    index = number - 1 if number > 0 else len(columns) + number
    return columns[index].strip() if 0 <= index < len(columns) else ""
