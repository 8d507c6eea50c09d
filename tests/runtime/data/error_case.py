"""Cases of invalid data; the modules `errors_of_*` have them for each kind of data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from tests.runtime.data.section import Files, read


@dataclass(frozen=True)
class Case:
    """Invalid data, and the error that it must raise.

    Attributes:
        data: the value of `data:` in the spec.
        files: the data files by name.
        code: code of the error.
        position: the text of the spec where the error is, or `file:line:column`.
        contains: parts of the message or its help.
    """

    name: str
    data: str
    files: Files
    code: str
    position: str
    contains: tuple[str, ...] = ()


def error_of(data: str, folder: Path, files: Files) -> Diagnostic:
    """The only error of a spec's data."""
    with pytest.raises(SpecError) as caught:
        read(data, folder, files)
    (one,) = caught.value.diagnostics
    return one
