"""Generated classes that run a sequence in pieces: `init_state` and `step`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor

from compiler.tasks.ports import bound
from runtime.decode import Stepper
from runtime.tasks.learner import Learner


def stepper(
    learner: Learner[Any], role: str, max_length: int | None, **static: Tensor
) -> Stepper | None:
    """The next logits of the network from a state; None if its class has no `step`, or it is wrapped.

    Args:
        learner: a task with one network.
        role: role of the input that comes in pieces.
        max_length: largest number of positions; None for no limit.
        static: the other inputs by role.
    """
    network = _whole(learner.networks[""])
    if network is None:
        return None
    instance, ports = learner.instances[""], learner.task.ports
    port = bound(instance.scope.inputs, role, ports)
    given = {
        bound(instance.scope.inputs, name, ports): value
        for name, value in static.items()
    }
    if not set(_required(network.init_state)) <= given.keys():
        return None
    if _required(network.step) != [port, "state"]:
        return None
    taken = inspect.signature(network.init_state).parameters
    first = {name: value for name, value in given.items() if name in taken}
    state = network.init_state(**first, max_length=max_length)

    wanted = bound(instance.outputs, "logits", ports)

    def step(tokens: Tensor, state: Any) -> Tensor:
        found = network.step(tokens, state)
        outputs = found if isinstance(found, tuple) else (found,)
        names = _outputs(learner, port, len(outputs))
        logits: Tensor = outputs[names.index(wanted)]
        return logits

    return Stepper(step, state, network)


def _required(method: Callable[..., Any]) -> list[str]:
    """The arguments that a method cannot do without."""
    found = inspect.signature(method).parameters.values()
    return [one.name for one in found if one.default is inspect.Parameter.empty]


def _whole(network: Any) -> Any:
    """The generated class; None if it has no `step`, or its weights are on several devices."""
    inner = getattr(network, "_forward_module", None)  # of a module of Fabric's
    if type(inner).__name__ == "FullyShardedDataParallel":
        return None
    network = network if inner is None else network.module
    return network if hasattr(network, "init_state") else None


def _outputs(learner: Learner[Any], port: str, count: int) -> list[str]:
    """The names of the outputs of `step`: all of them, or those that have the dimension of the pieces."""
    instance = learner.instances[""]
    if count == len(instance.outputs):
        return list(instance.outputs)
    kind = instance.inputs[port]
    assert kind is not None
    length = kind.shape[1]
    return [name for name, one in instance.outputs.items() if length in one.shape]
