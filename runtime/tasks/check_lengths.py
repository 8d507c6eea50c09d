"""Whether a network takes sequences as long as those of the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, Data
from runtime.sequence_lengths import lengths
from runtime.tasks.learner import Learner

_PART = 1024


def every_batch(data: Data) -> Iterable[Batch]:
    """All examples, those for training first, in large batches."""
    for examples in (data.train, data.held_out):
        for start in range(0, len(examples), _PART):
            numbers = range(start, min(start + _PART, len(examples)))
            yield examples.__getitems__(list(numbers))


def refuse_long(learner: Learner[Any], role: str, examples: Iterable[Tensor]) -> None:
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
