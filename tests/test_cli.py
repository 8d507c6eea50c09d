"""The command line: what it prints and writes, how it ends, and what it leaves alone."""

import gc
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import cli

GPT2 = "specs/gpt2.yaml"
BROKEN = """name: Net
inputs: {x: "float[B, 4]"}
layers:
  a: {op: linear, out_features: 4, biass: false}
  b: {op: lineer, out_features: 4}
"""
ODD = """name: Net
inputs: {x: "float[B, 3, H, W]"}
layers:
  down: {op: conv2d, out_channels: 3, kernel_size: 3, stride: 2, padding: 1}
  sum: {op: add, in: [x, down]}
"""


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> "Runner":
    return Runner(capsys, monkeypatch)


@dataclass
class Runner:
    """Runs a command in this process."""

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: object) -> Ran:
        self.monkeypatch.setattr(sys, "argv", ["cli.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self.capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)


def spec(folder: Path, text: str, name: str = "net.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# build


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
    from compiler import artefacts
    from compiler.diagram.engine import RenderError

    def late(dot: str, format: str) -> bytes:
        raise RenderError("the layout took more than 20 s and was stopped")

    monkeypatch.setattr(artefacts, "render_dot", late)
    found = run("build", GPT2, "--out", tmp_path)
    assert found.code == 0
    assert found.err.startswith("warning: there is no picture: the layout took")
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


# check


def test_check_of_good_specs(run: Runner) -> None:
    found = run("check", GPT2, "specs/cnn.yaml")
    assert found == Ran(0, "specs/gpt2.yaml: ok\nspecs/cnn.yaml: ok\n", "")


def test_check_shows_every_mistake_of_every_file(run: Runner, tmp_path: Path) -> None:
    found = run("check", spec(tmp_path, BROKEN), GPT2, tmp_path / "none.yaml")
    assert (found.code, found.out) == (1, "specs/gpt2.yaml: ok\n")
    codes = [line for line in found.err.splitlines() if line.startswith("error[")]
    assert [code.partition("]")[0][6:] for code in codes] == [
        "unknown-argument", "unknown-op", "file-not-found",
    ]  # fmt: skip
    assert "did you mean `bias`?" in found.err
    assert "  b: {op: lineer, out_features: 4}" in found.err


def test_check_as_data(run: Runner, tmp_path: Path) -> None:
    path = spec(tmp_path, ODD)
    found = run("check", path, "--json")
    assert (found.code, found.err) == (1, "")
    (fault,) = json.loads(found.out)
    keys = "code severity message file line column end_line end_column path help"
    assert list(fault) == keys.split()
    assert fault["code"] == "shape-mismatch"
    assert (fault["file"], fault["line"]) == (str(path), 5)
    assert run("check", GPT2, "--json").out == "[]\n"


def test_colour_is_for_terminals(run: Runner, tmp_path: Path) -> None:
    assert "\x1b" not in run("check", spec(tmp_path, BROKEN)).err


# summary


def test_summary_is_a_table(run: Runner) -> None:
    found = run("summary", "specs/cnn.yaml", "--at", "B=2")
    lines = found.out.splitlines()
    assert lines[0] == "CNN: image float[2, 1, 28, 28] -> logits float[2, 10]"
    columns = "layer op output parameters as a formula FLOPs"
    assert lines[1].split() == columns.split()
    cells = (
        "conv1 conv2d float[2, 6, 28, 28] 156"
        " 25 * channels * filters[0] + filters[0] 470,400"
    )
    assert lines[2].split() == cells.split()
    assert lines[-3:] == ["FLOPs: 1,666,080", "activations: 30,244", "at: B = 2"]


def test_summary_shows_as_many_levels_as_wanted(run: Runner) -> None:
    shallow = run("summary", GPT2, "--depth", 1).out.splitlines()
    assert not any(line.startswith("  ") for line in shallow)
    deep = run("summary", GPT2, "--depth", 3).out
    assert deep == run("summary", GPT2).out
    assert "\n    c_attn " in deep


def test_summary_as_data(run: Runner) -> None:
    data = json.loads(run("summary", GPT2, "--json", "--at", "B=1,T=1024").out)
    assert data["at"] == {"B": 1, "T": 1024}
    assert data["networks"][""]["flops"]["value"] == 291648307200


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("T=2000", "T must be at most 1024, and is 2000"),
        ("X=1", "no input has a dimension X"),
        ("T", "a setting reads name=value, and this is T"),
        ("T=one", "T must be an integer above 0, and is one"),
    ],
)
def test_summary_at_sizes_that_are_not_admitted(
    run: Runner, at: str, said: str
) -> None:
    found = run("summary", GPT2, "--at", at)
    assert (found.code, found.out) == (2, "")
    assert said in found.err


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
        (["--set", "width=!!int 3"], "is a YAML tag"),
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


# diagram


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png", "dot", "mmd"])
def test_diagram_draws_what_the_name_says(
    run: Runner, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"net.{suffix}"
    assert run("diagram", "specs/cnn.yaml", "-o", path) == Ran(0, f"{path}\n", "")
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG", "dot": b"digraph"}
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
        (["-o", "net.jpg"], "net.jpg must end in one of .svg"),
        (["-o", "net.svg", "--block", "Blok"], "did you mean `Block`?"),
        (["-o", "net.svg", "--direction", "UP"], "Invalid value for '--direction'"),
        ([], "Missing option '-o'"),
    ],
)
def test_pictures_that_cannot_be(run: Runner, options: list[str], said: str) -> None:
    found = run("diagram", GPT2, *options)
    assert found.code == 2
    assert said in found.err


# explain, expand, diff, fmt


def test_explain(run: Runner) -> None:
    found = run("explain", GPT2, "h[3].attn.c_attn")
    assert (found.code, found.err) == (0, "")
    assert "  output: float[B, T, 3 * D] = float[B, T, 2304]" in found.out.splitlines()
    assert run("explain", GPT2, "h.atn").code == 2


def test_expand_gives_a_spec(run: Runner, tmp_path: Path) -> None:
    found = run("expand", GPT2, "--variant", "xl")
    assert found.code == 0
    again = spec(tmp_path, found.out)
    assert run("check", again).code == 0
    assert "variants" not in found.out
    assert "width: 1600" in found.out


def test_diff(run: Runner, tmp_path: Path) -> None:
    changed = Path(GPT2).read_text().replace("ln_f: layer_norm", "ln_f: rms_norm")
    changed = changed.replace("  parameters: 124439808\n", "")
    path, picture = spec(tmp_path, changed), tmp_path / "changes.svg"
    found = run("diff", GPT2, path, "-o", picture)
    assert found.code == 0
    assert "GPT2:\n  ~ ln_f\n      op: layer_norm -> rms_norm\n" in found.out
    assert "parameters: 124,439,808 -> 124,439,040 (-768)\n" in found.out
    assert "changed" in picture.read_text()


def test_fmt_names_what_it_changes(run: Runner, tmp_path: Path) -> None:
    path = spec(tmp_path, "name:   Net  # mine\nlayers: {a: relu}\n")
    assert run("fmt", path, GPT2) == Ran(0, f"{path}\n", "")
    assert path.read_text() == "name: Net  # mine\nlayers:\n  a: relu\n"
    assert run("fmt", path) == Ran(0, "", "")


def test_fmt_of_broken_yaml_changes_nothing(run: Runner, tmp_path: Path) -> None:
    good, bad = spec(tmp_path, "name:   A\n"), spec(tmp_path, "a: [1\n", "bad.yaml")
    assert run("fmt", good, bad).code == 1
    assert good.read_text() == "name:   A\n"


# ops, schema, verify


def test_ops(run: Runner) -> None:
    assert "\n  linear " in run("ops").out
    one = run("ops", "attention").out
    assert one.startswith("attention(query, key, value, mask?, bias?) -> output\n")
    (data,) = json.loads(run("ops", "linear", "--json").out)
    assert data["arguments"][1] == {
        "name": "bias", "takes": "true or false", "default": "true",
    }  # fmt: skip
    wrong = run("ops", "liner")
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean `linear`?" in wrong.err


def test_schema(run: Runner) -> None:
    found = json.loads(run("schema").out)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_verify(run: Runner) -> None:
    assert run("verify", "specs/cnn.yaml") == Ran(0, "specs/cnn.yaml: verified\n", "")


def test_verify_tells_what_is_wrong(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime import verify

    monkeypatch.setattr(verify, "verify", lambda program: ["one is not two"])
    assert run("verify", "specs/cnn.yaml") == Ran(1, "", "error: one is not two\n")


# The command line itself.


@pytest.mark.parametrize(
    "arguments", [["bogus"], ["build"], ["build", GPT2, "--bogus"], []]
)
def test_a_wrong_command_ends_with_2(run: Runner, arguments: list[str]) -> None:
    assert run(*arguments).code == 2


def test_limits_can_be_lifted(run: Runner, tmp_path: Path) -> None:
    comment = "# a long story\n" * 80_000
    path = spec(tmp_path, comment + Path("specs/cnn.yaml").read_text())
    assert "error[too-large]" in run("check", path).err
    assert run("check", path, "--no-limits").code == 0
