"""Files of the user, read whole: bytes, text, lines; what is wrong with them is blamed on the spec or on their line."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import NoReturn

from runtime.data.data_section import DataSection

_LINE_BREAK = re.compile(r"\r\n|\r")
_GZIP = b"\x1f\x8b"


def read_bytes(section: DataSection, option: str, written: str) -> bytes:
    """The content of the file that an option names; what gzip compressed is unpacked.

    Raises:
        SpecError: where there is no file, or it cannot be read.
    """
    path = regular_file(section, option, written)
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        section.fail("data-unreadable", f"{path} cannot be read: {reason}", option)


def regular_file(section: DataSection, option: str, written: str) -> Path:
    """The path of a file that an option names.

    Raises:
        SpecError: where there is none.
    """
    path = there(section, option, written)
    if path.is_dir():
        section.fail("data-unreadable", f"{path} is a folder, not a file", option)
    if not path.is_file():  # a pipe or a device could keep us waiting for ever
        section.fail("data-unreadable", f"{path} is not a regular file", option)
    return path


def there(section: DataSection, option: str, written: str) -> Path:
    """The path that an option names.

    Raises:
        SpecError: where nothing is there.
    """
    try:
        path = section.path(written)
        found = path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        section.fail("data-unreadable", f"{written} cannot be read: {reason}", option)
    if not found:
        base = f"paths start from the folder of the spec, {section.folder.resolve()}"
        help = "" if Path(written).is_absolute() else base
        section.fail("data-not-found", f"there is no {path}", option, help=help)
    return path


def read_text(section: DataSection, option: str, written: str) -> str:
    r"""The text of a file in UTF-8, with a byte order mark or without; all line ends become \n.

    Raises:
        SpecError: where there is no file, it cannot be read, or it is not UTF-8 or empty.
    """
    data = read_bytes(section, option, written)
    path = section.path(written)
    try:
        text = _LINE_BREAK.sub("\n", data.decode().removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        _not_utf8(section, path, data, error)
    if not text.strip():
        section.fail("data-empty", f"{path} has no text", option)
    return text


def _not_utf8(
    section: DataSection, path: Path, data: bytes, error: UnicodeDecodeError
) -> NoReturn:
    help = "save the file as UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        section.fail_in(
            "data-not-utf8", path, 1, "the file looks like UTF-16", help=help
        )
    before = data[: error.start].decode().removeprefix("\ufeff")
    lines = _LINE_BREAK.sub("\n", before).split("\n")
    column = len(lines[-1]) + 1
    message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
    section.fail_in(
        "data-not-utf8", path, len(lines), message, columns=(column, column), help=help
    )


def read_rows(
    section: DataSection, option: str, written: str, form: tuple[str, str]
) -> list[tuple[int, str, str]]:
    """The lines of a file with one tab each: number from 1, what is before the tab, and what is behind.

    Lines of blanks alone are left out. `form` says what is on the two sides.

    Raises:
        SpecError: as `read_text`, and where a line has no tab, more than one, or nothing on one side.
    """
    path = section.path(written)
    lines = read_text(section, option, written).split("\n")
    return [
        (number, *_sides(section, path, number, line, form))
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]


def _sides(
    section: DataSection, path: Path, number: int, line: str, form: tuple[str, str]
) -> tuple[str, str]:
    sides = line.split("\t")
    if len(sides) != 2:
        found = "no tab" if len(sides) == 1 else f"{len(sides) - 1} tabs"
        message = f"a line is {form[0]}, a tab and {form[1]}: this one has {found}"
        columns = (1, len(line) + 1)
        help = "cut -f 1,2 keeps the first two columns" if len(sides) > 2 else ""
        section.fail_in(
            "data-format", path, number, message, columns=columns, help=help
        )
    for side, what, column in zip(sides, form, (1, len(sides[0]) + 2), strict=True):
        if not side.strip():
            columns = (column, column + len(side))
            message = f"{what} is empty"
            section.fail_in("data-format", path, number, message, columns=columns)
    return sides[0].strip(), sides[1].strip()
