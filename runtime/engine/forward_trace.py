"""What the layers of live networks give in one run, and which layer each step of the backward pass is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from runtime.hooks import hook_layers


class ForwardTrace:
    """What layers gave.

    Attributes:
        given: the path of each layer and what its tensors are that are not finite (`broken`),
            in the order in which they ran.
        owners: the layer that each step of the backward pass is of.
    """

    def __init__(self) -> None:
        self.given: list[tuple[str, list[str]]] = []
        self.owners: dict[Node, str] = {}

    def saw(self, path: str, tensors: Sequence[Tensor]) -> None:
        """Take down what a layer gave."""
        self.given.append((path, list(filter(None, map(broken, tensors)))))
        for tensor in tensors:
            self.claim(path, tensor.grad_fn)

    def claim(self, path: str, start: Node | None) -> None:
        """Give a layer the steps that no layer before it has."""
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in self.owners:
                self.owners[node] = path
                waiting += [before for before, _ in node.next_functions]

    def backward(self, losses: Sequence[Tensor]) -> str | None:
        """The layer whose derivative is the first not to be finite, "" for the losses; None if all are."""
        found: list[str] = []
        for loss in losses:
            self.claim("", loss.grad_fn)
        with ExitStack() as hooks:
            for node, path in self.owners.items():
                hooks.callback(node.register_hook(_hook(path, found)).remove)
            for loss in losses:
                loss.backward()  # type: ignore[no-untyped-call]
        return found[0] if found else None


def _hook(path: str, found: list[str]) -> Any:
    def passed(gives: Sequence[Any], takes: Sequence[Any]) -> None:
        if _any_broken(gives) and not _any_broken(takes):
            found.append(path)

    return passed


def _any_broken(gradients: Sequence[Any]) -> bool:
    return any(isinstance(one, Tensor) and bool(broken(one)) for one in gradients)


def broken(tensor: Tensor) -> str:
    """`NaN` or `infinite`, where some value is; `-inf` where some are that, and all others finite; else ""."""
    tensor = tensor.detach()
    if not tensor.is_floating_point() or bool(tensor.isfinite().all()):
        return ""
    if bool(tensor.isnan().any()):
        return "NaN"
    return "infinite" if bool((tensor == torch.inf).any()) else "-inf"


@contextmanager
def tracing(networks: Mapping[str, nn.Module]) -> Iterator[ForwardTrace]:
    """A trace of all that runs until the context ends."""
    trace = ForwardTrace()
    with ExitStack() as stack:
        for name, network in networks.items():
            stack.enter_context(hook_layers(network, _named(trace, name, network)))
        yield trace


def _named(trace: ForwardTrace, name: str, network: nn.Module) -> Any:
    def saw(path: str, tensors: list[Tensor]) -> None:
        trace.saw(path_of(name, layer_path(network, path)), tensors)

    return saw


def path_of(network: str, path: str) -> str:
    """A path, with the name of its network where there are several."""
    return f"{network}.{path}" if network else path


def layer_path(network: nn.Module, path: str) -> str:
    """The path of the layer of the spec that something in a network is, or is a part of.

    What is inside a module of torch is no layer.
    """
    module: object = network
    parts: list[str] = []
    for part in filter(None, path.split(".")):
        parts.append(part)
        module = getattr(module, part, None)
        inside = isinstance(module, nn.ModuleList | nn.Sequential)
        if not inside and type(module).__module__ != type(network).__module__:
            break
    return ".".join(parts)
