"""The classifier that evaluates generated images is trained once in a run."""

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import DataError
from runtime.engine.run_folder import EVALUATOR
from runtime.open_run import open_run
from runtime.tasks.image_evaluator import ImageEvaluator
from tests.runtime.engine.train_specs import trained

SPEC = Path(__file__).parents[1] / "engine" / "specs" / "adversarial.yaml"


def test_it_is_kept_in_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    train = ImageEvaluator._train

    def counted(evaluator: ImageEvaluator, *given: object) -> object:
        calls.append(1)
        return train(evaluator, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageEvaluator, "_train", counted)
    monkeypatch.setattr("runtime.tasks.image_evaluator._STEPS", 5)
    trained(SPEC, tmp_path, "task.epochs=1")
    first = open_run(tmp_path).evaluate()
    trained(SPEC, tmp_path, "task.epochs=1", resume=True)
    assert (len(calls), open_run(tmp_path).evaluate()) == (1, first)

    (tmp_path / EVALUATOR).unlink()  # a run of before trains it again, to the same
    assert open_run(tmp_path).evaluate() == first
    assert len(calls) == 2

    weights = tmp_path / "weights"
    (weights / "best.safetensors").replace(tmp_path / EVALUATOR)
    with pytest.raises(DataError, match=r"evaluator.safetensors is damaged"):
        open_run(tmp_path, "last").evaluate()
