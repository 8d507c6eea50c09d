"""Imports of a spec that was copied from the shipped ones: their blocks are found, and nothing else is."""

from pathlib import Path

import pytest

from compiler import SpecError, compile_spec

SPECS = Path("specs")
NET = """\
name: Net
import: {{{block}: {path}}}
inputs: {{x: "float[B, 3, H, W]"}}
layers: {{a: relu}}
"""


def test_a_copied_spec_finds_its_blocks(tmp_path: Path) -> None:
    copy = tmp_path / "mamba_130m.yaml"  # whose blocks import others in their turn
    copy.write_text((SPECS / copy.name).read_text())
    assert compile_spec(copy).python == compile_spec(SPECS / copy.name).python


def test_a_file_beside_the_spec_goes_before(tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "vision.yaml").write_text("name: Mine\n")
    with pytest.raises(SpecError, match=r"blocks/vision.yaml:1:1"):
        compile_spec(_importing(tmp_path, "LayerScale", "blocks/vision.yaml"))


@pytest.mark.parametrize(
    "path",
    ["blocks/none.yaml", "blocks/../gpt2.yaml", "gpt2.yaml", "blocks", "vision.yaml"],
)
def test_nothing_but_blocks_is_found(tmp_path: Path, path: str) -> None:
    with pytest.raises(SpecError, match="import-not-found"):
        compile_spec(_importing(tmp_path, "Block", path))


@pytest.mark.parametrize("path", ["blocks/../../gpt2.yaml", "/blocks/vision.yaml"])
def test_imports_stay_inside(tmp_path: Path, path: str) -> None:
    with pytest.raises(SpecError, match="import-outside"):
        compile_spec(_importing(tmp_path, "Block", path))


def _importing(folder: Path, block: str, path: str) -> Path:
    file = folder / "net.yaml"
    file.write_text(NET.format(block=block, path=path))
    return file
