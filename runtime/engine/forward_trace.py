"""Trace which layers of live networks produce NaN or infinity, in the forward and the backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from runtime.hooks import LayerHook, hook_layers


class ForwardTrace:
    """What the layers of a forward pass returned.

    Attributes:
        outputs: by layer, in the order of execution: its path, and the `nonfinite_kind` of each
            of its tensors that is not finite.
        layer_of: the path of the layer that each node of the autograd graph belongs to.
    """

    def __init__(self) -> None:
        self.outputs: list[tuple[str, list[str]]] = []
        self.layer_of: dict[Node, str] = {}

    def record(self, path: str, tensors: Sequence[Tensor]) -> None:
        """Record the output of a layer."""
        self.outputs.append((path, list(filter(None, map(nonfinite_kind, tensors)))))
        for tensor in tensors:
            self._assign_nodes(path, tensor.grad_fn)

    def _assign_nodes(self, path: str, start: Node | None) -> None:
        """Assign a layer the autograd nodes that no earlier layer has."""
        stack = [start]
        while stack:
            node = stack.pop()
            if node is not None and node not in self.layer_of:
                self.layer_of[node] = path
                stack += [previous for previous, _ in node.next_functions]

    def backward(self, losses: Sequence[Tensor]) -> str | None:
        """The path of the first layer with a gradient that is not finite; "" for the loss, None if all are finite."""
        found: list[str] = []
        for loss in losses:
            self._assign_nodes("", loss.grad_fn)
        with ExitStack() as stack:
            for node, path in self.layer_of.items():
                stack.callback(node.register_hook(_gradient_hook(path, found)).remove)
            for loss in losses:
                loss.backward()  # type: ignore[no-untyped-call]
        return found[0] if found else None


def _gradient_hook(path: str, found: list[str]) -> Any:
    """A hook that adds the path to `found` if a node turns finite gradients into ones that are not."""

    def hook(grad_inputs: Sequence[Any], grad_outputs: Sequence[Any]) -> None:
        if _any_nonfinite(grad_inputs) and not _any_nonfinite(grad_outputs):
            found.append(path)

    return hook


def _any_nonfinite(gradients: Sequence[Any]) -> bool:
    return any(
        isinstance(gradient, Tensor) and bool(nonfinite_kind(gradient))
        for gradient in gradients
    )


def nonfinite_kind(tensor: Tensor) -> str:
    """`NaN` or `infinite` if a value is; `-inf` if -inf is the only such value; "" if all are finite."""
    tensor = tensor.detach()
    if not tensor.is_floating_point() or bool(tensor.isfinite().all()):
        return ""
    if bool(tensor.isnan().any()):
        return "NaN"
    return "infinite" if bool((tensor == torch.inf).any()) else "-inf"


@contextmanager
def trace_forward(networks: Mapping[str, nn.Module]) -> Iterator[ForwardTrace]:
    """Trace the networks' forward passes until the context ends."""
    trace = ForwardTrace()
    with ExitStack() as stack:
        for name, network in networks.items():
            stack.enter_context(hook_layers(network, _recorder(trace, name, network)))
        yield trace


def _recorder(trace: ForwardTrace, name: str, network: nn.Module) -> LayerHook:
    def record(path: str, tensors: list[Tensor]) -> None:
        trace.record(layer_name(name, spec_path(network, path)), tensors)

    return record


def layer_name(network: str, path: str) -> str:
    """A path, after the name of its network if there are several."""
    return f"{network}.{path}" if network else path


def spec_path(network: nn.Module, path: str) -> str:
    """The path of the spec's layer that a submodule is, or is inside of; modules of torch have no layers inside."""
    module: object = network
    parts: list[str] = []
    for part in filter(None, path.split(".")):
        parts.append(part)
        module = getattr(module, part, None)
        container = isinstance(module, nn.ModuleList | nn.Sequential)
        if not container and type(module).__module__ != type(network).__module__:
            break
    return ".".join(parts)
