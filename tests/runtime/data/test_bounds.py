"""Files of users are bounded in size, and only read as the formats that are named."""

import gzip
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from compiler.diagnostics.diagnostic import DataError, SpecError
from runtime.data import user_files
from runtime.tasks.user_inputs import image_files, read_user_image
from tests.runtime.data.section import read


def test_a_file_that_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_files, "MAX_BYTES", 1_000)
    for name, content in {
        "bomb.gz": gzip.compress(b"a" * 100_000),
        "large.txt": b"a" * 1_001,
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SpecError, match="has more than 1,000 bytes"):
            read(f"{{text: {{path: {name}}}}}", tmp_path)


EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 8 8
%%EndComments
showpage
%%EOF
"""


def test_no_program_is_started_for_an_image(tmp_path: Path) -> None:
    file = tmp_path / "eps_as.png"
    file.write_bytes(EPS)
    for size in (None, (8, 8)):
        with pytest.raises(DataError, match=r"eps_as.png is not an image"):
            read_user_image(str(file), size, 3)


def test_an_image_that_claims_to_be_huge(tmp_path: Path) -> None:
    file = tmp_path / "huge.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    check = struct.pack(">I", zlib.crc32(chunk))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + check)
    with pytest.raises(DataError, match=r"huge.png is not an image"):
        read_user_image(str(file), (8, 8), 1)


def test_a_folder_stands_for_its_images(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", ".hidden"):
        Image.new("L", (4, 4)).save(tmp_path / name, format="png")
    (tmp_path / "sub").mkdir()
    names = [str(tmp_path / name) for name in ("a.png", "b.png")]
    assert image_files([str(tmp_path), "c.png"]) == [*names, "c.png"]
