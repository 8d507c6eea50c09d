"""Check that a network is causal: its output at a position may depend on that position and earlier ones only.

A network that sees the token it has to predict learns to copy it, and cannot generate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from lightning_fabric.wrappers import _FabricModule
from torch import Tensor, nn

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.ir.typed import Instance, TypedNode
from compiler.tasks.ports import bound
from runtime.hooks import hook_layers
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import lengths, longest

Forward = Callable[[Tensor], Tensor]
"""Tokens int[B, T] -> logits float[B, T, vocab]."""

_TOLERANCE: Final = 1e-6
"""Largest difference, relative to a tensor's largest value, that counts as equal."""
_LENGTHS_TRIED: Final = 16
"""Number of lengths that are tried to find one that differs from every size of a weight."""


def check_causal(
    learner: Learner[Any], role: str, tokens: Tensor, forward: Forward
) -> None:
    """Check that a network is causal, on some tokens of the data.

    Args:
        learner: a task with one network.
        role: role of the input that gets the tokens.
        tokens: int[B, T]; truncated to a length that the network accepts.
        forward: runs the network.

    Raises:
        SpecError: if the network is not causal, at the first layer that is not.
    """
    instance, network = learner.instances[""], learner.network
    module = network.module if isinstance(network, _FabricModule) else network
    port = bound(instance.scope.inputs, role, learner.task.ports)
    length = _test_length(module, instance, port, tokens.shape[1])
    path = find_leak(module, forward, tokens[:, :length])
    if path is not None:
        raise SpecError((_diagnostic(instance, path, role),))


def find_leak(network: nn.Module, forward: Forward, tokens: Tensor) -> str | None:
    """The path of the first layer that is not causal; None if the logits are causal.

    The network runs twice in evaluation mode, on tokens int[B, T] that differ only at the
    last position; outputs before it must be equal. A layer's output is compared if exactly
    one of its dimensions has size T. The path is "" if the logits differ and no layer does.
    """
    length = tokens.shape[1]
    if length < 2:
        return None
    with _test_mode(network):
        forward(tokens)  # a sharded network's first run gathers its weights
        first = _layer_outputs(network, forward, tokens)
        second = _layer_outputs(network, forward, _change_last(tokens))
    pairs = list(zip(first, second, strict=True))
    if not _differ(*pairs[-1], length):
        return None
    return next(one[0] for one, other in pairs if _differ(one, other, length))


def _change_last(tokens: Tensor) -> Tensor:
    """The tokens with another last one: the row's first token, or else 0 or 1, which every vocabulary has."""
    first, last = tokens[:, 0], tokens[:, -1]
    other = torch.where(first == last, (last == 0).long(), first)
    return torch.cat([tokens[:, :-1], other[:, None]], 1)


_LayerOutput = tuple[str, list[Tensor]]


def _layer_outputs(
    network: nn.Module, forward: Forward, tokens: Tensor
) -> list[_LayerOutput]:
    """The path and output of each layer in the order of execution, and the logits as the output of ""."""
    outputs: list[_LayerOutput] = []
    torch.manual_seed(0)
    with hook_layers(network, lambda path, tensors: outputs.append((path, tensors))):
        logits = forward(tokens)
    return [*(output for output in outputs if output[0]), ("", [logits])]


def _differ(one: _LayerOutput, other: _LayerOutput, length: int) -> bool:
    """Whether two outputs of a layer differ before the last position."""
    return any(
        _tensors_differ(a, b, list(a.shape).index(length), length - 1)
        for a, b in zip(one[1], other[1], strict=True)
        if a.shape == b.shape and list(a.shape).count(length) == 1
    )


def _tensors_differ(a: Tensor, b: Tensor, dim: int, positions: int) -> bool:
    """Whether two tensors differ at the first positions of a dimension."""
    a, b = (tensor.narrow(dim, 0, positions).float() for tensor in (a, b))
    # inf - inf and NaN - NaN are NaN here, and count as equal.
    difference = (a - b).abs().nan_to_num(0, posinf=torch.finfo(a.dtype).max)
    scale = a.masked_fill(~a.isfinite(), 0).abs().amax()
    return bool(difference.amax() > _TOLERANCE * scale)


@contextmanager
def _test_mode(network: nn.Module) -> Iterator[None]:
    """Evaluation mode, no gradients, and a random state of its own, until the context ends.

    Weights that are all 0, such as a newly initialised gate or head, would hide what comes before
    them: they are random meanwhile.
    """
    modes = [(module, module.training) for module in network.modules()]
    with torch.random.fork_rng(), torch.no_grad():
        zeros = [weight for weight in network.parameters() if _is_zero(weight)]
        generator = torch.Generator().manual_seed(0)
        for weight in zeros:
            weight.copy_(torch.randn(weight.shape, generator=generator) / 10)
        network.eval()
        try:
            yield
        finally:
            for weight in zeros:
                weight.zero_()
            for module, mode in modes:
                module.training = mode


def _is_zero(weight: nn.Parameter) -> bool:
    """Whether all values of a weight are 0; False for sharded weights, which stay as they are."""
    return type(weight.data) is Tensor and not weight.any()


def _test_length(network: nn.Module, instance: Instance, port: str, limit: int) -> int:
    """A length up to `limit` that the network accepts and no weight has as a size, so that the dimension is known."""
    allowed = lengths(instance, port)
    sizes = {size for weight in network.parameters() for size in weight.shape}
    best = longest(allowed, limit)
    last = max(best - _LENGTHS_TRIED * allowed.multiple_of, 1)
    for length in range(best, last, -allowed.multiple_of):
        if length not in sizes:
            return length
    return best


def _diagnostic(instance: Instance, path: str, role: str) -> Diagnostic:
    """The error for the layer at a path."""
    names, layer = _find_layer(instance, path)
    name = names[-1] if names else instance.scope.name
    call = next(iter(layer.calls), None) if layer else None
    op = call.op if call else None
    place = layer.node.place if layer else instance.scope.place
    return Diagnostic(
        "task-misfit",
        f"{name} looks ahead: its output at a position of {role} depends on later positions",
        place.span(key=True),
        label="position t depends on later positions",
        path=".".join((instance.scope.name, *names)),
        help=op.causal_hint if op else "",
    )


def _find_layer(instance: Instance, path: str) -> tuple[list[str], TypedNode | None]:
    """The layer at a path, or its closest enclosing one, and the names down to it, such as `h[0]`, `attn`."""
    names: list[str] = []
    inside: Instance | None = instance
    layer: TypedNode | None = None
    for part in filter(None, path.split(".")):
        if part.isdecimal() and names and not (inside and part in inside.nodes):
            names[-1] += f"[{part}]"
        elif inside is not None and part in inside.nodes:
            layer = inside.nodes[part]
            names.append(part)
            inside = _block(layer)
        else:
            return names, layer
    while inside is not None and len(inside.scope.outputs) == 1:
        # The path ends at a block, whose layers before the last one are causal.
        (last,) = inside.scope.outputs.values()
        if last.node not in inside.nodes:
            break
        layer = inside.nodes[last.node]
        names.append(last.node)
        inside = _block(layer)
    return names, layer


def _block(layer: TypedNode) -> Instance | None:
    """The block that a layer calls; None for a scan, whose steps do not see one another."""
    return layer.calls[0].instance if layer.calls and not layer.scan else None
