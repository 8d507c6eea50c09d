"""A spec that extends another is trained as one that is written whole."""

from pathlib import Path
from shutil import copy

from compiler import compile_spec
from runtime.engine.trainer import folder_of
from runtime.open_run import open_run
from tests.runtime.engine.train_specs import trained

HERE = Path(__file__).with_name("specs")


def test_data_of_the_base_are_found_beside_it(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for name in ("language_model.yaml", "text.txt"):
        copy(HERE / name, base)
    own = tmp_path / "own.yaml"
    own.write_text(
        "extends: base/language_model.yaml\nname: Own\ntask: {epochs: 1}\n",
        encoding="utf-8",
    )
    trained(own, tmp_path / "run")
    run = open_run(tmp_path / "run")
    assert run.program.name == "Own"
    assert run.evaluate()["loss"] > 0
    state = trained(own, tmp_path / "run", "task.epochs=2", resume=True)
    assert state.epoch == 2
    own.write_text(
        "extends: base/language_model.yaml\ntask: {data: {text: {path: text.txt}}}\n",
        encoding="utf-8",
    )
    program = compile_spec(own)
    assert folder_of(program, "data") == tmp_path
    assert folder_of(program, "kind") == base
