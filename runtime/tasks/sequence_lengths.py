"""The sequence lengths that a network accepts, and checks of the data against them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from torch import Tensor

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.ir.typed import Instance
from compiler.symbolic.domain import Constraint
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.tasks.learner import Learner

_CHUNK_SIZE: Final = 1024


def lengths(instance: Instance, port: str, dim: int = 1) -> Constraint:
    """The values of T that an input of shape [B, T] may have, or the size of another dimension."""
    tensor_type = instance.inputs[port]
    assert tensor_type is not None
    size = instance.context.value(tensor_type.shape[dim])
    if size.constant is not None:
        return Constraint(size.constant, size.constant)
    if size.alone is None:
        return Constraint()
    return instance.context.domain.constraint(size.alone)


def longest(allowed: Constraint, limit: int) -> int:
    """The largest allowed length that is at most `limit`; 0 if there is none."""
    limit = limit if allowed.max is None else min(limit, allowed.max)
    length = limit // allowed.multiple_of * allowed.multiple_of
    return length if length >= allowed.first else 0


def shortest(allowed: Constraint, length: int) -> int:
    """The smallest allowed length that is at least `length`; 0 if there is none."""
    length = max(length, allowed.first)
    rounded = -(-length // allowed.multiple_of) * allowed.multiple_of
    return rounded if allowed.max is None or rounded <= allowed.max else 0


def check_length(instance: Instance, port: str, length: int, role: str) -> None:
    """Check that an input accepts examples of one length.

    Raises:
        SpecError: if it does not.
    """
    allowed = lengths(instance, port)
    if allowed.admits(length):
        return
    message = (
        f"examples have {length} {role}, but {instance.scope.name} "
        f"takes {_format_lengths(allowed)}"
    )
    span = instance.scope.place.at("inputs", port).span()
    best = longest(allowed, length) or allowed.first
    help = f"set the data's `length: {best}`"
    raise SpecError((Diagnostic("data-mismatch", message, span, help=help),))


def _format_lengths(allowed: Constraint) -> str:
    """For example `multiples of 8, at least 16, at most 64`."""
    parts = [f"multiples of {allowed.multiple_of}"] if allowed.multiple_of > 1 else []
    if allowed.first > allowed.multiple_of:
        parts.append(f"at least {allowed.first}")
    if allowed.max is not None:
        parts.append(f"at most {allowed.max}")
    return ", ".join(parts)


def check_max_length(
    learner: Learner[Any], role: str, sequences: Iterable[Tensor], network: str = ""
) -> None:
    """Check that no sequence is longer than the network's maximum length.

    Args:
        learner: a task.
        role: role of the input that gets the sequences.
        sequences: batches [B, T]; not read if the network has no maximum.
        network: the network, of several.

    Raises:
        SpecError: if a sequence is too long, at the network's input.
    """
    instance = learner.instances[network]
    port = bound(instance.scope.inputs, role, learner.task.ports)
    limit = lengths(instance, port).max
    if limit is None:
        return
    found = max(batch.shape[1] for batch in sequences)
    if found > limit:
        message = (
            f"the longest {role} has {found} tokens, but the input {port} takes {limit}"
        )
        span = instance.scope.place.at("inputs", port).span()
        help = "shorten the data's texts, or raise the maximum of the network"
        raise SpecError((Diagnostic("data-misfit", message, span, help=help),))


def all_batches(data: DataSplits) -> Iterable[Batch]:
    """All examples in large batches, training examples first."""
    for examples in filter(None, (data.train, data.held_out, data.test)):
        for start in range(0, len(examples), _CHUNK_SIZE):
            indices = range(start, min(start + _CHUNK_SIZE, len(examples)))
            yield examples.__getitems__(list(indices))
