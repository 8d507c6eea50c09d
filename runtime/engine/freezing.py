"""Parameters that are not trained, for the first epochs or at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.start import Start, matching


class Freezing:
    """The parameters of networks that a task's `start` freezes.

    A norm whose tensors are all frozen keeps its statistics: it is in evaluation mode. Dropout stays as it is.

    Args:
        modules: the networks by name, without wrappers.
        start: what is frozen; None: nothing.

    Raises:
        RequestError: if nothing is left to train in a network.
    """

    def __init__(self, modules: Mapping[str, nn.Module], start: Start | None) -> None:
        self.modules = modules
        self.epochs = start.unfreeze_after if start else None
        self._frozen = {
            name: _frozen(name, module, start.freeze if start else ())
            for name, module in modules.items()
        }

    @property
    def is_used(self) -> bool:
        """Whether any tensor is frozen, for some time."""
        return any(self._frozen.values())

    def apply(self, epoch: int) -> None:
        """Freeze for an epoch, counted from 0; the networks are in training mode."""
        frozen = self.epochs is None or epoch < self.epochs
        for name, module in self.modules.items() if self.is_used else ():
            names = self._frozen[name]
            for key, weight in module.named_parameters(remove_duplicate=False):
                weight.requires_grad_(not (frozen and key in names))
            if frozen:
                _keep_statistics(module, names)


def _frozen(network: str, module: nn.Module, patterns: Collection[str]) -> set[str]:
    """The names of the frozen tensors of a network; a tied tensor is frozen by any of its names."""
    if not patterns:
        return set()
    prefix = f"{network}." if network else ""
    named = dict(module.named_parameters(remove_duplicate=False))
    buffers = {name for name, _ in module.named_buffers()}
    full = {prefix + name: name for name in (*named, *buffers)}
    found = {full[name] for name in matching(patterns, full)}
    weights = {id(named[name]) for name in found if name in named}
    found |= {name for name, weight in named.items() if id(weight) in weights}
    if named and found >= named.keys():
        where = f" of {network}" if network else ""
        raise RequestError(f"`freeze` leaves no parameter{where} to train")
    return found


def _keep_statistics(module: nn.Module, frozen: set[str]) -> None:
    """Put the norms whose tensors are all frozen into evaluation mode."""
    for name, norm in module.named_modules():
        if isinstance(norm, _NormBase):
            tensors = [
                key for key, _ in (*norm.named_parameters(), *norm.named_buffers())
            ]
            prefix = f"{name}." if name else ""
            if tensors and all(prefix + key in frozen for key in tensors):
                norm.eval()
