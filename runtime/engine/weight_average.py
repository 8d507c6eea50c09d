"""The exponential moving average of weights, which is evaluated and saved in place of the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn


class WeightAverage:
    """Averages of the floating-point parameters and buffers of networks.

    Args:
        networks: the networks that are averaged, by name.
        decay: weight of the average in each update; 0: there is no average.

    Attributes:
        averages: the average of each tensor, by network and name; empty before the first update.
        updates: number of updates by network.
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self._networks, self._decay = dict(networks), decay
        self.averages: dict[str, dict[str, Tensor]] = {}
        self.updates: dict[str, int] = {}

    def update(self, network: str) -> None:
        """Called after each step of a network's optimizer."""
        if not self._decay or network not in self._networks:
            return
        current = _float_tensors(self._networks[network])
        averages = self.averages.get(network)
        if averages is None:
            averages = self.averages[network] = {
                name: tensor.detach().clone() for name, tensor in current.items()
            }
        count = self.updates.get(network, 0)
        # A smaller decay at first, so that the initial weights are soon forgotten.
        decay = min(self._decay, (1 + count) / (10 + count))
        update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        update([averages[name] for name in current], list(current.values()), count)
        self.updates[network] = count + 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """While the context is open, networks have the averages of their weights, if there are any."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for network, averages in self.averages.items():
            current = _float_tensors(self._networks[network])
            for name, average in averages.items():
                weight = current[name].clone()
                current[name].copy_(average)
                average.copy_(weight)

    def state_dict(self) -> dict[str, Any]:
        """What resuming needs: whole tensors on every process."""
        averages = {
            network: {
                name: tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
                for name, tensor in tensors.items()
            }
            for network, tensors in self.averages.items()
        }
        return {"averages": averages, "updates": dict(self.updates)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.updates = dict(state["updates"])
        self.averages = {
            network: {
                name: _placed(tensor, _float_tensors(self._networks[network])[name])
                for name, tensor in tensors.items()
            }
            for network, tensors in state["averages"].items()
        }


def _placed(tensor: Tensor, like: Tensor) -> Tensor:
    """A whole tensor where another is: on its device, and sharded as it is."""
    if isinstance(like, DTensor):
        moved = tensor.to(like.device)
        return distribute_tensor(moved, like.device_mesh, like.placements)
    return tensor.to(like.device)


def _float_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Floating-point parameters and buffers by name, tied ones once."""
    named = network.state_dict(keep_vars=True).items()
    unique = {id(tensor): (name, tensor) for name, tensor in named}
    return {
        name: tensor for name, tensor in unique.values() if tensor.is_floating_point()
    }
