"""Read a user's data files: bytes, text or tab-separated lines."""

from __future__ import annotations

import errno
import gzip
import json
import re
import zlib
from pathlib import Path
from typing import Any, Final, NoReturn

from runtime.data.data_section import DataSection
from runtime.data.find_file import missing_help

_LINE_BREAK: Final = re.compile(r"\r\n|\r")
_GZIP: Final = b"\x1f\x8b"
_LONGEST_WORD: Final = 40
_SHOWN: Final = 1000
"""Number of bytes at the start of a file by which text is told from anything else."""
_ARCHIVE: Final = b"PK\x03\x04"
"""What ZIP files start with, and the files of spreadsheets and word processors."""
_HEADER_WORDS: Final = {
    *("label", "class", "category", "text", "sentence", "translation"),
    *("source", "src", "target", "tgt", "input", "output", "question", "answer"),
    *("file", "filename", "path", "id", "image", "caption", "audio", "recording"),
    *("transcript", "transcription", "english", "spanish", "french", "german"),
}
"""What a line with the names of columns has, and hardly ever a line of data in both columns."""
MAX_BYTES: Final = 2**29
"""Maximum number of bytes of a file, after decompression: a small file can unpack to any size."""


def read_bytes(section: DataSection, option: str, written: str) -> bytes:
    """The content of the file that an option names, decompressed if it is gzip.

    Raises:
        SpecError: if the file does not exist, cannot be read, or has more than `MAX_BYTES`, decompressed.
    """
    path = regular_file(section, option, written)
    try:
        with path.open("rb") as file:
            compressed = file.peek(2).startswith(_GZIP)
            opened = gzip.GzipFile(fileobj=file) if compressed else file
            data = opened.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        section.fail("data-unreadable", f"{path} cannot be read: {reason}", option)
    if len(data) > MAX_BYTES:
        message = f"{path} has more than {MAX_BYTES:,} bytes"
        section.fail("data-unreadable", message, option)
    return data


def regular_file(section: DataSection, option: str, written: str) -> Path:
    """The path of the file that an option names.

    Raises:
        SpecError: if it does not exist or is not a regular file.
    """
    path = existing_path(section, option, written)
    if path.is_dir():
        section.fail("data-unreadable", f"{path} is a folder, not a file", option)
    if not path.is_file():  # reading a pipe or a device might never end
        section.fail("data-unreadable", f"{path} is not a regular file", option)
    return path


def check_regular(path: Path) -> None:
    """Check that a path is no pipe and no device, of which reading might never end.

    Raises:
        OSError: if it is.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def existing_path(section: DataSection, option: str, written: str) -> Path:
    """The path of the file or folder that an option names.

    Raises:
        SpecError: if it does not exist.
    """
    try:
        path = section.path(written)
        exists = path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        section.fail("data-unreadable", f"{written} cannot be read: {reason}", option)
    if not exists:
        help = missing_help(section.folder, written)
        section.fail("data-not-found", f"{path} does not exist", option, help=help)
    return path


def read_text(
    section: DataSection, option: str, written: str, encoding: str = "utf-8"
) -> str:
    r"""The text of a file, without a byte order mark; all line ends become \n.

    Raises:
        SpecError: if the file does not exist, cannot be read, does not have the encoding, or is empty.
    """
    data = read_bytes(section, option, written)
    path = section.path(written)
    try:
        text = _LINE_BREAK.sub("\n", data.decode(encoding).removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        _fail_not_utf8(section, path, data, error)
    if not text.strip():
        section.fail("data-empty", f"{path} has no text", option)
    return text


def read_json(section: DataSection, option: str, written: str) -> Any:
    """The content of a JSON file.

    Raises:
        SpecError: as `read_text`, and if it is not JSON, is nested too deeply, or has a number of too many digits.
    """
    path = section.path(written)
    text = read_text(section, option, written)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        message, columns = f"invalid JSON: {error.msg}", (error.colno, error.colno)
        section.fail_in("data-format", path, error.lineno, message, columns=columns)
    except RecursionError:
        section.fail("data-format", f"{path} is nested too deeply", option)
    except ValueError:  # Python reads no integer of more than 4,300 digits
        message = f"{path} has a number of too many digits"
        section.fail("data-format", message, option)


def _fail_not_utf8(
    section: DataSection, path: Path, data: bytes, error: UnicodeDecodeError
) -> NoReturn:
    code, help = "data-not-utf8", "save the file as UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        section.fail_in(code, path, 1, "the file looks like UTF-16", help=help)
    if b"\0" in data[:_SHOWN] or data.startswith(_ARCHIVE):
        message, help = "the file is not text", "export it as text in UTF-8, as CSV"
        section.fail_in(code, path, 1, message, help=help)
    before = data[: error.start].decode().removeprefix("\ufeff")
    lines = _LINE_BREAK.sub("\n", before).split("\n")
    column = len(lines[-1]) + 1
    message = f"byte 0x{data[error.start]:02x} is not UTF-8"
    word = _word(data, error.start)
    if word:
        message = f"{message}; in Latin-1 the word is {word}"
    columns = (column, column)
    section.fail_in(code, path, len(lines), message, columns=columns, help=help)


def _word(data: bytes, at: int) -> str:
    """The word around a byte in Latin-1, if that is one of letters; else ""."""
    before = re.split(r"\W", data[max(0, at - _LONGEST_WORD) : at].decode("latin-1"))
    after = re.split(r"\W", data[at : at + _LONGEST_WORD].decode("latin-1"))
    word = before[-1] + after[0]
    return word if word.isalpha() else ""


def beside(folder: Path, name: str) -> Path:
    """The path of a file that a table in a folder names, perhaps with the backslashes of Windows."""
    path = folder / name
    return path if path.exists() else folder / name.replace("\\", "/")


def read_rows(
    section: DataSection, option: str, written: str, columns: tuple[str, str]
) -> list[tuple[int, str, str]]:
    """The lines of a file with two tab-separated columns: number from 1, first and second column.

    Blank lines are skipped.

    Args:
        section: where errors are reported.
        option: the option that names the file.
        written: the file's path as written in the spec.
        columns: what the columns hold, for messages.

    Raises:
        SpecError: as `read_text`, and if a line does not have two columns or one is empty.
    """
    path = section.path(written)
    lines = read_text(section, option, written).split("\n")
    first = lines[0].lower().split("\t")
    if len(first) == 2 and {one.strip() for one in first} <= _HEADER_WORDS:
        message = "this line seems to have the names of the columns"
        help = f"remove it: each line must be {columns[0]}, a tab and {columns[1]}"
        span = (1, len(lines[0]) + 1)
        section.fail_in("data-format", path, 1, message, columns=span, help=help)
    return [
        (number, *_split_line(section, path, number, line, columns))
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]


def _split_line(
    section: DataSection, path: Path, number: int, line: str, columns: tuple[str, str]
) -> tuple[str, str]:
    values = line.split("\t")
    if len(values) != 2:
        tabs = "no tab" if len(values) == 1 else f"{len(values) - 1} tabs"
        message = (
            f"a line must be {columns[0]}, a tab and {columns[1]}: this has {tabs}"
        )
        help = "cut -f 1,2 keeps the first two columns" if len(values) > 2 else ""
        span = (1, len(line) + 1)
        section.fail_in("data-format", path, number, message, columns=span, help=help)
    starts = (1, len(values[0]) + 2)
    for value, name, start in zip(values, columns, starts, strict=True):
        if not value.strip():
            span = (start, start + len(value))
            message = f"{name} is empty"
            section.fail_in("data-format", path, number, message, columns=span)
    return values[0].strip(), values[1].strip()
