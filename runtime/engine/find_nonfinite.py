"""Where training broke: the first layer that gives what is NaN or infinite, or whose gradient is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import torch
from torch import Tensor

from compiler.ir.graph import Scope
from compiler.ir.typed import Instance
from runtime.data.dataset import Batch
from runtime.engine.forward_trace import ForwardTrace, broken, path_of, tracing
from runtime.engine.session import Session
from runtime.engine.train_step import NonFiniteError
from runtime.engine.trainer_state import TrainerState

MASKS: Final = ("masked_fill", "where", "full")
"""Ops that put infinities in on purpose."""
LARGE: Final = 1e6
"""A weight above this says that the steps are too long."""
SHORTER: Final = "take a lower lr, a warmup, or clip the gradients (`clip: 1.0`)"


class TrainingError(Exception):
    """Training cannot go on; the message says why. The process exits with `code`."""

    code = 1


def check_weights(session: Session, position: TrainerState) -> None:
    """Refuse weights that are not finite.

    Raises:
        TrainingError: which names the first.
    """
    found = _broken_weight(session)
    if found:
        raise TrainingError(f"after step {position.step}, {found}; {SHORTER}")


def explain(
    session: Session,
    position: TrainerState,
    fault: NonFiniteError,
    batches: Sequence[Batch],
) -> str:
    """Why a network cannot learn from batches: found by running them again, with the same random numbers."""
    return (
        _broken_weight(session)
        or _broken_data(batches)
        or _broken_layer(session, position, fault, batches) + _large_weight(session)
    )


def _weights(session: Session) -> Iterator[tuple[str, Tensor]]:
    for network, module in session.modules.items():
        for name, weight in module.named_parameters():
            yield path_of(network, name), weight.detach()


def _broken_weight(session: Session) -> str:
    for name, weight in _weights(session):
        if broken(weight):
            return f"the weight {name} is {broken(weight)}"
    return ""


def _broken_data(batches: Sequence[Batch]) -> str:
    for batch in batches:
        for role, tensor in batch.items():
            if broken(tensor):
                return f"the data is: `{role}` holds what is {broken(tensor)}"
    return ""


def _large_weight(session: Session) -> str:
    """Says of a weight that is very large that it is."""
    sizes = {name: float(one.abs().max()) for name, one in _weights(session)}
    name = max(sizes, key=lambda one: sizes[one])
    if sizes[name] < LARGE:
        return ""
    return f"; the weight {name} has come to {sizes[name]:.1e}: {SHORTER}"


def _broken_layer(
    session: Session,
    position: TrainerState,
    fault: NonFiniteError,
    batches: Sequence[Batch],
) -> str:
    torch.set_rng_state(fault.random)
    done = position.step / session.total
    with tracing(session.modules) as trace:
        losses = [session.learner.loss(fault.network, one, done) for one in batches]
    found = _first(session, trace)
    if found:
        path, word = found
        return f"{_described(session, path)} is the first that gives what is {word}"
    if any(map(broken, losses)):
        return "what the layers give is finite, and the loss of it is not"
    at = trace.backward(losses)
    if at is None:
        return "it did not come again when the batch was run once more"
    return (
        f"all values are finite, and the derivative of {_described(session, at)} is not"
    )


def _first(session: Session, trace: ForwardTrace) -> tuple[str, str] | None:
    """The first layer whose output is not finite, and what it is.

    Masks hold -inf on purpose: from one on, -inf alone is no fault.
    """
    masked = False
    for path, words in trace.given:
        only = set(words) == {"-inf"}
        masked |= only and _layer(session, path)[1] in MASKS
        if words and not (masked and only):
            return path, next(word for word in words if only or word != "-inf")
    return None


def _described(session: Session, path: str) -> str:
    """A layer by its path and its op."""
    if not path:
        return "the loss"
    name, op = _layer(session, path)
    return f"the layer {name} ({op})" if op else f"the layer {name}"


def _layer(session: Session, path: str) -> tuple[str, str]:
    """The path of a layer in the spec, and its op, "" where that is not known."""
    instances = session.learner.instances
    first, *rest = path.split(".")
    if first in instances:
        name, op = _below(instances[first], rest)
        return f"{first}.{name}", op
    return _below(instances[""], [first, *rest])


def _below(instance: Instance, parts: Sequence[str]) -> tuple[str, str]:
    """A layer by its path in a scope: what the code names as an output is the layer that gives it."""
    names: list[str] = []
    at: Instance | None = instance
    for part in parts:
        if part.isdecimal() or at is None:
            names.append(part)
            continue
        if part not in at.nodes and part in at.scope.outputs:
            part = at.scope.outputs[part].node
        names.append(part)
        node = at.nodes.get(part)
        if node is not None and not isinstance(node.target, Scope):
            return ".".join(names), node.target.name
        at = node.calls[0].instance if node is not None and node.calls else None
    return ".".join(names), ""
