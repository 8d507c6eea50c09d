"""Whether a network looks ahead: what it says of a position may depend on that and earlier ones alone.

One that sees the token that it is to predict learns to copy it, and can predict none.
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

Run = Callable[[Tensor], Tensor]
"""Tokens int[B, T] -> logits float[B, T, vocab]."""

_TOLERANCE: Final = 1e-6
"""The share of its largest value by which a tensor may differ: what does not depend is in fact equal."""
_TRIED: Final = 16
"""Lengths that are tried for one that is the size of nothing else."""

_LOOKS_BACK: Final = "is_causal: true lets a position see itself and those before it"
_ONE_WAY: Final = "without `bidirectional` a position sees itself and those before it"
_HELP: Final = {
    "attention": _LOOKS_BACK,
    "multihead_attention": _LOOKS_BACK,
    "lstm": _ONE_WAY,
    "gru": _ONE_WAY,
    "rnn": _ONE_WAY,
    "conv1d": "pad before the first position alone, by dilation * (kernel_size - 1)",
}


def check_causal(learner: Learner[Any], role: str, tokens: Tensor, run: Run) -> None:
    """Hold the only network of a task against some tokens int[B, T] of the data, which play a role.

    Raises:
        SpecError: where the network looks ahead, at the layer that does.
    """
    instance, network = learner.instances[""], learner.network
    module = network.module if isinstance(network, _FabricModule) else network
    port = bound(instance.scope.inputs, role, learner.task.ports)
    length = _length(module, instance, port, tokens.shape[1])
    found = find_leak(module, run, tokens[:, :length])
    if found is not None:
        raise SpecError((_diagnostic(instance, found, role),))


def find_leak(network: nn.Module, run: Run, tokens: Tensor) -> str | None:
    """The first layer, by its path in the spec, at which a position depends on later ones; None if none does.

    The network runs twice, in evaluation mode, on tokens int[B, T] that differ at the last position alone. What `run`
    gives decides; a layer is looked at where one dimension of what it gives is of size T. It is "" if all of these
    are as they should be, and the logits are not.
    """
    length = tokens.shape[1]
    if length < 2:
        return None
    with _prepared(network):
        run(tokens)  # the first run of a sharded network does more than others
        first = _recorded(network, run, tokens)
        second = _recorded(network, run, _changed(tokens))
    pairs = list(zip(first, second, strict=True))
    if not _differ(*pairs[-1], length):
        return None
    return next(one[0] for one, other in pairs if _differ(one, other, length))


def _changed(tokens: Tensor) -> Tensor:
    """Tokens with others at the last position: those of the first, or one of the two that every vocabulary has."""
    first, last = tokens[:, 0], tokens[:, -1]
    other = torch.where(first == last, (last == 0).long(), first)
    return torch.cat([tokens[:, :-1], other[:, None]], 1)


_Record = tuple[str, list[Tensor]]


def _recorded(network: nn.Module, run: Run, tokens: Tensor) -> list[_Record]:
    """What each layer gives, and at last, as "", the logits."""
    found: list[_Record] = []
    torch.manual_seed(0)
    with hook_layers(network, lambda path, given: found.append((path, given))):
        logits = run(tokens)
    return [*(one for one in found if one[0]), ("", [logits])]


def _differ(one: _Record, other: _Record, length: int) -> bool:
    """Whether what a layer gives differs before the last position."""
    return any(
        _differs(a, b, list(a.shape).index(length), length - 1)
        for a, b in zip(one[1], other[1], strict=True)
        if a.shape == b.shape and list(a.shape).count(length) == 1
    )


def _differs(a: Tensor, b: Tensor, dim: int, places: int) -> bool:
    a, b = (one.narrow(dim, 0, places).float() for one in (a, b))
    # Where both are infinite, or no numbers, there is no difference.
    apart = (a - b).abs().nan_to_num(0, posinf=torch.finfo(a.dtype).max)
    scale = a.masked_fill(~a.isfinite(), 0).abs().amax()
    return bool(apart.amax() > _TOLERANCE * scale)


@contextmanager
def _prepared(network: nn.Module) -> Iterator[None]:
    """A network in evaluation mode, no gradients, and random numbers apart.

    Weights that are all 0, as those of a gate or a head may be at the start, would hide what is behind them: they are
    others for as long.
    """
    modes = [(module, module.training) for module in network.modules()]
    with torch.random.fork_rng(), torch.no_grad():
        zeros = [one for one in network.parameters() if _all_zero(one)]
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


def _all_zero(weight: nn.Parameter) -> bool:
    """Whether a weight is 0 throughout; one that is spread over processes is left as it is."""
    return type(weight.data) is Tensor and not weight.any()


def _length(network: nn.Module, instance: Instance, port: str, most: int) -> int:
    """A length that the network takes, at most this, and the size of no weight, so that the dimension can be told."""
    taken = lengths(instance, port)
    sizes = {size for weight in network.parameters() for size in weight.shape}
    longest_one = longest(taken, most)
    least = max(longest_one - _TRIED * taken.multiple_of, 1)
    for length in range(longest_one, least, -taken.multiple_of):
        if length not in sizes:
            return length
    return longest_one


def _diagnostic(instance: Instance, path: str, role: str) -> Diagnostic:
    """What is said of a layer that looks ahead."""
    names, layer = _find(instance, path)
    name = names[-1] if names else instance.scope.name
    call = next(iter(layer.calls), None) if layer else None
    op = call.op.name if call and call.op else ""
    message = f"{name} looks ahead: what it gives for a position of {role} depends on later ones"
    place = layer.node.place if layer else instance.scope.place
    return Diagnostic(
        "task-misfit",
        message,
        place.span(key=True),
        label="position t depends on later ones",
        path=".".join((instance.scope.name, *names)),
        help=_HELP.get(op, ""),
    )


def _find(instance: Instance, path: str) -> tuple[list[str], TypedNode | None]:
    """The layer at a path, or the deepest on the way there, and the names on the way: `h[0]`, `attn`."""
    names: list[str] = []
    inside: Instance | None = instance
    layer: TypedNode | None = None
    for part in filter(None, path.split(".")):
        if part.isdecimal() and names and not (inside and part in inside.nodes):
            names[-1] += f"[{part}]"
        elif inside is not None and part in inside.nodes:
            layer = inside.nodes[part]
            names.append(part)
            inside = _within(layer)
        else:
            return names, layer
    while inside is not None and len(inside.scope.outputs) == 1:
        # A block gives what its last layer gives; the layers before that are as they should be.
        (last,) = inside.scope.outputs.values()
        if last.node not in inside.nodes:
            break
        layer = inside.nodes[last.node]
        names.append(last.node)
        inside = _within(layer)
    return names, layer


def _within(layer: TypedNode) -> Instance | None:
    """What is in a block; nothing where it runs step by step, for its steps do not see one another."""
    return layer.calls[0].instance if layer.calls and not layer.scan else None
