"""`build`: what it writes, and the variants and settings that it takes as others do."""

import json
from pathlib import Path

import pytest

from tests.layergraph.commands.command import BROKEN, GPT2, Ran, Runner, spec


def test_build_writes_four_files(run: Runner, tmp_path: Path) -> None:
    found = run("build", GPT2, "--out", tmp_path)
    written = [
        tmp_path / f"gpt2{suffix}" for suffix in (".py", ".svg", ".dot", ".json")
    ]
    assert found == Ran(0, "".join(f"{path}\n" for path in written), "")
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert json.loads(written[3].read_text())["name"] == "GPT2"


def test_build_goes_to_a_folder_of_its_name(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spec(tmp_path, Path("specs/cnn.yaml").read_text(), "small.yaml")
    monkeypatch.chdir(tmp_path)
    assert run("build", path.name).out.startswith("build/small/small.py\n")


def test_build_takes_a_variant_and_settings(run: Runner, tmp_path: Path) -> None:
    options = ["--variant", "medium", "--set", "depth=2", "--set", "dropout=0"]
    assert run("build", GPT2, "--out", tmp_path, *options).code == 0
    params = json.loads((tmp_path / "gpt2.json").read_text())["params"]
    assert (params["width"], params["depth"], params["dropout"]) == (1024, 2, 0.0)


def test_build_of_a_wrong_spec_writes_nothing(run: Runner, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = run("build", spec(tmp_path, BROKEN), "--out", out)
    assert (found.code, found.out) == (1, "")
    assert not out.exists()


def test_build_without_a_picture_says_so(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from compiler.diagram import picture
    from compiler.diagram.layout_engine import LayoutTooLargeError

    def late(dot: str, format: str, **options: str) -> bytes:
        raise LayoutTooLargeError("the layout took more than 2 s and was stopped")

    monkeypatch.setattr(picture, "render_dot", late)
    found = run("build", GPT2, "--out", tmp_path)
    assert found.code == 0
    assert found.err.startswith("warning: there is no picture: the layout took")
    assert "gpt2.yaml:" in found.err and "is too large" in found.err
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [
        ".dot",
        ".json",
        ".py",
    ]


def test_build_into_no_folder_is_a_wrong_command(run: Runner, tmp_path: Path) -> None:
    file = spec(tmp_path, "")
    found = run("build", GPT2, "--out", file)
    assert found.code == 2
    assert "Not a directory" in found.err or "File exists" in found.err
    assert list(tmp_path.iterdir()) == [file]


def test_build_of_blocks_alone_is_refused(run: Runner, tmp_path: Path) -> None:
    blocks = Path("specs/gpt2.yaml").read_text().partition("blocks:")[2]
    found = run("build", spec(tmp_path, f"name: Parts\nblocks:{blocks}"))
    assert found.code == 2
    assert "there is nothing to build" in found.err


def test_build_verifies(run: Runner, tmp_path: Path) -> None:
    options = ["--set", "depth=1", "--set", "width=24", "--set", "vocab=50"]
    assert run("build", GPT2, "--verify", "--out", tmp_path, *options).code == 0


# settings


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--variant", "larg"], "there is no variant larg; did you mean `large`?"),
        (["--set", "wdth=3"], "there is no param wdth; did you mean `width`?"),
        (["--set", "width"], "a setting reads name=value, and this is width"),
        (["--set", "width=wide"], "width must be int, and is wide"),
        (["--set", "width=3.5"], "width must be int, and is 3.5"),
        (["--set", "width=[3]"], "width must be int, and is [3]"),
        (["--set", "width={a: 1}"], "width must be a value or a list"),
        (["--set", "width=!!int 3"], "YAML tags are not supported"),
        (["--set", "width=1\nb: 2"], "width must be one value"),
        (["--set", "width="], "width must be a value or a list"),
    ],
)
def test_settings_that_cannot_be(run: Runner, options: list[str], said: str) -> None:
    found = run("summary", GPT2, *options)
    assert (found.code, found.out) == (2, "")
    assert said in found.err


def test_a_list_can_be_set(run: Runner) -> None:
    found = run(
        "summary", "specs/resnet50.yaml", "--set", "depths=[1, 1, 1, 1]", "--json"
    )
    assert json.loads(found.out)["params"]["depths"] == [1, 1, 1, 1]
