"""How long the sequences are that a network takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.ir.typed import Instance
from compiler.symbolic.domain import Constraint
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.tasks.learner import Learner


def lengths(instance: Instance, port: str) -> Constraint:
    """The lengths [., T] that an input of a network may have."""
    found = instance.inputs[port]
    assert found is not None
    size = instance.context.value(found.shape[1])
    if size.constant is not None:
        return Constraint(size.constant, size.constant)
    return instance.context.domain.constraints.get(str(size), Constraint())


def longest(taken: Constraint, most: int) -> int:
    """The longest of the lengths that is at most this; 0 if none is."""
    most = most if taken.max is None else min(most, taken.max)
    found = most // taken.multiple_of * taken.multiple_of
    return found if found >= taken.first else 0


def shortest(taken: Constraint, least: int) -> int:
    """The shortest of the lengths that is at least this; 0 if none is."""
    least = max(least, taken.first)
    found = -(-least // taken.multiple_of) * taken.multiple_of
    return found if taken.max is None or found <= taken.max else 0


def check_length(instance: Instance, port: str, length: int, role: str) -> None:
    """Hold an input against the length of what the data gives it.

    Raises:
        SpecError: where it does not take that.
    """
    taken = lengths(instance, port)
    if taken.admits(length):
        return
    name = instance.scope.name
    message = (
        f"the data has {length} {role} in an example, and {name} takes {_shown(taken)}"
    )
    span = instance.scope.place.at("inputs", port).span()
    best = longest(taken, length) or taken.first
    help = f"the data can have `length: {best}`"
    raise SpecError((Diagnostic("data-mismatch", message, span, help=help),))


def _shown(taken: Constraint) -> str:
    """In words: `multiples of 8, from 16, to 64`."""
    words = [f"multiples of {taken.multiple_of}"] if taken.multiple_of > 1 else []
    words += [f"at least {taken.first}"] if taken.first > taken.multiple_of else []
    words += [f"at most {taken.max}"] if taken.max is not None else []
    return ", ".join(words)


_PART = 1024


def every_batch(data: DataSplits) -> Iterable[Batch]:
    """All examples, those for training first, in large batches."""
    for examples in (data.train, data.held_out):
        for start in range(0, len(examples), _PART):
            numbers = range(start, min(start + _PART, len(examples)))
            yield examples.__getitems__(list(numbers))


def check_max_length(
    learner: Learner[Any], role: str, examples: Iterable[Tensor]
) -> None:
    """Hold the sequences [B, T] that play a role against the lengths that the only network takes.

    They are not looked at where it takes all lengths.

    Raises:
        SpecError: where one is too long, at the input.
    """
    instance = learner.instances[""]
    port = bound(instance.scope.inputs, role, learner.task.ports)
    most = lengths(instance, port).max
    longest = 0 if most is None else max(one.shape[1] for one in examples)
    if most is not None and longest > most:
        message = f"the longest {role} of the data has {longest} tokens, and {port} takes {most}"
        span = instance.scope.place.at("inputs", port).span()
        help = "let the data have shorter ones, or the network take longer ones"
        raise SpecError((Diagnostic("data-misfit", message, span, help=help),))
