"""Read a safetensors file of a run."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from compiler.diagnostics.diagnostic import DataError, RequestError


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of a file by name.

    Raises:
        RequestError: if it does not exist.
        DataError: if it is not a regular file, or cannot be read.
    """
    if not file.exists():
        raise RequestError(f"there are no weights at {file}")
    if not file.is_file():  # opening a pipe might never end
        raise DataError(f"{file} cannot be read: it is not a regular file")
    try:
        with safe_open(file, framework="pt") as opened:
            return {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DataError(f"{file} cannot be read: {error}") from None
