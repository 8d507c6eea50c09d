"""`diagram`: the formats and parts that it draws."""

from pathlib import Path

import pytest

from tests.layergraph.commands.command import GPT2, ODD, Ran, Runner, spec


@pytest.mark.parametrize(
    "suffix", ["svg", "pdf", "png", "dot", "mmd", "tex", "tikz", "html"]
)
def test_diagram_draws_what_the_name_says(
    run: Runner, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"net.{suffix}"
    assert run("diagram", "specs/cnn.yaml", "-o", path) == Ran(0, f"{path}\n", "")
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG", "dot": b"digraph"}
    starts |= {
        "tex": rb"\documentclass",
        "tikz": b"% A diagram by LayerGraph",
        "html": b"<!doctype html>",
    }
    assert path.read_bytes().startswith(starts.get(suffix, b""))


def test_a_graph_with_faults_is_drawn_too(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "net.svg"
    found = run("diagram", spec(tmp_path, ODD), "-o", path)
    assert found.code == 1
    assert "error[shape-mismatch]" in found.err
    assert path.exists()


def test_diagram_takes_its_options(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "net.dot"
    options = [
        "--block",
        "Block",
        "--fold",
        "mlp",
        "--direction",
        "LR",
        "--theme",
        "dark",
    ]
    assert run("diagram", GPT2, "-o", path, *options).code == 0
    dot = path.read_text()
    assert "rankdir=LR" in dot
    assert "c_fc" not in dot


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "net.jpg"], "net.jpg must end in one of .dot"),
        (["-o", "net.svg", "--block", "Blok"], "did you mean `Block`?"),
        (["-o", "net.svg", "--direction", "UP"], "Invalid value for '--direction'"),
        ([], "Missing option '-o'"),
    ],
)
def test_pictures_that_cannot_be(run: Runner, options: list[str], said: str) -> None:
    found = run("diagram", GPT2, *options)
    assert found.code == 2
    assert said in found.err
