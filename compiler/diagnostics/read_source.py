"""Reading a spec from its file."""

from __future__ import annotations

from pathlib import Path

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.source import Source, Span


def read_source(path: Path, limit_bytes: int) -> Source:
    """The text of a file, which is UTF-8 and at most `limit_bytes` long.

    Raises:
        SpecError: if the file is missing, not a regular file, not readable, too large or not UTF-8.
    """
    data = _read_bytes(path, limit_bytes)
    try:
        return Source(str(path), data.decode())
    except UnicodeDecodeError as error:
        raise _not_utf8(str(path), data, error) from None


def _read_bytes(path: Path, limit: int) -> bytes:
    try:
        if not path.exists():
            raise _fault(str(path), "file-not-found", "there is no such file")
        if not path.is_file():  # a pipe or a device could keep us waiting for ever
            what = "a directory" if path.is_dir() else "not a regular file"
            raise _fault(str(path), "file-unreadable", f"this is {what}, not a spec")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"the file cannot be read: {reason}"
        raise _fault(str(path), "file-unreadable", message) from None
    if len(data) > limit:
        message = f"the file is larger than {limit:,} bytes"
        raise _fault(str(path), "too-large", message)
    return data


def _not_utf8(file: str, data: bytes, error: UnicodeDecodeError) -> SpecError:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "this file looks like UTF-16, and a spec is UTF-8 text"
        return _fault(file, "not-utf8", message, help="save the file as UTF-8")
    before = Source(file, data[: error.start].decode())
    message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
    span = before.span(len(before.text), len(before.text))
    return _fault(file, "not-utf8", message, span, help="save the file as UTF-8")


def _fault(
    file: str, code: str, message: str, span: Span | None = None, help: str = ""
) -> SpecError:
    span = span or Span(file, 1, 1, 1, 1)
    return SpecError((Diagnostic(code, message, span, help=help),))
