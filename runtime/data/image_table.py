"""A CSV file with a column of image files."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from compiler.diagnostics.text import shorten
from compiler.tasks.data.image_table import ImageTable
from runtime.data.answers import DataPart, read_parts, with_answers
from runtime.data.augment import Augmenter
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.folders import pixels, reported
from runtime.data.images import ImageExamples, PixelScale, read_image, stretch_notes
from runtime.data.user_files import beside


def load(options: ImageTable, section: DataSection) -> DataSplits:
    """The images; those of the training part are augmented.

    Raises:
        SpecError: if a file or a column does not exist, a line is invalid, or a file is not an image.
    """
    parts = read_parts(options, section)
    answers = parts["train"].answers
    scales, scale = answers.scales(), PixelScale.of(options)
    augmenter = Augmenter(options.augment) if options.augment else None

    def read(path: Path) -> Tensor:
        size = (options.size, options.size)
        return reported(
            section, path, lambda: read_image(path, size, options.channels, options.fit)
        )

    def examples(name: str, part: DataPart) -> ImageExamples:
        size = options.channels * options.size**2
        images = pixels(section, _files(part, options), read, size)
        changes = augmenter if name == "train" else None
        return ImageExamples(images, part.answers.batch(scales), 255, scale, changes)

    found = {name: examples(name, part) for name, part in parts.items()}
    facts = with_answers(options.facts(), answers)
    metadata = {**answers.metadata(scales), **scale.metadata()}
    return DataSplits(
        found["train"],
        found["validation"],
        facts,
        metadata,
        found.get("test"),
        notes=stretch_notes(_files(parts["train"], options), options.fit),
    )


def _files(part: DataPart, options: ImageTable) -> list[Path]:
    """The paths of the images of a part.

    Raises:
        SpecError: if one does not exist, at its field.
    """
    files = []
    names = part.fields(options.image, "image")
    for row, name in zip(part.rows.tolist(), names, strict=True):
        path = beside(part.file.path.parent, name)
        if not path.is_file():
            index = part.file.index(options.image, "image")
            message = f"{shorten(name)} is not a file beside the table"
            part.file.fail_at(row, index, "data-not-found", message)
        files.append(path)
    return files
