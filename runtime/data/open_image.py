"""Open image files that may be damaged, or no files at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runtime.data.user_files import check_regular

if TYPE_CHECKING:  # only image files need Pillow
    from PIL.Image import Image

FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Pillow's names of the formats that are read; it reads some others by starting a program."""


@contextmanager
def open_image(source: Path | BytesIO) -> Iterator[Image]:
    """A context in which an image is open, and decoded.

    Raises:
        OSError, ValueError: if it is not an image of a known format, or is damaged or too large.
    """
    from PIL import Image

    if isinstance(source, Path):
        check_regular(source)
    try:
        with Image.open(source, formats=FORMATS) as opened:
            yield opened
    except (OSError, ValueError):
        raise
    except Exception as error:  # noqa: BLE001  # Pillow raises any, for damaged images
        name = type(error).__name__
        raise ValueError(str(error) or f"it is damaged ({name})") from None
