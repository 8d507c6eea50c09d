"""Devices and processes, through Lightning Fabric."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

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

_CONNECTION_LOST: Final = (
    "Connection closed by peer",
    "Connection reset by peer",
    "NCCL",
    "Broken pipe",
)


def open_fabric(
    networks: Mapping[str, Instance],
    precision: Precision,
    *,
    devices: int,
    nodes: int,
    accelerator: str,
    strategy: str,
    untrained: bool = False,
) -> Fabric:
    """A Fabric whose processes are started.

    Args:
        networks: the compiled networks; `fsdp` shards their blocks.
        precision: Lightning's name of the precision.
        devices: number of devices of each node.
        nodes: number of nodes.
        accelerator: Lightning's name of the accelerator.
        strategy: Lightning's name of the strategy.
        untrained: whether some parameters have no gradient, which ddp otherwise waits for.

    Raises:
        RequestError: if there are no such devices, or no such strategy.
    """
    chosen: str | Strategy = strategy
    if untrained and strategy in ("auto", "ddp") and devices * nodes > 1:
        chosen = "ddp_find_unused_parameters_true"
    if strategy == "fsdp":
        if len(networks) > 1:
            raise RequestError(
                "fsdp shards one network, but there are several: use ddp"
            )
        chosen = ModelParallelStrategy(
            _sharder(networks[""]),
            data_parallel_size=devices * nodes,  # the default is the number of nodes
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
    if torch.distributed.is_initialized():
        atexit.register(_disconnect)
    return fabric


def _disconnect() -> None:
    """End the threads of gloo before the interpreter ends; Fabric does so for NCCL only."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def is_rank_zero() -> bool:
    """Whether this process is the first of all; known before Fabric connects them."""
    variables = ("RANK", "SLURM_PROCID", "LOCAL_RANK")
    rank = next((os.environ[name] for name in variables if name in os.environ), "0")
    return rank == "0" and os.environ.get("NODE_RANK", "0") == "0"


def is_lost_connection(error: RuntimeError) -> bool:
    """Whether an error only says that another process of the run is gone."""
    return torch.distributed.is_initialized() and any(
        text in str(error) for text in _CONNECTION_LOST
    )


def _sharder(network: Instance) -> Callable[[nn.Module, DeviceMesh], nn.Module]:
    """A function that shards a network by its blocks, each copy of a repeat on its own (FSDP2; Zhao et al., 2023)."""

    def shard(module: nn.Module, mesh: DeviceMesh) -> nn.Module:
        data_parallel = mesh["data_parallel"]
        for block in block_modules(module, network):
            fully_shard(block, mesh=data_parallel)
        fully_shard(module, mesh=data_parallel)
        return module

    return shard


def block_modules(module: nn.Module, network: Instance) -> Iterator[nn.Module]:
    """The modules of a network's layers that are blocks; of repeats, each copy."""
    for name, node in network.nodes.items():
        target = node.target
        is_block = isinstance(target, Scope) and target.kind == "block"
        if is_block and not node.node.shared:
            layer = getattr(module, name, None)
            if isinstance(layer, nn.ModuleList | nn.Sequential):
                yield from layer
            elif isinstance(layer, nn.Module):
                yield layer
