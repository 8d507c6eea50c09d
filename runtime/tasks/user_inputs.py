"""What a user gives to a trained network, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.diagnostics.source import Source, Span
from compiler.parse.document import Document, Mapping
from runtime.data.csv import read_columns
from runtime.data.data_section import DataSection
from runtime.data.images import read_image
from runtime.data.user_files import read_text


def picture(file: str, size: tuple[int, int] | None, channels: int) -> Tensor:
    """An image file as [channels, H, W] with values from 0 to 255, brought to a size where one is given.

    Raises:
        RequestError: where the file is not there.
        DataError: where it is no image.
    """
    from PIL import Image

    path = _there(file)
    try:
        if size is None:
            with Image.open(path) as opened:
                size = (opened.height, opened.width)
        return read_image(path, size, channels)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{file} is no image: {reason}") from None


def past_of(file: str, columns: Sequence[str], length: int) -> list[list[float]]:
    """The last `length` times of a CSV file with these columns, [length, C].

    Raises:
        SpecError: where the file lacks a column, or has a line that does not fit.
        RequestError: where it is not there.
        DataError: where it is too short.
    """
    path = _there(file)
    start = Span(str(path), 1, 1, 1, 1)
    blamed = Document(Source(str(path), ""), Mapping((), start))
    section = DataSection(blamed, "csv", Path())
    text = read_text(section, "path", str(path))
    values = read_columns(section, path, text, columns)
    if len(values) < length:
        message = f"{file} has {len(values)} times, and the network looks at {length}"
        raise DataError(message)
    found: list[list[float]] = values[-length:].tolist()
    return found


def _there(file: str) -> Path:
    """The path of a file.

    Raises:
        RequestError: where there is none.
    """
    path = Path(file)
    try:
        found = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        found = False
    if not found:
        raise RequestError(f"there is no file {file}")
    return path
