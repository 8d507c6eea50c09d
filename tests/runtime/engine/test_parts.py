"""Runs whose data has parts of its own, or of which nothing is held out."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from compiler.diagnostics.diagnostic import DataError, RequestError
from runtime.engine.callbacks import Callback
from runtime.engine.session import Session
from runtime.engine.trainer import NOT_EVALUATED
from runtime.engine.trainer_state import TrainerState
from runtime.open_run import open_run
from tests.runtime.engine.train_specs import CLASSIFICATION, same, trained

SPECS = CLASSIFICATION.parent
NOTHING_HELD_OUT = {
    "adversarial": "digits",
    "forecasting": "sunspots",
    "language_model": "text",
    "reconstruction": "digits",
    "sequences": "digits",
}


class Notes(Callback):
    """Keeps the notes of the start."""

    def __init__(self, kept: list[str]) -> None:
        self.kept = kept

    def on_train_begin(self, state: TrainerState, notes: object) -> None:
        assert isinstance(notes, list)
        self.kept += notes


@pytest.mark.parametrize("kind", NOTHING_HELD_OUT)
def test_nothing_is_held_out(kind: str, tmp_path: Path) -> None:
    notes: list[str] = []

    def make_callback(session: Session) -> Callback:
        return Notes(notes)

    option = f"task.data.{NOTHING_HELD_OUT[kind]}.held_out=0"
    sets = [option, "task.epochs=2"]
    spec = SPECS / f"{kind}.yaml"
    state = trained(spec, tmp_path, *sets, make_callback=make_callback)
    assert state.done and state.best is None
    columns = {"epoch", "step", "seconds"}
    for row in state.metrics:
        others = row.keys() - columns
        assert others and all(name.startswith("train.") for name in others)
    assert not (tmp_path / "samples").exists()
    assert notes == [NOT_EVALUATED]
    if kind != "adversarial":  # whose best weights are averages
        best, last = (
            load_file(tmp_path / "weights" / f"{name}.safetensors")
            for name in ("best", "last")
        )
        assert same(best, last)
    with pytest.raises(RequestError, match="nothing to evaluate on"):
        open_run(tmp_path).evaluate()


def test_evaluate_uses_the_test_part(tmp_path: Path) -> None:
    text = (SPECS / "text.txt").read_text()
    (tmp_path / "test.txt").write_text(text[:400])
    run = tmp_path / "run"
    test = f"task.data.text.test={tmp_path / 'test.txt'}"
    state = trained(SPECS / "language_model.yaml", run, test, "task.epochs=1")
    opened = open_run(run)
    held_out = opened.evaluate("held_out")
    assert held_out["loss"] == pytest.approx(state.metrics[-1]["loss"], rel=1e-5)
    assert opened.evaluate()["loss"] != held_out["loss"]
    assert opened.evaluate() == opened.evaluate("test")
    (tmp_path / "test.txt").write_text(text[:300])
    assert opened.evaluate("held_out")["loss"] == held_out["loss"]
    with pytest.raises(DataError, match="the test data has"):
        opened.evaluate()


def test_there_is_no_test_part(tmp_path: Path) -> None:
    trained(CLASSIFICATION, tmp_path, "task.epochs=1")
    with pytest.raises(RequestError, match="no test part"):
        open_run(tmp_path).evaluate("test")
