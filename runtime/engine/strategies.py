"""Devices and processes: Lightning's Fabric, as the command line asks for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
from lightning_fabric.strategies.strategy import Strategy
from torch import nn
from torch.distributed.fsdp import fully_shard

from compiler.diagnostics.diagnostic import RequestError
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance
from compiler.tasks.task import Precision

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh


def open_fabric(
    networks: Mapping[str, Instance],
    precision: Precision,
    *,
    devices: int,
    nodes: int,
    accelerator: str,
    strategy: str,
) -> Fabric:
    """The devices, with the processes for them started.

    Raises:
        RequestError: where there are no such devices, or no such strategy.
    """
    chosen: str | Strategy = strategy
    if strategy == "fsdp":
        if len(networks) > 1:
            raise RequestError("fsdp shards one network, and here are several: use ddp")
        chosen = ModelParallelStrategy(
            _sharded(networks[""]),
            data_parallel_size=devices * nodes,  # by itself it would be the nodes
            tensor_parallel_size=1,
        )
    try:
        fabric = Fabric(
            accelerator=accelerator,
            devices=devices,
            num_nodes=nodes,
            strategy=chosen,
            precision=precision,
        )
    except (RuntimeError, ValueError, TypeError) as error:
        raise RequestError(str(error)) from None
    fabric.launch()
    return fabric


def is_first() -> bool:
    """Whether this process is the first of all, before they have found one another."""
    places = ("RANK", "SLURM_PROCID", "LOCAL_RANK")
    rank = next((os.environ[place] for place in places if place in os.environ), "0")
    return rank == "0" and os.environ.get("NODE_RANK", "0") == "0"


def lost_another(error: RuntimeError) -> bool:
    """Whether an error of this process says no more than that another one is gone."""
    words = (
        "Connection closed by peer",
        "Connection reset by peer",
        "NCCL",
        "Broken pipe",
    )
    return torch.distributed.is_initialized() and any(
        word in str(error) for word in words
    )


def _sharded(network: Instance) -> Callable[[nn.Module, DeviceMesh], nn.Module]:
    """Shards a network by its blocks, each copy of a repeated one alone (FSDP2; Zhao et al., 2023)."""

    def shard(module: nn.Module, mesh: DeviceMesh) -> nn.Module:
        flat = mesh["data_parallel"]
        for block in blocks(module, network):
            fully_shard(block, mesh=flat)
        fully_shard(module, mesh=flat)
        return module

    return shard


def blocks(module: nn.Module, network: Instance) -> Iterator[nn.Module]:
    """The modules of a network's blocks: those of its layers that are blocks, and of their copies."""
    for name, node in network.nodes.items():
        target = node.target
        if (
            isinstance(target, Scope)
            and target.kind == "block"
            and not node.node.shared
        ):
            found = getattr(module, name, None)
            if isinstance(found, nn.ModuleList | nn.Sequential):
                yield from found
            elif isinstance(found, nn.Module):
                yield found
