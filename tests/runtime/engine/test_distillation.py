"""Knowledge distillation: a run that learns from another."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import SpecError
from runtime.engine.callbacks import Callback
from runtime.engine.session import Session
from runtime.open_run import open_run
from runtime.tasks.classification import ClassificationLearner, distillation_losses
from tests.runtime.engine.train_specs import trained

NET = """\
name: Net
inputs: {image: "float[B, 1, 8, 8]"}
layers:
  flat: flatten
  hidden: {op: linear, out_features: WIDTH}
  act: relu
  head: {op: linear, out_features: 10}
outputs: {logits: head}
task:
  kind: classification
  data: {digits: DATA}
  epochs: 3
  optimizer: {adamw: {lr: 1e-2}}
"""


def spec(folder: Path, name: str, width: int, more: str = "", data: str = "{}") -> Path:
    text = NET.replace("WIDTH", str(width)).replace("DATA", data)
    file = folder / f"{name}.yaml"
    file.write_text(text + more)
    return file


def test_the_loss_has_the_teachers_probabilities(tmp_path: Path) -> None:
    trained(spec(tmp_path, "large", 64), tmp_path / "large")
    more = "  teacher: {run: large, temperature: 4, weight: 0.7}\n"
    sessions: list[Session] = []

    def keep(session: Session) -> Callback:
        sessions.append(session)
        return Callback()

    student = spec(tmp_path, "small", 4, more)
    trained(student, tmp_path / "small", make_callback=keep)
    learner = sessions[0].learner
    assert isinstance(learner, ClassificationLearner) and learner.teacher is not None
    teacher = open_run(tmp_path / "large").networks[""]
    batch = next(iter(sessions[0].held_out()))
    own, theirs = (net(batch["image"]) for net in (learner.network, teacher))
    divergence = F.kl_div(
        F.log_softmax(own / 4, -1), F.softmax(theirs / 4, -1), reduction="batchmean"
    )
    expected = 0.3 * F.cross_entropy(own, batch["label"]) + 0.7 * 16 * divergence
    mean = learner.loss("", batch, 0.0) / len(batch["label"])
    torch.testing.assert_close(mean, expected)
    assert not any(one.requires_grad for one in learner.teacher.network.parameters())
    # The run goes on from any folder, and is used without its teacher.
    text = (tmp_path / "small" / "spec.yaml").read_text()
    assert f"run: {tmp_path / 'large'}" in text
    (tmp_path / "large").rename(tmp_path / "moved")
    assert open_run(tmp_path / "small").evaluate()["accuracy"] > 0.3


def test_a_network_that_agrees_has_no_divergence() -> None:
    logits = torch.randn(5, 3)
    found = distillation_losses(logits, logits, 2.0)
    torch.testing.assert_close(found, torch.zeros(5))


@pytest.mark.parametrize(
    ("data", "teacher", "message"),
    [
        ("{}", "none", "is not a run"),
        ("{range: -1..1}", "large", "was trained on other data: its range differ"),
    ],
)
def test_a_teacher_that_does_not_fit(
    tmp_path: Path, data: str, teacher: str, message: str
) -> None:
    trained(spec(tmp_path, "large", 4), tmp_path / "large", "task.epochs=1")
    more = f"  teacher: {{run: {teacher}}}\n"
    student = spec(tmp_path, "small", 4, more, data)
    with pytest.raises(SpecError, match=message) as caught:
        trained(student, tmp_path / "small")
    (found,) = caught.value.diagnostics
    assert (found.span.line, found.span.column) == (14, 18)
