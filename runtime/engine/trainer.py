"""Train the networks of a program into a run folder."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from lightning_fabric import Fabric
from safetensors.torch import save

from compiler.diagnostics.diagnostic import Report, RequestError
from compiler.diagnostics.text import listed
from compiler.fmt.expand import expand
from compiler.fmt.write_spec import write_spec
from compiler.parse.document import Document, ScalarNode, YamlNode
from compiler.program import Program
from compiler.tasks.check_task import resolved
from compiler.tasks.data_facts import DataFacts
from compiler.tasks.data_set import PACKAGE
from compiler.tasks.ports import PortCheck
from compiler.tasks.task import Task
from compiler.tasks.untrained import detaches, untrained_layers
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits, fingerprints
from runtime.data.load_data import load
from runtime.engine.callbacks import Callback, CallbackList
from runtime.engine.checkpoint_file import digest, restore_checkpoint
from runtime.engine.checkpointing import Checkpointer
from runtime.engine.evaluation import isolated_rng
from runtime.engine.find_nonfinite import TrainingError
from runtime.engine.load_teacher import set_teacher
from runtime.engine.loggers import make_logger
from runtime.engine.loop import stop_reason, train_epochs
from runtime.engine.resume import (
    changed_settings,
    resumable_checkpoint,
    task_settings,
)
from runtime.engine.run_folder import (
    DATA,
    EVALUATOR,
    SPEC,
    FolderLock,
    RunFolder,
    as_json,
)
from runtime.engine.same_data import check_same_data
from runtime.engine.session import Session, open_session
from runtime.engine.set_up_learner import set_up_learner
from runtime.engine.signals import Signals
from runtime.engine.start_weights import read_start
from runtime.engine.strategies import is_lost_connection, is_rank_zero, open_fabric
from runtime.engine.trainer_state import TrainerState

NOT_EVALUATED: Final = (
    "nothing is held out, so nothing is evaluated: the best weights are the last"
)


@dataclass(frozen=True)
class TrainerOptions:
    """How training runs, besides what the spec says.

    Attributes:
        resume: whether to resume the run in the folder.
        devices: number of devices of each node.
        accelerator, strategy: Lightning's names.
        nodes: number of nodes.
        logger: `csv`, which every run has, or `tensorboard`.
        sets: the overrides of params and task that the program was compiled with, as `name=value`.
    """

    resume: bool = False
    devices: int = 1
    accelerator: str = "auto"
    strategy: str = "auto"
    nodes: int = 1
    logger: str = "csv"
    sets: tuple[str, ...] = ()


def train(
    program: Program,
    folder: RunFolder,
    options: TrainerOptions,
    make_callback: Callable[[Session], Callback],
) -> TrainerState:
    """Train the networks of a program; returns the final state of the run.

    Args:
        program: a compiled spec with a task.
        folder: where the run is written.
        options: devices, logger, and whether to resume.
        make_callback: makes a callback once networks and data are there.

    Raises:
        SpecError: if the data is invalid or does not fit the networks.
        RequestError: if the folder has a run already, or one that cannot be resumed.
        TrainingError: if training fails: a loss is NaN or infinite, or the run cannot be written.
        Stopped: after SIGTERM or SIGINT; the run can be resumed.
    """
    task = program.task
    if task is None:
        raise RequestError(_missing_task(program))
    # The first process locks the folder for all.
    with FolderLock(folder) if is_rank_zero() else nullcontext():
        _check_new(folder, options)
        logger = make_logger(options.logger, folder)
        checkpoint = resumable_checkpoint(program, folder) if options.resume else None
        notes = []
        if checkpoint:
            notes = changed_settings(task, folder.read_info())
        data = load(task, data_section(program, task))
        _check_fits_data(program, task, data.facts)
        if checkpoint:
            check_same_data(folder, data, ("train", "held_out"))
        if not len(data.held_out):
            notes.append(NOT_EVALUATED)
        notes += data.notes
        start = None if checkpoint else read_start(program, folder_of(program, "start"))
        notes += start.notes if start else ()
        fabric = _open_fabric(program, task, options)
        session = open_session(program, data, fabric, start.states if start else None)
        set_teacher(session.learner, data_section(program, task, "teacher"), fabric)
        trainer = Trainer(program, folder, session, data, options.sets)
        return trainer.train(checkpoint, (logger, make_callback(session)), notes)


def _missing_task(program: Program) -> str:
    """The message for a spec without a task; it names the variants that have one."""
    document = program.typed.graph.document
    variants = program.typed.graph.spec.variants
    having = [name for name in variants if document.node(("variants", name, "task"))]
    message = f"{program.name} has no `task`, which says how to train it"
    if not having:
        return f"{message}: train a recipe, which has a task and names its network"
    return f"{message}; variants with one (--variant): {listed(having)}"


def _check_new(folder: RunFolder, options: TrainerOptions) -> None:
    if options.resume or not is_rank_zero():
        return
    if folder.is_saved:
        message = f"{folder.path} has a run: continue it with --resume, or choose another folder with --run"
        raise RequestError(message)
    if (folder.path / "run.json").exists():
        folder.read_info()  # a file of somebody else is not overwritten


def _check_fits_data(program: Program, task: Task, facts: DataFacts) -> None:
    """Check that the networks fit the data, whose sizes are known once it is loaded.

    Raises:
        SpecError: if they do not.
    """
    report = Report()
    document = resolved_document(program)
    task.check(PortCheck(program.typed, document, task.ports, task.kind, report), facts)
    report.raise_if_failed()


def _open_fabric(program: Program, task: Task, options: TrainerOptions) -> Fabric:
    if options.strategy == "fsdp" and task.start and task.start.unfreeze_after:
        # What has a gradient is fixed when the parameters are first gathered.
        raise RequestError("fsdp cannot unfreeze what was frozen: use ddp")
    return open_fabric(
        program.typed.networks,
        task.precision,
        devices=options.devices,
        nodes=options.nodes,
        accelerator=options.accelerator,
        strategy=options.strategy,
        untrained=any(untrained_layers(program.typed, task.used_roles, task.ports))
        or bool(task.start and task.start.freeze)
        or detaches(program.typed),
    )


@dataclass(frozen=True)
class Trainer:
    """Trains the networks of a session into a run folder."""

    program: Program
    folder: RunFolder
    session: Session
    data: DataSplits
    sets: tuple[str, ...] = ()

    def train(
        self,
        checkpoint: dict[str, Any] | None,
        callbacks: Sequence[Callback],
        notes: Sequence[str],
    ) -> TrainerState:
        """Train from the start, or from a checkpoint, until training is complete.

        Args:
            checkpoint: content of `state.pt`.
            callbacks: called after the `Checkpointer`.
            notes: for `Callback.on_train_begin`.
        """
        spec = digest(self.program.python)
        start = self._start_info(resumed=checkpoint is not None)
        checkpointer = Checkpointer(self.session, self.folder, spec, start)
        callback = CallbackList((checkpointer, *callbacks))
        with Signals() as signals:
            state = self._setup(checkpoint)
            if not state.done:
                self._write_start(checkpointer, state, new=checkpoint is None)
            callback.on_train_begin(state, notes)
            if not state.done:
                self._train(checkpointer, state, callback, signals)
        return state

    def _start_info(self, resumed: bool) -> dict[str, Any]:
        """What `run.json` says of the start; a resumed run keeps its first spec, command and time."""
        info = start_info(self.program, self.sets)
        if resumed:
            before = self.folder.read_info()
            kept = ("spec", "variant", "command", "started")
            info |= {key: before[key] for key in kept}
        return info

    def _setup(self, checkpoint: dict[str, Any] | None) -> TrainerState:
        """Set the learner up and restore a checkpoint; returns the state to train from."""
        with isolated_rng(self.session):
            set_up_learner(self.session.learner, self.data, self.folder)
        if checkpoint is None:
            return TrainerState()
        state = restore_checkpoint(self.session, checkpoint)
        # A finished run continues if its settings now allow more steps.
        state.done = bool(stop_reason(self.session, state))
        return state

    def _write_start(
        self, checkpointer: Checkpointer, state: TrainerState, new: bool
    ) -> None:
        """Write the files of the start; of a resumed run only those that may have changed."""
        if not self.session.fabric.is_global_zero:
            return
        files = start_files(self.program, self.data, checkpointer.run_info(state))
        if evaluator := self.session.learner.evaluator_state():
            files[EVALUATOR] = save(evaluator)
        names = files if new else (SPEC, "run.json")
        self.folder.write({name: files[name] for name in names})

    def _train(
        self,
        checkpointer: Checkpointer,
        state: TrainerState,
        callback: Callback,
        signals: Signals,
    ) -> None:
        if state.step:
            checkpointer.saved_step = state.step
        try:
            train_epochs(self.session, state, callback, signals)
        except OSError as error:
            checkpointer.record_failure(state, error)
            hint = checkpointer.resume_hint()
            message = f"the run cannot be written: {error}; {hint}"
            raise TrainingError(message) from error
        except RuntimeError as error:
            checkpointer.record_failure(state, error)
            if is_lost_connection(error):
                message = "another process of the run has ended; its error is above"
                raise TrainingError(message) from None
            raise
        except BaseException as error:
            checkpointer.record_failure(state, error)
            raise
        finally:
            callback.on_train_end(state)


def data_section(program: Program, task: Task, key: str = "data") -> DataSection:
    """The `data:` section of a program's task, with paths as they are meant in a key of the task."""
    document = resolved_document(program)
    return DataSection(document, task.data.name, folder_of(program, key))


def folder_of(program: Program, key: str) -> Path:
    """The folder to which paths in a key of the task are relative: that of the spec, or of the base that has it."""
    document = resolved_document(program)
    file = document.locate(("task", key)).file
    return Path(file if file in document.bases else document.source.file).parent


def resolved_document(program: Program) -> Document:
    """The spec with its task as the variant and the overrides make it."""
    return resolved(program.typed, program.variant, program.changes)


def absolute_paths(program: Program) -> Document:
    """The resolved spec with absolute paths, so that a copy of it can be in any folder."""
    assert program.task is not None
    options = program.task.data
    of = partial(data_section, program, program.task)
    section = of("data")
    paths: dict[tuple[str, ...], str] = {
        ("data", options.name, *path): _absolute(section, written)
        for path, written in options.files().items()
    }
    if program.task.start and program.task.start.weights:
        weights = program.task.start.weights
        paths["start", "weights"] = _absolute(of("start"), weights)
    if teacher := getattr(program.task, "teacher", None):
        paths["teacher", "run"] = str(of("teacher").path(teacher.run).resolve())
    changes: dict[tuple[str, ...], YamlNode] = {
        path: ScalarNode(text, text, section.span(path[-1]))
        for path, text in paths.items()
    }
    return resolved(program.typed, program.variant, {**program.changes, **changes})


def _absolute(section: DataSection, written: str) -> str:
    """An absolute path; a package's file is found by its package, wherever that is."""
    packaged = written.startswith(PACKAGE)
    return written if packaged else str(section.path(written).resolve())


def start_info(program: Program, sets: Sequence[str] = ()) -> dict[str, Any]:
    """What `run.json` says of a run's start."""
    source = Path(program.typed.graph.document.source.file).resolve()
    return {
        "name": program.name,
        "kind": program.task.kind if program.task else "",
        "spec": str(source),
        "variant": program.variant,
        "sets": list(sets),
        "command": shlex.join(sys.argv),
        "torch": torch.__version__,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "task": task_settings(program.task) if program.task else {},
    }


def start_files(
    program: Program, data: DataSplits, run_info: dict[str, Any]
) -> dict[str, str | bytes]:
    """The files that a run's folder has from the start, by name."""
    task = absolute_paths(program).root.get("task")
    return {
        SPEC: write_spec(expand(program.typed, task)),
        f"{Path(run_info['spec']).stem}.py": program.python,
        "vocabulary.json": as_json(data.metadata),
        DATA: as_json(fingerprints(data)),
        "run.json": as_json(run_info),
    }
