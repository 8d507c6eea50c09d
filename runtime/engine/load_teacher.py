"""The network that another one learns from: a run's, with its best weights."""

from __future__ import annotations

from pathlib import Path

from lightning_fabric import Fabric

from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.pipeline import compile_spec
from compiler.tasks.kinds.classification import Classification
from compiler.tasks.teacher import Teacher
from runtime.data.data_section import DataSection
from runtime.engine.read_tensors import read_tensors
from runtime.engine.run_folder import BEST, SPEC, RunFolder
from runtime.load import build_networks, tied_names
from runtime.tasks.classification import ClassificationLearner
from runtime.tasks.learner import Learner


def set_teacher(
    learner: Learner[Classification], section: DataSection, fabric: Fabric
) -> None:
    """Give a learner its teacher, if its task has one.

    Args:
        learner: the learner of the student.
        section: where paths are relative to, and errors are reported.
        fabric: whose device the teacher is moved to.

    Raises:
        SpecError: if there is no such run, or it is of another task or of other data.
    """
    teacher: Teacher | None = getattr(learner.task, "teacher", None)
    if teacher is None or not isinstance(learner, ClassificationLearner):
        return
    try:
        found = _open(RunFolder(section.path(teacher.run)))
    except (DataError, RequestError) as error:
        section.fail_at(("teacher", "run"), "data-unreadable", str(error))
    if found is None:
        message = f"{teacher.run} is no run of classification"
        section.fail_at(("teacher", "run"), "data-mismatch", message)
    for key, value in learner.metadata.items():
        if found.metadata.get(key) != value:
            message = f"{teacher.run} was trained on other data: its {key} differ"
            section.fail_at(("teacher", "run"), "data-mismatch", message)
    network = fabric.to_device(found.network)
    network.requires_grad_(False)
    learner.teacher = found


def _open(folder: RunFolder) -> ClassificationLearner | None:
    """The learner of a run, in evaluation mode; None if it is of another task.

    Raises:
        RequestError, DataError: if the folder is no run, or its weights do not fit.
    """
    folder.read_info()
    program = compile_spec(Path(folder.path / SPEC))
    if not isinstance(program.task, Classification):
        return None
    networks = build_networks(program)
    (network,) = networks.values()
    tensors = read_tensors(folder.path / BEST)
    missing = network.state_dict().keys() - tensors.keys() - tied_names(network)
    try:
        network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise DataError(f"{folder.path / BEST} does not fit: {error}") from None
    if missing:
        raise DataError(f"{folder.path / BEST} lacks {min(missing)}")
    network.eval()
    metadata = folder.read_json("vocabulary.json")
    return ClassificationLearner(
        program.task, program.typed.networks, networks, metadata
    )
