"""Find where training broke: the first layer whose output or gradient is NaN or infinite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import torch
from torch import Tensor

from compiler.ir.graph import Scope
from compiler.ir.typed import Instance
from runtime.data.dataset import Batch
from runtime.engine.forward_trace import (
    ForwardTrace,
    layer_name,
    nonfinite_kind,
    trace_forward,
)
from runtime.engine.session import Session
from runtime.engine.train_step import NonFiniteError
from runtime.engine.trainer_state import TrainerState

MASKING_OPS: Final = ("masked_fill", "where", "full")
"""Ops that produce infinities on purpose."""
LARGE_WEIGHT: Final = 1e6
"""A weight above this suggests that the learning rate is too high."""
ADVICE: Final = "lower `lr`, add a warmup, or clip the gradients (`clip: 1.0`)"


class TrainingError(Exception):
    """Training cannot continue; the message says why. `code` is the exit code of the process."""

    code = 1


def check_weights(session: Session, state: TrainerState) -> None:
    """Check that all weights are finite.

    Raises:
        TrainingError: if one is not; it names the first.
    """
    problem = _nonfinite_weight(session)
    if problem:
        raise TrainingError(f"after step {state.step}, {problem}; {ADVICE}")


def explain(
    session: Session,
    state: TrainerState,
    error: NonFiniteError,
    batches: Sequence[Batch],
) -> str:
    """Why a loss or gradient is not finite: found by running the batches again with the same random numbers."""
    return (
        _nonfinite_weight(session)
        or _nonfinite_data(batches)
        or _nonfinite_layer(session, state, error, batches) + _large_weight(session)
    )


def _weights(session: Session) -> Iterator[tuple[str, Tensor]]:
    for network, module in session.modules.items():
        for name, weight in module.named_parameters():
            yield layer_name(network, name), weight.detach()


def _nonfinite_weight(session: Session) -> str:
    for name, weight in _weights(session):
        if nonfinite_kind(weight):
            return f"the weight {name} is {nonfinite_kind(weight)}"
    return ""


def _nonfinite_data(batches: Sequence[Batch]) -> str:
    for batch in batches:
        for role, tensor in batch.items():
            if nonfinite_kind(tensor):
                return f"the data `{role}` has values that are {nonfinite_kind(tensor)}"
    return ""


def _large_weight(session: Session) -> str:
    sizes = {name: float(weight.abs().max()) for name, weight in _weights(session)}
    name = max(sizes, key=lambda name: sizes[name])
    if sizes[name] < LARGE_WEIGHT:
        return ""
    return f"; the weight {name} has grown to {sizes[name]:.1e}: {ADVICE}"


def _nonfinite_layer(
    session: Session,
    state: TrainerState,
    error: NonFiniteError,
    batches: Sequence[Batch],
) -> str:
    torch.set_rng_state(error.rng_state)
    progress = state.step / session.total_steps
    with trace_forward(session.modules) as trace:
        losses = [
            session.learner.loss(error.network, batch, progress) for batch in batches
        ]
    found = _first_nonfinite(session, trace)
    if found is not None:
        path, kind = found
        layer = _describe_layer(session, path)
        return f"{layer} is the first whose output is {kind}"
    if any(map(nonfinite_kind, losses)):
        return "all layers' outputs are finite, but the loss of them is not"
    source = trace.backward(losses)
    if source is None:
        return "running the batch again did not reproduce it"
    layer = _describe_layer(session, source)
    return f"all outputs are finite, but the gradient of {layer} is not"


def _first_nonfinite(session: Session, trace: ForwardTrace) -> tuple[str, str] | None:
    """The path of the first layer whose output is not finite, and what it is.

    Masks are -inf on purpose: after one, -inf alone is no fault.
    """
    masked = False
    for path, kinds in trace.outputs:
        only_minus_inf = set(kinds) == {"-inf"}
        masked |= only_minus_inf and _find_layer(session, path)[1] in MASKING_OPS
        if kinds and not (masked and only_minus_inf):
            kind = next(kind for kind in kinds if only_minus_inf or kind != "-inf")
            return path, kind
    return None


def _describe_layer(session: Session, path: str) -> str:
    """For example `the layer h.0.attn (attention)`; `the loss` for ""."""
    if not path:
        return "the loss"
    name, op = _find_layer(session, path)
    return f"the layer {name} ({op})" if op else f"the layer {name}"


def _find_layer(session: Session, path: str) -> tuple[str, str]:
    """The path of a layer in the spec, and its op, or "" if it is unknown."""
    instances = session.learner.instances
    first, *rest = path.split(".")
    if first in instances:
        name, op = _find_in(instances[first], rest)
        return f"{first}.{name}", op
    return _find_in(instances[""], [first, *rest])


def _find_in(instance: Instance, parts: Sequence[str]) -> tuple[str, str]:
    """The path and op of a layer in a scope; the name of an output means the layer that it is of."""
    names: list[str] = []
    inside: Instance | None = instance
    for part in parts:
        if inside is None or (part.isdecimal() and part not in inside.nodes):
            names.append(part)
            continue
        if part not in inside.nodes and part in inside.scope.outputs:
            part = inside.scope.outputs[part].node
        names.append(part)
        node = inside.nodes.get(part)
        if node is not None and not isinstance(node.target, Scope):
            return ".".join(names), node.target.name
        inside = node.calls[0].instance if node is not None and node.calls else None
    return ".".join(names), ""
