"""Whether a network is causal, found by running it twice: what the proof is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from runtime.hooks import hook_layers

Forward = Callable[[Tensor], Tensor]
"""Tokens int[B, T] -> logits float[B, T, vocab]."""

_TOLERANCE: Final = 1e-6
"""Largest difference, relative to a tensor's largest value, that counts as equal."""


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
    """Whether all values of a weight are 0."""
    return not weight.any()
