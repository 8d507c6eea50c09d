"""Read the files that a user gives to a trained network."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from torch import Tensor

from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.diagnostics.source import Source, Span
from compiler.diagnostics.text import listed
from compiler.ir.typed import Instance
from compiler.parse.document import Document, MappingNode
from compiler.tasks.image_data import Fit
from compiler.tasks.ports import bound
from compiler.tasks.task import Task
from runtime.data.csv_text import CsvText, read_csv
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch
from runtime.data.images import PixelScale, image_size, read_image
from runtime.data.read_video import read_video
from runtime.data.table import inputs_of
from runtime.data.table_columns import BLANK, TableColumns


def read_user_image(
    file: Any, size: tuple[int, int] | None, channels: int, fit: Fit = "stretch"
) -> Tensor:
    """Read an image file: uint8[channels, H, W].

    Args:
        file: path of the image.
        size: height and width to resize to; None keeps the image's own.
        channels: 1 for grey, 3 for colour.
        fit: how an image of another aspect ratio is resized.

    Raises:
        RequestError: if the file does not exist.
        DataError: if it is not an image.
    """
    path = _image_source(file)
    try:
        if size is None:
            width, height = image_size(path)
            size = (height, width)
        return read_image(path, size, channels, fit)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{file} is not an image: {reason}") from None


def read_user_audio(file: str, rate: int) -> Tensor:
    """Read an audio file, WAV or FLAC: float[N], resampled to `rate` samples in a second.

    Raises:
        RequestError: if the file does not exist.
        DataError: if it is not audio.
    """
    from runtime.data.audio import read_audio

    path = _existing(file)
    try:
        return read_audio(path, rate)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{file} is not a recording: {reason}") from None


def user_image_size(file: Any) -> tuple[int, int]:
    """Width and height of an image file.

    Raises:
        RequestError, DataError: as `read_user_image`.
    """
    path = _image_source(file)
    try:
        return image_size(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{file} is not an image: {reason}") from None


def image_shape(instance: Instance, task: Task) -> list[int]:
    """Channels, height and width of the role `image` that the data or the network requires; 0: any."""
    known = task.facts().image or (None, None, None)
    image = instance.inputs[bound(instance.inputs, "image", task.ports)]
    assert image is not None
    sizes = [instance.context.value(size) for size in image.shape[1:]]
    return [a or b.constant or 0 for a, b in zip(known, sizes, strict=True)]


def read_as_trained(
    file: Any, shape: Sequence[int], task: Task, metadata: Mapping[str, Any]
) -> Tensor:
    """Read an image file as training data is: float[1, C, H, W].

    Args:
        file: path of the image.
        shape: channels, height and width; height and width of 0 keep the image's own.
        task: the task of the run.
        metadata: what the run stores of its data.

    Raises:
        RequestError, DataError: as `read_user_image`.
    """
    channels, height, width = shape
    size = (height, width) if height and width else None
    image = read_user_image(file, size, channels, getattr(task.data, "fit", "stretch"))
    return PixelScale.from_metadata(metadata)(image[None].float() / 255)


def read_video_as_trained(
    source: str, shape: Sequence[int], task: Task, metadata: Mapping[str, Any]
) -> Tensor:
    """Read an animated image or a folder of frames as training data is: float[1, C, T, H, W].

    Args:
        source: path of the file or folder.
        shape: channels, number of frames, height and width.
        task: the task of the run.
        metadata: what the run stores of its data.

    Raises:
        RequestError: if it does not exist.
        DataError: if it is not a video.
    """
    path = Path(source)
    if not path.is_dir():
        path = _existing(source)
    channels, frames, height, width = shape
    fit: Fit = getattr(task.data, "fit", "stretch")
    try:
        video = read_video(path, frames, (height, width), channels, fit)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{source} is not a video: {reason}") from None
    return PixelScale.from_metadata(metadata)(video[None].float() / 255)


def read_user_csv(file: str, encoding: str = "utf-8") -> CsvText:
    """Read a CSV file.

    Raises:
        SpecError: if it is no CSV file, or has an invalid line.
        RequestError: if it does not exist.
    """
    path = _existing(file)
    start = Span(str(path), 1, 1, 1, 1)
    # Errors that are not of one line are reported at the start of the file.
    document = Document(Source(str(path), ""), MappingNode((), start))
    section = DataSection(document, "csv", Path())
    return read_csv(section, "path", str(path), encoding)


@dataclass(frozen=True)
class TableFile:
    """Rows of a table of the user's as inputs of a network.

    Attributes:
        described: what a prediction says of each row.
        batch: the inputs by role.
    """

    described: list[dict[str, Any]]
    batch: Batch

    @classmethod
    def of(cls, source: str | Mapping[str, Any], columns: TableColumns) -> Self:
        """The lines of a CSV file, or one row as a mapping from columns to values.

        Raises:
            RequestError, SpecError: if the file does not exist, a column is missing, or a line is invalid.
        """
        if isinstance(source, Mapping):
            return cls([{"input": dict(source)}], _row(source, columns))
        file = read_user_csv(source)
        described = [{"input": source, "line": line} for line, _ in file.records]
        return cls(described, inputs_of(file, columns, "path"))


def _row(row: Mapping[str, Any], columns: TableColumns) -> Batch:
    """One row as a batch; columns that it lacks are blank.

    Raises:
        RequestError: if it has an unknown column, or text in place of a number.
    """
    unknown = [name for name in row if name not in columns.names]
    if unknown:
        message = f"the table has no columns {listed(unknown)}"
        raise RequestError(f"{message}, but {listed(columns.names)}")
    numbers = {}
    for column in columns.numbers:
        value = row.get(column.name, math.nan)
        if not isinstance(value, int | float):
            raise RequestError(f"{column.name} must be a number, and is {value!r}")
        numbers[column.name] = [float(value)]
    categories = {
        one.name: [str(row.get(one.name, BLANK)).strip()] for one in columns.categories
    }
    return columns.encode(numbers, categories)


def _image_source(picture: Any) -> Path | BytesIO:
    """An image file; or a picture of Pillow or an array uint8[H, W] or uint8[H, W, 3], to be read like one.

    Raises:
        RequestError: if it is neither.
    """
    from PIL import Image

    if isinstance(picture, str | Path):
        return _existing(str(picture))
    if not isinstance(picture, Image.Image):
        values = np.asarray(picture)
        shaped = values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 3)
        if values.dtype != np.uint8 or not shaped:
            found = f"{values.dtype}{list(values.shape)}"
            message = "an image must be an array uint8[H, W] or uint8[H, W, 3]"
            raise RequestError(f"{message}, and is {found}")
        picture = Image.fromarray(values)
    packed = BytesIO()
    picture.save(packed, "PNG")
    packed.seek(0)
    return packed


def image_files(inputs: Sequence[Any]) -> list[Any]:
    """The inputs, and in place of a folder the files in it that are not hidden, sorted by name.

    Raises:
        RequestError: if a folder has no files.
    """
    files: list[Any] = []
    for name in inputs:
        if not isinstance(name, str | Path) or not os.path.isdir(name):  # noqa: PTH112  # any text is a name here
            files.append(name)
            continue
        path = Path(name)
        found = [one for one in path.iterdir() if one.name[0] != "." and one.is_file()]
        if not found:
            raise RequestError(f"{name} is a folder without files")
        files += map(str, sorted(found))
    return files


def _existing(file: str) -> Path:
    """The path of a file.

    Raises:
        RequestError: if it does not exist.
    """
    path = Path(file)
    try:
        exists = path.is_file()
    except (OSError, ValueError):  # not a possible file name
        exists = False
    if not exists:
        raise RequestError(f"{file} does not exist")
    return path
