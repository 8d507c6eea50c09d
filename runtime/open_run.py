"""Open a run: its networks with trained weights, to evaluate, predict and generate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from compiler.diagnostics.diagnostic import DataError, RequestError, SpecError
from compiler.ir.tensors import OwnTensor, own_tensors
from compiler.pipeline import compile_spec
from compiler.program import Program
from compiler.tasks.task import Task
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.load_data import load
from runtime.data.metadata import check_metadata
from runtime.engine.batch_sampler import sequential_loader
from runtime.engine.read_tensors import read_tensors
from runtime.engine.run_folder import BEST, LAST, SPEC, RunFolder
from runtime.engine.same_data import (
    check_same_data,
    with_own_split,
    without_trained,
)
from runtime.engine.set_up_learner import set_up_learner
from runtime.load import build_networks
from runtime.tasks.learner import Learner, learner_class

WEIGHTS: Final = {"best": BEST, "last": LAST}
_SHOWN: Final = 5
"""Maximum number of problems in a message."""


Notify = Callable[[str], None]
"""What is told something that is worth knowing."""


def _say_nothing(text: str) -> None:
    """Ignore what is worth knowing."""


@dataclass(frozen=True, repr=False)
class LoadedRun:
    """A run whose networks are live, in evaluation mode.

    Attributes:
        folder: the run's folder.
        info: content of `run.json`.
        program: the compiled spec of the run.
        task: its task.
        learner: the task's learner, with the networks.
    """

    folder: RunFolder
    info: Mapping[str, Any]
    program: Program
    task: Task
    learner: Learner[Any]

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The networks by name; "" is the name of the only one."""
        return self.learner.networks

    def data(
        self, part: str = "", path: Path | None = None, note: Notify = _say_nothing
    ) -> DataSplits:
        """The data of the run, loaded again from where the spec says, or from a path.

        Data that has grown is held out as it was when the run began. Other data is held out whole, except for what the
        run was trained on.

        Args:
            part: `held_out` or `test`, which is then held out in place of the other; default: `test` if there is one.
            path: where the data is now, or other data of the same form.
            note: called with what is worth knowing of the data.

        Raises:
            RequestError: if there is no such part, or the data set has no path.
            SpecError: if the data does not exist any more, or is invalid.
            DataError: if the part is not what it was in training, and cannot be found.
        """
        if path is None:
            return self._split(self._load(), part, note)
        options = type(self.task.data).model_fields
        if "path" not in options:
            raise RequestError(f"the data set {self.task.data.name} has no `path`")
        try:
            return self._split(self._load(path=str(path.resolve())), part, note)
        except (RequestError, SpecError):
            if "test" not in options:
                raise
        data = self._load(test=str(path.resolve()))
        check_same_data(self.folder, data, ())
        data, said = without_trained(self.folder, data.held_out_test())
        note(said or f"{len(data.held_out)} examples that are not of the run")
        return data

    def _split(self, data: DataSplits, part: str, note: Notify) -> DataSplits:
        """Data with a part held out, by the split of the run.

        Raises:
            RequestError: if there is no such part.
            DataError: if the part is not what it was in training, and cannot be found.
        """
        part = part or ("held_out" if data.test is None else "test")
        if part == "test" and data.test is None:
            raise RequestError("the data of the run has no test part: see `test`")
        if part == "held_out" and not len(data.held_out):
            raise RequestError("the run has nothing to evaluate on: `held_out` is 0")
        try:
            check_same_data(self.folder, data, (part,))
        except DataError as error:
            found = with_own_split(self.folder, data, part)
            if found is None:
                help = "--data PATH evaluates other data"
                raise DataError(f"{error}; {help}") from None
            note(found[1])
            return found[0]
        return data.held_out_test() if part == "test" else data

    def _load(self, **options: str) -> DataSplits:
        """The data of the spec, with some options of its data set changed."""
        folder = Path(self.info["spec"]).parent
        document = self.program.typed.graph.document
        section = DataSection(document, self.task.data.name, folder)
        chosen = self.task.data.model_copy(update=options)
        return load(self.task.model_copy(update={"data": chosen}), section)

    def predict(self, inputs: Any) -> list[dict[str, Any]]:
        """Predictions for one or several inputs, which are prepared as the training data was.

        Args:
            inputs: files or texts; images also as arrays uint8[H, W] or uint8[H, W, 3] or as pictures of Pillow, and
                rows of a table as mappings from columns to values. A list of them, or one alone.

        Returns:
            One JSON object for each.

        Raises:
            RequestError, SpecError: if an input is invalid, or the task has no predictions.
        """
        several = isinstance(inputs, list | tuple)
        return self.learner.predict(inputs if several else [inputs])

    def evaluate(
        self, part: str = "", path: Path | None = None, note: Notify = _say_nothing
    ) -> dict[str, float]:
        """All metrics of the task on the held-out data, by name.

        Args:
            part, path, note: as for `data`.

        Raises:
            RequestError, SpecError, DataError: as `data`.
        """
        data = self.data(part, path, note)
        set_up_learner(self.learner, data, self.folder)
        torch.manual_seed(self.task.seed)
        with torch.no_grad():
            batches = sequential_loader(data.held_out, self.task.batch_size)
            return self.learner.evaluate(batches, final=True)

    def __repr__(self) -> str:
        return f"<LoadedRun {self.folder.path} of {self.program.name}>"


def open_run(path: Path, weights: str = "best") -> LoadedRun:
    """Open a run.

    Args:
        path: the run's folder.
        weights: `best`, `last`, or a safetensors file.

    Raises:
        RequestError: if the folder is not a run, or the weights do not exist.
        DataError: if the weights do not fit its networks.
    """
    folder = RunFolder(path)
    info = folder.read_info()
    program = compile_spec(folder.path / SPEC)
    task = program.task
    if task is None:
        raise DataError(f"{folder.path / SPEC} has no task")
    file = folder.path / WEIGHTS[weights] if weights in WEIGHTS else Path(weights)
    tensors = read_tensors(file)
    check_fit(program, tensors, file)  # before networks of any size are built
    networks = build_networks(program)
    load_weights(networks, tensors)
    for network in networks.values():
        network.eval()
    metadata = folder.read_json("vocabulary.json")
    check_metadata(task.data.facts(), metadata, folder.path / "vocabulary.json")
    make_learner = learner_class(task.kind)
    learner = make_learner(task, program.typed.networks, networks, metadata)
    return LoadedRun(folder, info, program, task, learner)


def check_fit(program: Program, tensors: Mapping[str, Tensor], file: Path) -> None:
    """Check that the tensors of a file are those of a program's networks.

    Raises:
        DataError: if they are not.
    """
    expected = dict(_expected(program))
    optional = {name for name, tensor in expected.items() if tensor.origin}
    problems = [
        f"{key} is missing" for key in expected.keys() - tensors.keys() - optional
    ]
    problems += [
        f"{key} is not in the network" for key in tensors.keys() - expected.keys()
    ]
    problems += [
        f"{key} is {list(tensors[key].shape)}, not {list(expected[key].shape)}"
        for key in expected.keys() & tensors.keys()
        if tuple(tensors[key].shape) != expected[key].shape
    ]
    problems += [
        f"{key} has NaN or infinite values"
        for key, tensor in tensors.items()
        if not tensor.isfinite().all()
    ]
    if problems:
        first = "; ".join(sorted(problems)[:_SHOWN])
        others = len(problems) - _SHOWN
        more = f"; and {others} more" if others > 0 else ""
        raise DataError(f"{file} does not fit the networks: {first}{more}")


def _expected(program: Program) -> Iterator[tuple[str, OwnTensor]]:
    """The tensors of a program's networks by the names that they have in a file."""
    for network, instance in program.typed.networks.items():
        for tensor in own_tensors(instance):
            yield f"{network}.{tensor.name}" if network else tensor.name, tensor


def load_weights(
    networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]
) -> None:
    """Load the tensors of a file, which fit, into all networks."""
    for name, network in networks.items():
        prefix = f"{name}." if name else ""
        state = {
            key.removeprefix(prefix): tensor
            for key, tensor in tensors.items()
            if key.startswith(prefix)
        }
        network.load_state_dict(state, strict=False)
