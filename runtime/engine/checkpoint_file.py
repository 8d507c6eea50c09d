"""Save and load `state.pt`: all that resuming needs, restored exactly."""

from __future__ import annotations

import ast
import hashlib
import io
from collections.abc import Mapping
from typing import Any, Final

import torch
from safetensors.torch import save
from torch import nn

from compiler.diagnostics.diagnostic import DataError, RequestError
from runtime.engine.run_folder import STATE, RunFolder
from runtime.engine.session import Session
from runtime.engine.sharded import (
    load_network_state,
    load_optimizer_state,
    network_state,
    optimizer_state,
    rng_states,
)
from runtime.engine.trainer_state import TrainerState
from runtime.load import tied_names

FORMAT: Final = 1


def digest(python: str) -> str:
    """A hash of a generated module, without its comments and docstrings."""
    return hashlib.sha256(strip_docs(ast.parse(python)).encode()).hexdigest()


def strip_docs(tree: ast.Module | ast.ClassDef) -> str:
    """Code without comments and docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.unparse(tree)


def checkpoint_bytes(session: Session, state: TrainerState, spec: str) -> bytes:
    """The content of `state.pt`; called by all processes, complete in the first.

    Args:
        session: networks, optimizers and learner.
        state: the progress of the run.
        spec: `digest` of the generated module.
    """
    modules = session.modules
    checkpoint = {
        "format": FORMAT,
        "spec": spec,
        "position": state.as_dict(),
        "networks": {name: network_state(module) for name, module in modules.items()},
        "optimizers": {
            name: optimizer_state(modules[name], optimizer)
            for name, optimizer in session.optimizers.items()
        },
        "average": session.average.state_dict(),
        "learner": session.learner.state_dict(),
        "random": rng_states(session.fabric.world_size),
    }
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    return buffer.getvalue()


def read_checkpoint(folder: RunFolder) -> dict[str, Any]:
    """The content of a run's `state.pt`.

    Raises:
        RequestError: if it does not exist.
        DataError: if it cannot be read.
    """
    file = folder.path / STATE
    if not file.is_file():
        message = f"{folder.path} cannot be resumed: it has no {STATE}"
        raise RequestError(message)
    try:
        checkpoint: Any = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  # a damaged file can raise anything
        reason = str(error).partition("\n")[0]
        raise DataError(f"{file} is damaged and cannot be read: {reason}") from None
    if (
        not isinstance(checkpoint, dict)
        or checkpoint.get("format") != FORMAT
        or not isinstance(checkpoint.get("spec"), str)
    ):
        message = f"{file} is not a run's state, or of another version of LayerGraph"
        raise DataError(message)
    return dict(checkpoint)


def restore_checkpoint(session: Session, checkpoint: dict[str, Any]) -> TrainerState:
    """Load a checkpoint into networks, optimizers, learner and random state; returns the run's progress.

    Raises:
        DataError: if a part of it is missing or does not fit.
    """
    try:
        return _restore(session, checkpoint)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        message = f"{STATE} is damaged: {type(error).__name__}: {error}"
        raise DataError(message) from error


def _restore(session: Session, checkpoint: dict[str, Any]) -> TrainerState:
    for name, module in session.modules.items():
        load_network_state(module, checkpoint["networks"][name])
    for name, optimizer in session.optimizers.items():
        states = checkpoint["optimizers"]
        load_optimizer_state(session.modules[name], optimizer, states[name])
    if "average" in checkpoint:  # of an earlier version, the average begins anew
        session.average.load_state_dict(checkpoint["average"])
    session.learner.load_state_dict(checkpoint["learner"])
    # With more processes than before, the new ones keep their initial random state.
    if session.fabric.global_rank < len(checkpoint["random"]):
        torch.set_rng_state(checkpoint["random"][session.fabric.global_rank])
    return TrainerState.from_dict(checkpoint["position"])


def weights_bytes(networks: Mapping[str, nn.Module]) -> bytes:
    """The weights of networks as a safetensors file.

    Tied weights are stored once. Of several networks, names start with the network's.
    """
    return save(
        {
            f"{name}.{key}" if name else key: tensor.contiguous()
            for name, module in networks.items()
            for key, tensor in network_state(module).items()
            if key not in tied_names(module)
        }
    )
