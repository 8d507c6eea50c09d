"""Files and programs become live classes, and leave nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import torch

from compiler import Program, compile_spec
from runtime.load import load_file, load_program

SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture(scope="module")
def cnn() -> Program:
    return compile_spec(SPECS / "cnn.yaml")


def test_a_single_network_has_an_empty_name(cnn: Program) -> None:
    (kind,) = load_program(cnn).values()
    assert kind.__name__ == "CNN"
    assert load_program(cnn).keys() == {""}
    assert kind()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_several_networks_by_name() -> None:
    classes = load_program(compile_spec(SPECS / "gan.yaml"))
    assert {name: kind.__name__ for name, kind in classes.items()} == {
        "generator": "Generator",
        "discriminator": "Discriminator",
    }


def test_a_program_leaves_no_file(
    cnn: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    load_program(cnn)
    assert not list(tmp_path.iterdir())


def test_two_programs_of_one_name_are_two_modules(cnn: Program) -> None:
    first, second = (load_program(cnn)[""] for _ in range(2))
    assert first is not second
    assert first().state_dict().keys() == second().state_dict().keys()


@pytest.mark.parametrize("name", ["cnn.py", "a network.py", "torch.py"])
def test_a_file_may_have_any_name(cnn: Program, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(cnn.python, encoding="utf-8")
    module = load_file(file)
    assert module.__all__ == ["CNN"]
    assert module.CNN is not load_file(file).CNN


def test_files_of_one_name_in_two_folders(cnn: Program, tmp_path: Path) -> None:
    for folder, name in (("a", "First"), ("b", "Second")):
        file = tmp_path / folder / "net.py"
        file.parent.mkdir()
        file.write_text(cnn.python.replace("CNN", name), encoding="utf-8")
    assert load_file(tmp_path / "a" / "net.py").__all__ == ["First"]
    assert load_file(tmp_path / "b" / "net.py").__all__ == ["Second"]


def test_a_file_that_is_not_python(tmp_path: Path) -> None:
    file = tmp_path / "cnn.yaml"
    file.write_text("name: CNN", encoding="utf-8")
    with pytest.raises(ImportError, match="not a Python file"):
        load_file(file)
