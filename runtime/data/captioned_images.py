"""Files of images with captions; without a file for it, a fraction is held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from compiler.tasks.data.captioned_images import CaptionedImages
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.encode_captions import Captioned, captioned_images
from runtime.data.folders import pixels, reported
from runtime.data.images import read_image, stretch_notes
from runtime.data.split import split_by_class
from runtime.data.tokenizer import PAIR_SPECIALS, train_tokenizer
from runtime.data.user_files import beside, read_rows

COLUMNS: Final = ("the image", "the caption")
Rows = list[tuple[Path, str]]
"""Files and captions."""


def load(options: CaptionedImages, section: DataSection) -> DataSplits:
    """The images; those with the same caption show the same.

    Raises:
        SpecError: if a file does not exist, a line is invalid, or an image cannot be read.
    """
    rows = {
        name: _rows(section, option, written)
        for option, name in (
            ("path", "train"),
            ("validation", "validation"),
            ("test", "test"),
        )
        if (written := getattr(options, option)) is not None
    }
    if "validation" not in rows:
        whole = rows["train"]
        parts = split_by_class(torch.zeros(len(whole)), options)
        rows["train"], rows["validation"] = (
            [whole[i] for i in part.tolist()] for part in parts
        )
    captions = [caption for part in rows.values() for _, caption in part]
    numbers = {caption: i for i, caption in enumerate(dict.fromkeys(captions))}

    def read(path: Path) -> Tensor:
        size = (options.size, options.size)
        return reported(
            section, path, lambda: read_image(path, size, options.channels, options.fit)
        )

    size = options.channels * options.size**2
    parts_read = {
        name: Captioned(
            pixels(section, [file for file, _ in part], read, size),
            [caption for _, caption in part],
            torch.tensor([numbers[caption] for _, caption in part], dtype=torch.int64),
        )
        for name, part in rows.items()
    }
    training = [caption for _, caption in rows["train"]]
    tokenizer = train_tokenizer(training, options.tokens, PAIR_SPECIALS)
    data = captioned_images(parts_read, tokenizer, options.facts(), options)
    notes = stretch_notes([file for file, _ in rows["train"]], options.fit)
    return replace(data, notes=notes)


def _rows(section: DataSection, option: str, written: str) -> Rows:
    """The lines of a file; the paths of images start at its folder."""
    folder = section.path(written).parent
    found = []
    for line, name, caption in read_rows(section, option, written, COLUMNS):
        file = beside(folder, name)
        if not file.is_file():
            columns = (1, len(name) + 1)
            message = f"the image {file} does not exist"
            path = section.path(written)
            section.fail_in("data-not-found", path, line, message, columns=columns)
        found.append((file, caption))
    return found
