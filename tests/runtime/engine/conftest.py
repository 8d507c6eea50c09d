import pytest

from runtime.engine.checkpointing import Checkpointer
from runtime.tasks import image_evaluator

make_plots = Checkpointer._plots


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures and good judges take longer than all else in a small run."""
    monkeypatch.setattr(Checkpointer, "_plots", lambda keeper, state, now: {})
    monkeypatch.setattr(image_evaluator, "_STEPS", 5)
    monkeypatch.setattr(image_evaluator, "_MAX_IMAGES", 100)
