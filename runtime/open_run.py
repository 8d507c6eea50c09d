"""A run that is over, or in part: its networks live again, with the weights that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.pipeline import compile_spec
from compiler.program import Program
from compiler.tasks.task import Task
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.load_data import load
from runtime.engine.batch_sampler import plain_loader
from runtime.engine.checkpoint_file import tied_names
from runtime.engine.run_folder import BEST, LAST, SPEC, RunFolder
from runtime.load import build_networks
from runtime.tasks.learner import Learner, learner_class

WEIGHTS: Final = {"best": BEST, "last": LAST}


@dataclass(frozen=True, repr=False)
class LoadedRun:
    """A run whose networks are live.

    Attributes:
        about: what `run.json` says.
        learner: the task with its networks, in evaluation mode.
    """

    folder: RunFolder
    about: Mapping[str, Any]
    program: Program
    task: Task
    learner: Learner[Any]

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The networks by name ("" for the only one), in evaluation mode."""
        return self.learner.networks

    def data(self) -> DataSplits:
        """The data of the run, read again.

        Raises:
            SpecError: where it is no longer there.
        """
        folder = Path(self.about["spec"]).parent
        document = self.program.typed.graph.document
        return load(self.task, DataSection(document, self.task.data.name, folder))

    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """What the networks say of files or texts, as plain values.

        Raises:
            RequestError, SpecError: where an input is wrong, or the task predicts nothing.
        """
        return self.learner.predict(inputs)

    def __repr__(self) -> str:
        return f"<LoadedRun {self.folder.path} of {self.program.name}>"

    def evaluate(self) -> dict[str, float]:
        """All metrics of the task on what is held out."""
        data = self.data()
        self.learner.setup(data)
        torch.manual_seed(self.task.seed)
        with torch.no_grad():
            batches = plain_loader(data.held_out, self.task.batch_size)
            return self.learner.evaluate(batches, final=True)


def open_run(path: Path, weights: str = "best") -> LoadedRun:
    """Open the folder of a run, with its best weights, its last, or those of a safetensors file.

    Raises:
        RequestError: where the folder is no run, or there are no such weights.
        DataError: where the weights do not fit its networks.
    """
    folder = RunFolder(path)
    about = folder.read_json("run.json")
    program = compile_spec(folder.path / SPEC)
    task = program.task
    if task is None:
        raise DataError(f"{folder.path / SPEC} has no task")
    networks = build_networks(program)
    own = WEIGHTS.get(weights)
    load_weights(networks, folder.path / own if own else Path(weights))
    for net in networks.values():
        net.eval()
    metadata = folder.read_json("vocabulary.json")
    made = learner_class(task.kind)(task, program.typed.networks, networks, metadata)
    return LoadedRun(folder, about, program, task, made)


def load_weights(networks: Mapping[str, nn.Module], file: Path) -> None:
    """Load the weights of all networks from a safetensors file.

    Raises:
        RequestError: where the file is not there.
        DataError: where its tensors are not those of the networks.
    """
    found = _tensors(file)
    for name, net in networks.items():
        prefix = f"{name}." if name else ""
        own = {
            key.removeprefix(prefix): tensor
            for key, tensor in found.items()
            if key.startswith(prefix)
        }
        _load(net, own, file)


def _tensors(file: Path) -> dict[str, Tensor]:
    try:
        with safe_open(file, framework="pt") as opened:
            return {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise RequestError(f"there are no weights at {file}") from None
    except (OSError, SafetensorError) as error:
        raise DataError(f"{file} cannot be read: {error}") from None


def _load(net: nn.Module, found: Mapping[str, Tensor], file: Path) -> None:
    wanted = net.state_dict()
    problems = [
        f"{key} is missing" for key in wanted.keys() - found.keys() - tied_names(net)
    ]
    problems += [f"{key} is not in the network" for key in found.keys() - wanted.keys()]
    problems += [
        f"{key} is {list(found[key].shape)}, not {list(wanted[key].shape)}"
        for key in wanted.keys() & found.keys()
        if found[key].shape != wanted[key].shape
    ]
    if problems:
        few = "; ".join(sorted(problems)[:5])
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise DataError(f"{file} does not fit the networks: {few}{more}")
    net.load_state_dict(dict(found), strict=False)


def list_runs(folder: Path) -> list[dict[str, Any]]:
    """What the runs in a folder say of themselves, the oldest first."""
    found = []
    for file in folder.glob("*/run.json"):
        about = RunFolder(file.parent).read_json("run.json")
        found.append({"run": str(file.parent), **about})
    return sorted(found, key=lambda run: str(run.get("started", "")))
