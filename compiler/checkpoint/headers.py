"""Read the header of a weights file: names, dtypes and shapes, no values.

Files come from strangers. What is read is bounded, checked before it is believed, and
runs nothing: a pickle is refused, whoever wrote it.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.diagnostics.text import printable, shorten

MOST_BYTES: Final = 32 * 2**20
"""Of the header of one file, and of an index; those that are published have less than one."""
MOST_FILES: Final = 1_000
MOST_TENSORS: Final = 200_000
MOST_DIMENSIONS: Final = 64
MARK: Final = "names"
"""What a file that was converted calls the spec whose names it has, in its metadata."""

_METADATA: Final = "__metadata__"

_BYTES: Final = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("BOOL", "I8", "U8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 1),
}
"""The dtypes of safetensors whose elements are whole bytes."""
_ARRAY: Final = re.compile(
    r"\{'descr': '[<>|=](?P<dtype>[biufc]\d{1,2})', 'fortran_order': (?:True|False),"
    r" 'shape': \((?P<shape>(?:\d{1,19}, ?)*(?:\d{1,19})?)\),? ?\}\s*"
)
"""What numpy writes before an array of numbers."""
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a file."""

    shape: tuple[int, ...]
    dtype: str
    file: Path


def read_header(path: Path) -> dict[str, Stored]:
    """The tensors of a file: `.safetensors`, its index where there are several (`.json`), or `.npz`.

    Raises:
        RequestError: if it does not exist, or has another format.
        DataError: if it is damaged or too large.
    """
    if path.suffix in _PICKLES:
        raise RequestError(_pickled(path))
    readers = {".safetensors": _safetensors, ".json": _index, ".npz": _npz}
    reader = readers.get(path.suffix)
    if reader is None:
        known = ", ".join(readers)
        raise RequestError(f"{path} is no file of weights: they end in {known}")
    if not path.is_file():
        raise RequestError(f"there are no weights at {path}")
    try:
        found = reader(path)
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    if len(found) > MOST_TENSORS:
        raise _damaged(path, f"it holds more than {MOST_TENSORS:,} tensors")
    return found


def read_mark(path: Path) -> str:
    """The spec whose names a file has according to its metadata; "" if these name none, which is usual.

    >>> read_mark(Path("model.npz"))
    ''
    """
    if path.suffix != ".safetensors":
        return ""
    metadata = _metadata(path)
    name = metadata.get(MARK) if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _pickled(path: Path) -> str:
    return (
        f"{path} is a pickle, which can run code; where it comes from somebody you trust,"
        " convert it: safetensors.torch.save_file("
        f"torch.load({path.name!r}, weights_only=True), {path.stem + '.safetensors'!r})"
    )


def _damaged(path: Path, why: str) -> DataError:
    return DataError(f"{path} cannot be read: {shorten(printable(why), 200)}")


def _metadata(path: Path) -> Any:
    return _safetensors_header(path)[0].get(_METADATA)


def _safetensors(path: Path) -> dict[str, Stored]:
    entries, rest = _safetensors_header(path)
    entries.pop(_METADATA, None)
    _check_places(entries, rest)
    return {name: _entry(entry, path) for name, entry in entries.items()}


def _safetensors_header(path: Path) -> tuple[dict[str, Any], int]:
    """The header, and how many bytes come after it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise ValueError("it ends before its header does")
        if length > MOST_BYTES:
            raise ValueError(f"its header is larger than {MOST_BYTES:,} bytes")
        return _json(file.read(length)), size - 8 - length


def _json(data: bytes) -> dict[str, Any]:
    found = json.loads(data, object_pairs_hook=_once)
    if not isinstance(found, dict):
        raise ValueError("its header is no mapping")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its header names something twice")
    return found


def _check_places(entries: Mapping[str, Any], size: int) -> None:
    """The tensors stand one behind another, without gaps, and have as many bytes as they need."""
    places = sorted(_place(name, entry) for name, entry in entries.items())
    end = 0
    for start, stop, name in places:
        if start != end:
            raise ValueError(f"{name} does not begin where the tensor before it ends")
        end = stop
    if end != size:
        raise ValueError("its tensors do not fill it")


def _place(name: str, entry: Any) -> tuple[int, int, str]:
    match entry:
        case {
            "dtype": str(dtype),
            "shape": [*shape],
            "data_offsets": [int(start), int(stop)],
        } if all(map(_is_size, (start, stop, *shape))):
            wanted = math.prod(shape[:MOST_DIMENSIONS]) * _BYTES.get(dtype, 0)
            known = dtype in _BYTES and stop - start == wanted
            if len(shape) <= MOST_DIMENSIONS and known:
                return start, stop, name
    raise ValueError(f"what it says of {name} makes no sense")


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _entry(entry: Any, path: Path) -> Stored:
    return Stored(tuple(entry["shape"]), entry["dtype"], path)


def _index(path: Path) -> dict[str, Stored]:
    """`model.safetensors.index.json`: which file holds which tensor."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    places = _json(path.read_bytes()).get("weight_map")
    if not isinstance(places, dict):
        raise ValueError("it has no weight_map")
    files = dict.fromkeys(map(_beside, places.values()))
    if len(files) > MOST_FILES:
        raise ValueError(f"it names more than {MOST_FILES:,} files")
    held = {file: read_header(path.parent / file) for file in files}
    lost = next((name for name, file in places.items() if name not in held[file]), None)
    if lost is not None:
        raise ValueError(f"{places[lost]} does not hold {lost}")
    return {name: held[file][name] for name, file in places.items()}


def _beside(name: Any) -> str:
    """The name of a file in the same folder."""
    plain = isinstance(name, str) and Path(name).name == name and "\\" not in name
    if not plain or not name.endswith(".safetensors"):
        raise ValueError(f"{name!r} is no safetensors file beside it")
    return str(name)


def _npz(path: Path) -> dict[str, Stored]:
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(_members(archive, path))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise ValueError(str(error)) from None


def _members(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, Stored]]:
    if len(archive.filelist) > MOST_TENSORS:
        raise ValueError(f"it holds more than {MOST_TENSORS:,} tensors")
    names: set[str] = set()
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name == info.filename or name in names:
            raise ValueError(f"{info.filename} is no array, or there twice")
        names.add(name)
        with archive.open(info) as file:
            shape, dtype = _numpy_header(file)
        yield name, Stored(shape, dtype, path)


def _numpy_header(file: IO[bytes]) -> tuple[tuple[int, ...], str]:
    """The shape and the dtype of an array; objects would be a pickle, and are refused.

    Versions after the first are for headers too long to be of use here.
    """
    if file.read(8) != b"\x93NUMPY\x01\x00":
        raise ValueError("it is no array of numpy's first version")
    length = int.from_bytes(file.read(2), "little")
    match = _ARRAY.fullmatch(file.read(length).decode("latin-1"))
    if match is None:
        raise ValueError("it is no array of numbers")
    shape = tuple(map(int, re.findall(r"\d+", match["shape"])))
    if len(shape) > MOST_DIMENSIONS or not all(map(_is_size, shape)):
        raise ValueError("an array has a shape that makes no sense")
    return shape, match["dtype"]
