"""What a run is evaluated on: its own split of data that has grown or moved, or other data, never what it has seen."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from compiler.diagnostics.diagnostic import DataError, RequestError, SpecError
from compiler.tasks.data_set import DataSet
from layergraph.__main__ import app
from runtime.open_run import open_run
from tests.runtime.engine.train_specs import CLASSIFICATION, trained


def images(folder: Path, name: str, count: int, seed: int = 0) -> None:
    """Images of noise in two classes, which nothing can be learned from."""
    torch.manual_seed(seed)
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            values = torch.randint(0, 256, (8, 8), dtype=torch.uint8).numpy()
            Image.fromarray(values).save(folder / label / f"{name}{number}.png")


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A run of a folder of images beside it, half of which are held out."""
    data = "{image_folder: {path: noise, size: 8, channels: 1, held_out: 0.5}}"
    text = CLASSIFICATION.read_text().replace("out_features: 10", "out_features: 2")
    text = re.sub(r"data: .*", f"data: {data}", text)
    (tmp_path / "spec.yaml").write_text(text)
    images(tmp_path / "noise", "x", 10)
    folder = tmp_path / "run"
    trained(tmp_path / "spec.yaml", folder, "task.epochs=1")
    return folder


def test_data_that_has_grown_is_split_as_it_was(noise: Path, tmp_path: Path) -> None:
    before = open_run(noise).evaluate()
    images(tmp_path / "noise", "new", 3, seed=1)
    said: list[str] = []
    assert open_run(noise).evaluate(note=said.append) == pytest.approx(before)
    assert "of its 26 examples, these are the 10 that were held out" in said[0]
    with pytest.raises(
        DataError, match=r"the data has changed .*: the training data has 14 examples"
    ):
        trained(tmp_path / "spec.yaml", noise, "task.epochs=9", resume=True)


def test_data_that_has_shrunk_is_refused(noise: Path, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / "noise" / "a" / f"x{number}.png").unlink()
    with pytest.raises(DataError, match=r"--data PATH evaluates other data"):
        open_run(noise).evaluate()


def test_data_that_has_moved(
    noise: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = open_run(noise).evaluate()
    moved = tmp_path / "elsewhere" / "data"
    shutil.move(tmp_path / "noise", moved)
    with pytest.raises(SpecError, match=r"does not exist"):
        open_run(noise).evaluate()
    assert open_run(noise).evaluate(path=moved) == before
    images(moved, "new", 3, seed=1)
    assert open_run(noise).evaluate(path=moved) == pytest.approx(before)
    app(["evaluate", str(noise), "--data", str(moved)], standalone_mode=False)
    assert "note: the data has changed" in capsys.readouterr().err


def test_other_data_is_evaluated_whole(noise: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    images(other, "y", 4, seed=2)
    run, said = open_run(noise), list[str]()
    data = run.data(path=other, note=said.append)
    assert len(data.held_out) == 8 and said == ["8 examples that are not of the run"]
    batch = data.held_out.__getitems__(list(range(8)))
    assert batch["label"].tolist() == [0] * 4 + [1] * 4
    # Of all that the run was trained on, one example is in the other data, too.
    seen = run.data().train.__getitems__(list(range(10)))["image"]
    for file in sorted((tmp_path / "noise" / "a").iterdir()):
        shutil.copy(file, other / "a" / f"copy-{file.name}")
    data = run.data(path=other, note=said.append)
    assert said[1] == "5 examples that the run was trained on are left out"
    found = data.held_out.__getitems__(list(range(len(data.held_out))))["image"]
    assert len(found) == 13
    assert not any(torch.equal(one, other) for one in seen for other in found)


def test_a_text_that_was_trained_on_is_no_other_text(tmp_path: Path) -> None:
    spec = CLASSIFICATION.with_name("language_model.yaml")
    text = (CLASSIFICATION.with_name("text.txt")).read_text()
    shutil.copy(spec, tmp_path / "spec.yaml")
    (tmp_path / "text.txt").write_text(text)
    trained(tmp_path / "spec.yaml", tmp_path / "run", "task.epochs=1")
    run = open_run(tmp_path / "run")
    (tmp_path / "other.txt").write_text(text[::-1])
    assert len(run.data(path=tmp_path / "other.txt").held_out) > 3
    (tmp_path / "grown.txt").write_text(f"{text[::-1]}{text}")
    with pytest.raises(DataError, match="trained on a part of this data"):
        run.data(path=tmp_path / "grown.txt")


def test_data_without_files(tmp_path: Path) -> None:
    trained(CLASSIFICATION, tmp_path / "run", "task.epochs=1")
    with pytest.raises(RequestError, match="the data set digits has no `path`"):
        open_run(tmp_path / "run").evaluate(path=tmp_path)


def test_all_data_sets_of_files_can_be_evaluated_on_other_files() -> None:
    lacking = {
        name
        for name, chosen in DataSet.members().items()
        if "path" in chosen.model_fields and "test" not in chosen.model_fields
    }
    assert not lacking


def test_other_sentences(tmp_path: Path) -> None:
    spec = CLASSIFICATION.with_name("tagging.yaml")
    shutil.copy(spec, tmp_path / "spec.yaml")
    shutil.copy(spec.with_name("tagged.conll"), tmp_path / "tagged.conll")
    trained(tmp_path / "spec.yaml", tmp_path / "run", "task.epochs=1")
    lines = (tmp_path / "tagged.conll").read_text().split("\n\n")[0]
    (tmp_path / "other.conll").write_text(f"{lines}\n\nunseen O\nwords O\n")
    run, said = open_run(tmp_path / "run"), list[str]()
    metrics = run.evaluate(path=tmp_path / "other.conll", note=said.append)
    assert 0 <= metrics["accuracy"] <= 1
    assert len(run.data(path=tmp_path / "other.conll").held_out) in (1, 2)
