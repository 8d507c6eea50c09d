"""Training from end to end: a program and a folder in, a run in the folder out."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from compiler.diagnostics.diagnostic import Report, RequestError
from compiler.diagnostics.text import listed
from compiler.fmt.expand import expand
from compiler.fmt.write_spec import write_spec
from compiler.parse.document import Document
from compiler.program import Program
from compiler.tasks.check_task import resolved
from compiler.tasks.data_facts import DataFacts
from compiler.tasks.ports import PortCheck
from compiler.tasks.task import Task
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.load_data import load
from runtime.engine.callbacks import Callback, CallbackList
from runtime.engine.checkpoint_file import digest, restore
from runtime.engine.checkpointing import Checkpointer
from runtime.engine.evaluation import isolated_rng
from runtime.engine.find_nonfinite import TrainingError
from runtime.engine.loggers import logger
from runtime.engine.loop import over, run
from runtime.engine.resume import as_settings, changes, check_data, state_of
from runtime.engine.run_folder import SPEC, Lock, RunFolder, as_json
from runtime.engine.session import Session, open_session
from runtime.engine.signals import Signals
from runtime.engine.strategies import is_first, lost_another, open_fabric
from runtime.engine.trainer_state import TrainerState


@dataclass(frozen=True)
class TrainerOptions:
    """How training runs, apart from what the spec says.

    Attributes:
        resume: go on with what is in the folder.
        devices: how many of them on each of the nodes; accelerator and strategy by Lightning's names.
        logger: `csv`, which is there in any case, or `tensorboard`.
    """

    resume: bool = False
    devices: int = 1
    accelerator: str = "auto"
    strategy: str = "auto"
    nodes: int = 1
    logger: str = "csv"


def train(
    program: Program,
    folder: RunFolder,
    options: TrainerOptions,
    watch: Callable[[Session], Callback],
) -> TrainerState:
    """Train the networks of a program; the run is in the folder.

    Raises:
        SpecError: where the data is wrong, or does not fit the networks.
        RequestError: where the folder is taken, or what is in it cannot be gone on with.
        TrainingError: where it breaks: a loss is NaN, or the run cannot be written.
        Stopped: after SIGTERM or SIGINT; the run can be resumed.
    """
    task = program.task
    if task is None:
        raise RequestError(_without_task(program))
    # The first process keeps the folder for all.
    with Lock(folder) if is_first() else nullcontext():
        _refuse_taken(folder, options)
        log = logger(options.logger, folder)
        state = state_of(program, folder) if options.resume else None
        notes = changes(task, folder.read_json("run.json")) if state else []
        data = load(task, data_section(program, task))
        hold_against(program, task, data.facts)
        if state:
            check_data(folder, data)
        session = open_session(program, data, _fabric(program, task, options))
        begun = Trainer(program, folder, session, data)
        return begun.train(state, (log, watch(session)), notes)


def _without_task(program: Program) -> str:
    """That a spec has no task, and which of its variants have one."""
    document = program.typed.graph.document
    variants = program.typed.graph.spec.variants
    having = [name for name in variants if document.node(("variants", name, "task"))]
    message = f"{program.name} has no `task`: it says nothing of training"
    return f"{message}; --variant has one: {listed(having)}" if having else message


def _refuse_taken(folder: RunFolder, options: TrainerOptions) -> None:
    if is_first() and folder.exists and not options.resume:
        message = f"{folder.path} holds a run: --resume goes on with it, --run names another folder"
        raise RequestError(message)


def _fabric(program: Program, task: Task, options: TrainerOptions) -> Fabric:
    return open_fabric(
        program.typed.networks,
        task.precision,
        devices=options.devices,
        nodes=options.nodes,
        accelerator=options.accelerator,
        strategy=options.strategy,
    )


@dataclass(frozen=True)
class Trainer:
    """A run whose networks and data are there."""

    program: Program
    folder: RunFolder
    session: Session
    data: DataSplits

    def train(
        self,
        state: dict[str, Any] | None,
        callbacks: Sequence[Callback],
        notes: Sequence[str],
    ) -> TrainerState:
        """From the start, or from a state, to the end."""
        spec = digest(self.program.python)
        keeper = Checkpointer(self.session, self.folder, spec, self._about(state))
        every = CallbackList((keeper, *callbacks))
        with Signals() as signals:
            position = self._begin(state)
            if not position.done:
                self._write_start(keeper, position, state is None)
            every.on_train_begin(position, notes)
            if not position.done:
                self._go_on(keeper, position, every, signals)
        return position

    def _about(self, state: dict[str, Any] | None) -> dict[str, Any]:
        """What the run says of its start; it has only one."""
        about = described(self.program)
        if state:
            before = self.folder.read_json("run.json")
            about |= {key: before[key] for key in ("command", "started")}
        return about

    def _begin(self, state: dict[str, Any] | None) -> TrainerState:
        """Where training stands."""
        with isolated_rng(self.session):
            self.session.learner.setup(self.data)
        if state is None:
            return TrainerState()
        position = restore(self.session, state)
        # With other settings a run that was at its end may go on.
        position.done = bool(over(self.session, position))
        return position

    def _write_start(
        self, keeper: Checkpointer, position: TrainerState, new: bool
    ) -> None:
        if not self.session.fabric.is_global_zero:
            return
        files = start_files(self.program, self.data, keeper.described(position))
        kept = files if new else {name: files[name] for name in (SPEC, "run.json")}
        self.folder.write(kept)

    def _go_on(
        self,
        keeper: Checkpointer,
        position: TrainerState,
        every: Callback,
        signals: Signals,
    ) -> None:
        if position.step:
            keeper.kept = position.step
        try:
            run(self.session, position, every, signals)
        except OSError as error:
            keeper.ended(position, error)
            message = f"the run cannot be written: {error}; {keeper.remains()}"
            raise TrainingError(message) from error
        except RuntimeError as error:
            keeper.ended(position, error)
            if lost_another(error):
                message = "another process of the run has ended; what it said is above"
                raise TrainingError(message) from None
            raise
        except BaseException as error:
            keeper.ended(position, error)
            raise
        finally:
            every.on_train_end(position)


def data_section(program: Program, task: Task) -> DataSection:
    """Where the spec names its data."""
    document = chosen(program)
    folder = Path(program.typed.graph.document.source.file).parent
    return DataSection(document, task.data.name, folder)


def chosen(program: Program) -> Document:
    """The spec with its task as it was chosen."""
    return resolved(program.typed, program.variant, program.changes)


def described(program: Program) -> dict[str, Any]:
    """What a run says of its start."""
    source = Path(program.typed.graph.document.source.file).resolve()
    return {
        "name": program.name,
        "kind": program.task.kind if program.task else "",
        "spec": str(source),
        "variant": program.variant,
        "command": shlex.join(sys.argv),
        "torch": torch.__version__,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "task": as_settings(program.task) if program.task else {},
    }


def start_files(
    program: Program, data: DataSplits, run_json: dict[str, Any]
) -> dict[str, str | bytes]:
    """What is in a run's folder from the start."""
    task = chosen(program).root.get("task")
    return {
        SPEC: write_spec(expand(program.typed, task)),
        f"{Path(run_json['spec']).stem}.py": program.python,
        "vocabulary.json": as_json(data.metadata),
        "run.json": as_json(run_json),
    }


def hold_against(program: Program, task: Task, facts: DataFacts) -> None:
    """Check that the networks take what the data holds.

    Raises:
        SpecError: where they do not.
    """
    report = Report()
    document = resolved(program.typed, program.variant, program.changes)
    task.check(PortCheck(program.typed, document, task.ports, task.kind, report), facts)
    report.raise_if_failed()
