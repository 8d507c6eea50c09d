"""What is exported: the networks of a spec or of a run, with weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from compiler.diagnostics.diagnostic import RequestError
from compiler.ir.typed import Instance
from compiler.program import Program
from runtime.load import build_networks
from runtime.weights import load_networks, read_states

if TYPE_CHECKING:  # imports the packages for training
    from runtime.open_run import LoadedRun


@dataclass(frozen=True)
class ExportSource:
    """The networks of a program, with weights that are read when they are needed.

    Attributes:
        program: the compiled spec.
        modules: builds the chosen networks in evaluation mode, by name.
        states: reads the state dicts of the chosen networks, by name.
    """

    program: Program
    modules: Callable[[], Mapping[str, nn.Module]]
    states: Callable[[], Mapping[str, Mapping[str, Tensor]]]

    def only(self) -> tuple[Instance, nn.Module]:
        """The only chosen network.

        Raises:
            RequestError: if there are several.
            SpecError: if the weights do not fit.
        """
        modules = self.modules()
        if len(modules) > 1:
            names = ", ".join(modules)
            message = f"{self.program.name} has several networks ({names})"
            raise RequestError(f"{message}: choose one with --network")
        ((name, module),) = modules.items()
        return self.program.typed.networks[name], module


def from_spec(
    program: Program, weights: Path | None, network: str, names: str
) -> ExportSource:
    """The networks of a spec; arguments as of `load_networks`."""
    program = program.portable()

    def modules() -> dict[str, nn.Module]:
        return load_networks(program, weights, network, names)

    def states() -> Mapping[str, Mapping[str, Tensor]]:
        if weights is not None:  # dtypes of the file are kept, and no module is built
            return read_states(program, weights, network, names)
        return {name: module.state_dict() for name, module in modules().items()}

    return ExportSource(program, modules, states)


def from_run(run: LoadedRun, network: str) -> ExportSource:
    """The networks of a run with its weights.

    Args:
        run: the run.
        network: name of the only network wanted, of several.

    Raises:
        RequestError: if the run has no such network.
    """
    networks = run.networks
    if network and network not in networks:
        known = ", ".join(networks)
        message = f"{run.program.name} has no network {network}"
        raise RequestError(f"{message}: its networks are {known}")
    chosen = {network: networks[network]} if network else dict(networks)
    states = {name: module.state_dict() for name, module in chosen.items()}
    program = run.program.portable()

    def modules() -> dict[str, nn.Module]:
        if program.python == run.program.python:
            return chosen
        made = build_networks(program)
        for name in chosen:
            made[name].eval().load_state_dict(states[name])
        return {name: made[name] for name in chosen}

    return ExportSource(program, modules, lambda: states)
