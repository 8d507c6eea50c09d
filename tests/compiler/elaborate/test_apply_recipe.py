"""A recipe is the spec of its network, with its params and its task."""

import re
from pathlib import Path

import pytest

from compiler import SpecError, compile_spec
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Source
from compiler.fmt.expand import expand
from compiler.fmt.write_spec import write_spec
from compiler.parse.parse import parse
from layergraph.overrides import compile_chosen
from layergraph.spec_file import spec_file

NET = """
name: Net
params: {classes: 10, width: 16, hidden: 2 * width}
variants:
  wide: {width: 64, task: {kind: classification, data: mnist}}
import: {Body: parts/body.yaml}
inputs: {image: "float[B, 1, 8, 8]"}
layers:
  flat: flatten
  body: {op: Body, width: hidden}
  fc: {op: linear, out_features: classes}
outputs: {logits: fc}
expect: {parameters: 123}
task: {kind: classification, data: digits, epochs: 99, clip: 1.0}
"""
BODY = """
name: Body
blocks:
  Body:
    params: {width: int}
    inputs: {x: "float[B, D]"}
    layers: {fc: {op: linear, out_features: width}, act: relu}
"""
TASK = "task: {kind: classification, data: digits, epochs: width}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, text in (("specs/net.yaml", NET), ("specs/parts/body.yaml", BODY)):
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / "recipes").mkdir()
    return tmp_path


def recipe(folder: Path, text: str, name: str = "recipes/r.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_params_are_over_the_variant_and_the_task_replaces_all_others(
    folder: Path,
) -> None:
    text = f"network: ../specs/net.yaml\nvariant: wide\nparams: {{classes: 10}}\n{TASK}"
    program = compile_spec(recipe(folder, text))
    assert program.typed.params == {"classes": 10, "width": 64, "hidden": 128}
    assert program.task is not None
    assert (program.task.epochs, program.task.clip) == (64, None)
    assert program.task.data.name == "digits"
    assert "class Net(nn.Module)" in program.python


def test_settings_are_over_the_recipe(folder: Path) -> None:
    file = recipe(folder, f"network: ../specs/net.yaml\nparams: {{width: 3}}\n{TASK}")
    sets = ["width=5", "task.clip=2.0"]
    program = compile_chosen(file, "", sets, limits=Limits())
    assert program.task is not None
    assert (program.task.epochs, program.task.clip) == (5, 2.0)


def test_an_expanded_recipe_is_a_spec_that_compiles_to_the_same(folder: Path) -> None:
    file = recipe(folder, f"network: ../specs/net.yaml\nparams: {{width: 3}}\n{TASK}")
    program = compile_spec(file)
    whole = folder / "r.yaml"
    whole.write_text(write_spec(expand(program.typed, program.task_node)))
    again = compile_spec(whole)
    assert again.python == program.python
    assert again.task == program.task


def test_the_network_may_be_beside_the_recipe(folder: Path) -> None:
    text = f"network: net.yaml\n{TASK}"
    file = recipe(folder, text, "specs/r.yaml")
    assert compile_spec(file).task is not None


def test_a_recipe_that_was_copied_alone_finds_a_shipped_spec(tmp_path: Path) -> None:
    shipped = spec_file("cnn_digits")
    assert shipped.parent.name == "recipes"
    file = recipe(tmp_path, shipped.read_text(encoding="utf-8"), "mine.yaml")
    assert compile_spec(file).python == compile_spec(shipped).python.replace(
        "cnn_digits.yaml", "mine.yaml"
    )


def test_every_command_of_the_readme_names_a_recipe_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    names = re.findall(r"`layergraph train (recipes/\w+\.yaml)", readme)
    monkeypatch.chdir(tmp_path)
    assert len(names) > 20 and all(spec_file(name).is_file() for name in names)
    assert spec_file("specs/gpt2.yaml") == spec_file("gpt2")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/gpt2.yaml").write_text(NET, encoding="utf-8")
    assert spec_file("specs/gpt2.yaml") == Path("specs/gpt2.yaml")
    with pytest.raises(FileNotFoundError, match=r"no file recipes/no\.yaml"):
        spec_file("recipes/no.yaml")


def test_a_link_leads_out_of_no_folder(folder: Path, tmp_path: Path) -> None:
    (folder / "away").mkdir()
    (folder / "away/net.yaml").write_text(NET, encoding="utf-8")
    (folder / "recipes/net.yaml").symlink_to(folder / "away/net.yaml")
    with pytest.raises(SpecError, match="import-outside"):
        compile_spec(recipe(folder, f"network: net.yaml\n{TASK}"))


def test_files_are_named_as_the_user_names_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    recipe(folder, f"network: ../specs/net.yaml\n{TASK}")
    program = compile_spec("recipes/r.yaml")
    assert list(program.sources) == [
        "recipes/r.yaml",
        "specs/net.yaml",
        "specs/parts/body.yaml",
    ]
    (folder / "specs/parts/body.yaml").write_text("name: Body\nblocks: {Body: 3}\n")
    with pytest.raises(SpecError) as error:
        compile_spec("recipes/r.yaml")
    assert error.value.diagnostics[0].span.file == "specs/parts/body.yaml"


def test_a_document_without_a_recipe_is_unchanged() -> None:
    assert parse(Source("a.yaml", NET)).network is None
