"""Data sets as a spec names them, read from the files of a test."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from compiler.diagnostics.source import Source
from compiler.parse.document import Document, to_data
from compiler.parse.parse import parse
from compiler.tasks.data_set import DataSet
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits

Files = Mapping[str, str | bytes]


def read(data: str, folder: Path = Path(), files: Files | None = None) -> DataSplits:
    """The data set of `data: ...`, read from a spec in a folder."""
    write(folder, files or {})
    document = spec(data, folder)
    chosen = DataSet.model_validate(to_data(document.root)["task"]["data"])
    section = DataSection(document, chosen.name, folder)
    loaded: DataSplits = import_module(f"runtime.data.{chosen.name}").load(
        chosen, section
    )
    return loaded


def spec(data: str, folder: Path) -> Document:
    """A spec whose third line names the data."""
    text = f"task:\n  kind: any\n  data: {data}\n"
    return parse(Source(str(folder / "spec.yaml"), text))


def write(folder: Path, files: Files) -> None:
    """Write files, and folders where a name ends with a slash."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        else:
            path.write_bytes(content)


def idx(
    sizes: tuple[int, ...], values: bytes, kind: int = 8, packed: bool = False
) -> bytes:
    """An IDX file."""
    head = bytes((0, 0, kind, len(sizes)))
    data = head + b"".join(size.to_bytes(4, "big") for size in sizes) + values
    return gzip.compress(data) if packed else data
