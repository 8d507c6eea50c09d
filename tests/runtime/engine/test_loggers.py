import os
import signal
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import RequestError
from runtime.engine.signals import Stopped
from runtime.engine.trainer_state import TrainerState
from tests.runtime.engine.train_specs import CLASSIFICATION, Each, trained


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard reads."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return {
        tag: [(one.step, one.value) for one in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_tensorboard_has_the_rows_of_the_tables(tmp_path: Path) -> None:
    state = trained(CLASSIFICATION, tmp_path, logger="tensorboard")
    found = scalars(tmp_path)
    assert set(found) == {
        "train/loss",
        "train/lr",
        "held_out/loss",
        "held_out/accuracy",
        "held_out/accuracy.majority",
        "held_out/accuracy.nearest",
    }
    for tag, rows in (("train", state.steps), ("held_out", state.metrics)):
        expected = [(row["step"], pytest.approx(row["loss"])) for row in rows]
        assert found[f"{tag}/loss"] == expected


def test_a_resumed_run_logs_each_step_once(tmp_path: Path) -> None:
    def stop(state: TrainerState) -> None:
        if state.step == 8:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped):
        trained(
            CLASSIFICATION,
            tmp_path,
            logger="tensorboard",
            make_callback=lambda _: Each(stop),
        )
    state = trained(CLASSIFICATION, tmp_path, logger="tensorboard", resume=True)
    steps = [step for step, _ in scalars(tmp_path)["train/loss"]]
    assert steps == list(range(1, state.step + 1))


def test_an_unknown_logger(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no logger tensorbord.*tensorboard"):
        trained(CLASSIFICATION, tmp_path, logger="tensorbord")
