"""The state of a run as one file, and back: what is read is exactly what was written."""

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
    network_state,
    optimizer_state,
    random_states,
    set_network_state,
    set_optimizer_state,
)
from runtime.engine.trainer_state import TrainerState

FORMAT: Final = 1


def digest(python: str) -> str:
    """What tells the networks of one spec from those of another: of the generated module, less what it says."""
    return hashlib.sha256(bare(ast.parse(python)).encode()).hexdigest()


def bare(tree: ast.Module | ast.ClassDef) -> str:
    """Code without comments and docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.unparse(tree)


def checkpoint_bytes(session: Session, position: TrainerState, spec: str) -> bytes:
    """All that training needs to go on; every process takes part, and the first has it whole."""
    modules = session.modules
    state = {
        "format": FORMAT,
        "spec": spec,
        "position": position.as_dict(),
        "networks": {name: network_state(net) for name, net in modules.items()},
        "optimizers": {
            name: optimizer_state(modules[name], optimizer)
            for name, optimizer in session.optimizers.items()
        },
        "learner": session.learner.state_dict(),
        "random": random_states(session.fabric.world_size),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def read_checkpoint(folder: RunFolder) -> dict[str, Any]:
    """The state of a run.

    Raises:
        RequestError: where there is none.
        DataError: where it cannot be read.
    """
    file = folder.path / STATE
    if not file.is_file():
        raise RequestError(f"{folder.path} holds no state to go on from")
    try:
        state: Any = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  # a damaged file raises whatever it likes
        why = str(error).partition("\n")[0]
        raise DataError(f"{file} is damaged, and cannot be read: {why}") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise DataError(f"{file} is no state, or of another version of LayerGraph")
    return dict(state)


def restore(session: Session, state: dict[str, Any]) -> TrainerState:
    """Put a state into live networks and optimizers; where training stands."""
    for name, net in session.modules.items():
        set_network_state(net, state["networks"][name])
    for name, optimizer in session.optimizers.items():
        set_optimizer_state(session.modules[name], optimizer, state["optimizers"][name])
    session.learner.load_state_dict(state["learner"])
    # More processes than before begin their random numbers anew.
    if session.fabric.global_rank < len(state["random"]):
        torch.set_rng_state(state["random"][session.fabric.global_rank])
    return TrainerState.of(state["position"])


def weights_bytes(networks: Mapping[str, nn.Module]) -> bytes:
    """The weights as safetensors, tied ones once; of several networks with the network's name before each."""
    return save(
        {
            f"{name}.{key}" if name else key: tensor.contiguous()
            for name, net in networks.items()
            for key, tensor in network_state(net).items()
            if key not in tied_names(net)
        }
    )


def tied_names(net: nn.Module) -> set[str]:
    """The second and further names of parameters that have several."""
    every = {name for name, _ in net.named_parameters(remove_duplicate=False)}
    return every - {name for name, _ in net.named_parameters()}
