"""Noise as an input of a network: a fixed number of values for each example."""

from __future__ import annotations

from compiler.ir.typed import Instance
from compiler.tasks.ports import FREE, PortCheck


def check_noise(check: PortCheck, net: Instance) -> None:
    """Report an input `noise` that is not float[B, latent] with a number for latent."""
    noise = check.input(net, "noise", "float", (FREE, None))
    if noise and net.inputs[noise] is not None and not latent(net, noise):
        message = f"{check.kind} draws noise of a fixed width"
        label = f"{noise} is {net.inputs[noise]}"
        check.report("task-misfit", ("kind",), message, label)


def latent(net: Instance, port: str) -> int:
    """Width of the noise input; 0 if it is not known."""
    kind = net.inputs[port]
    if kind is None:
        return 0
    return net.context.value(kind.shape[1]).constant or 0
