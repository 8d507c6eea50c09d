"""Headers of files from strangers: read where they are right, refused where they are not."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pytest

from compiler.checkpoint.headers import MOST_BYTES, read_header, read_mark
from compiler.diagnostics.diagnostic import RequestError
from tests.compiler.checkpoint.files import packed, safetensors

GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def test_safetensors(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    file.write_bytes(safetensors({"a.weight": (3, 2), "a.bias": (3,), "s": ()}))
    found = read_header(file)
    assert {name: one.shape for name, one in found.items()} == {
        "a.weight": (3, 2),
        "a.bias": (3,),
        "s": (),
    }
    assert {one.dtype for one in found.values()} == {"F32"}


@pytest.mark.parametrize(
    ("metadata", "mark"),
    [({"names": "Net"}, "Net"), ({"format": "pt"}, ""), ({"names": 3}, ""), ([], "")],
)
def test_the_mark_of_a_file_that_was_converted(
    metadata: object, mark: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.safetensors"
    file.write_bytes(packed({"__metadata__": metadata}))
    assert read_mark(file) == mark


def test_an_index_and_its_files(tmp_path: Path) -> None:
    (tmp_path / "1.safetensors").write_bytes(safetensors({"a": (2,), "b": (1,)}))
    (tmp_path / "2.safetensors").write_bytes(safetensors({"c": (3,)}))
    index = tmp_path / "model.safetensors.index.json"
    places = {"a": "1.safetensors", "c": "2.safetensors"}
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    found = read_header(index)
    assert {name: one.file.name for name, one in found.items()} == places


def test_npz(tmp_path: Path) -> None:
    numpy.savez(
        tmp_path / "a.npz",
        w=numpy.zeros((2, 3)),
        b=numpy.zeros(3, "int32"),
        s=numpy.array(True),
    )
    found = read_header(tmp_path / "a.npz")
    assert {name: (one.shape, one.dtype) for name, one in found.items()} == {
        "w": ((2, 3), "f8"),
        "b": ((3,), "i4"),
        "s": ((), "b1"),
    }


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ends before its header"),
        (b"\xff" * 8, "ends before its header"),
        (packed(b"{}")[:-1], "ends before its header"),
        ((MOST_BYTES + 1).to_bytes(8, "little"), "ends before its header"),
        (packed([]), "no mapping"),
        (packed(b"\xff\xfe"), "cannot be read"),
        (packed(b'{"a": {}, "a": {}}'), "twice"),
        (packed(b"[" * 100_000), "cannot be read"),
        (packed(b'{"a": ' + b"1" * 5_000 + b"}"), "cannot be read"),
        (packed({"a": 3}), "a makes no sense"),
        (packed({"a": {**GOOD, "dtype": "X"}}, bytes(8)), "a makes no sense"),
        (packed({"a": {**GOOD, "shape": [3]}}, bytes(8)), "a makes no sense"),
        (packed({"a": {**GOOD, "shape": [-2]}}, bytes(8)), "a makes no sense"),
        (packed({"a": {**GOOD, "shape": [True]}}, bytes(8)), "a makes no sense"),
        (packed({"a": {**GOOD, "shape": [1] * 65}}, bytes(8)), "a makes no sense"),
        (packed({"a": {**GOOD, "shape": [2**62] * 9}}, bytes(8)), "a makes no sense"),
        (packed({"a": {**GOOD, "data_offsets": [8, 0]}}), "a makes no sense"),
        (packed({"a": GOOD, "b": GOOD}, bytes(8)), "does not begin where"),
        (packed({"a": GOOD}, bytes(9)), "do not fill it"),
        (packed({"a": GOOD}, bytes(7)), "do not fill it"),
    ],
)
def test_damaged_safetensors(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "a.safetensors"
    file.write_bytes(data)
    start = time.process_time()
    with pytest.raises(RequestError, match=said):
        read_header(file)
    assert time.process_time() - start < 5


def test_a_header_that_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    with file.open("wb") as out:
        out.write((MOST_BYTES + 1).to_bytes(8, "little"))
        out.truncate(MOST_BYTES + 100)  # a hole, which takes no room
    with pytest.raises(RequestError, match="header is larger"):
        read_header(file)


@pytest.mark.parametrize(
    "name",
    ["../a.safetensors", "/a.safetensors", "b\\a.safetensors", "a.bin", "", 3, None],
)
def test_an_index_stays_in_its_folder(tmp_path: Path, name: Any) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "a.safetensors").write_bytes(safetensors({"a": (2,)}))
    index = folder / "index.json"
    index.write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(RequestError, match="no safetensors file beside it"):
        read_header(index)


def test_an_index_that_is_wrong(tmp_path: Path) -> None:
    index = tmp_path / "index.json"
    index.write_text("{}")
    with pytest.raises(RequestError, match="no weight_map"):
        read_header(index)
    (tmp_path / "a.safetensors").write_bytes(safetensors({"a": (2,)}))
    index.write_text(json.dumps({"weight_map": {"b": "a.safetensors"}}))
    with pytest.raises(RequestError, match=r"a\.safetensors does not hold b"):
        read_header(index)
    index.write_text(json.dumps({"weight_map": {"b": "c.safetensors"}}))
    with pytest.raises(RequestError, match="there are no weights at"):
        read_header(index)


def _npz(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def _npy(header: str, version: int = 1) -> bytes:
    text = header.encode()
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes((version, 0)) + length + text


_OBJECTS = "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}\n"
_NEGATIVE = "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}\n"
_CALL = "__import__('os').system('true')\n"


@pytest.mark.parametrize(
    "data",
    [
        b"PK",
        _npz("a.txt", b""),
        _npz("a.npy", b"no array"),
        _npz("a.npy", _npy(_OBJECTS)),
        _npz("a.npy", _npy(_NEGATIVE)),
        _npz("a.npy", _npy(_CALL)),
        _npz("a.npy", _npy("(" * 9_000 + "\n")),
        _npz("a.npy", _npy(" " * 60_000)),
        _npz("a.npy", _npy(_OBJECTS.replace("(2,)", "(" + "2, " * 9_000 + ")"))),
        _npz("a.npy", _npy(_NEGATIVE.replace("(-2,)", "(" + "2, " * 9_000 + "x"))),
        _npz("a.npy", _npy(" " * 50_000_000, version=2)),
    ],
)
def test_damaged_npz(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "a.npz"
    file.write_bytes(data)
    start = time.process_time()
    with pytest.raises(RequestError, match="cannot be read"):
        read_header(file)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("name", ["a.bin", "a.pt", "a.pth", "a.ckpt"])
def test_pickles_are_never_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match=r"is a pickle.*weights_only=True"):
        read_header(tmp_path / name)  # it is not even there


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no file of weights"):
        read_header(tmp_path / "a.h5")
    with pytest.raises(RequestError, match="there are no weights at"):
        read_header(tmp_path / "a.safetensors")
    (tmp_path / "b.npz").mkdir()
    with pytest.raises(RequestError, match="there are no weights at"):
        read_header(tmp_path / "b.npz")


def test_checking_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(safetensors({"fc.weight": (2, 4)}))
    layers = "{fc: {op: linear, out_features: 2, bias: false}}"
    (tmp_path / "a.yaml").write_text(
        f"name: A\ninputs: {{x: 'float[B, 4]'}}\nlayers: {layers}\n"
    )
    code = (
        "import sys; sys.argv = ['layergraph', 'weights', 'check', *sys.argv[1:]]\n"
        "from layergraph.__main__ import main\nmain()"
    )
    watched = f"{code.replace('main()', '')}\ntry:\n main()\nfinally:\n assert 'torch' not in sys.modules\n"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            watched,
            tmp_path / "a.yaml",
            tmp_path / "a.safetensors",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 1 tensors fit" in done.stdout
