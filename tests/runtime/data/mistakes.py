"""Data that is wrong, as the tests have it: a file of cases for each kind of data beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from tests.runtime.data.section import Files, read


@dataclass(frozen=True)
class Case:
    """`blamed` is the text of the spec that is to blame, or `file:line:column`."""

    name: str
    data: str
    files: Files
    code: str
    blamed: str
    said: tuple[str, ...] = ()


def mistake(data: str, folder: Path, files: Files) -> Diagnostic:
    """What is said of the data of a spec, where that is one thing."""
    with pytest.raises(SpecError) as caught:
        read(data, folder, files)
    (one,) = caught.value.diagnostics
    return one
