"""A step of training beside a plain PyTorch loop over the same DataLoader."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn import functional as F

from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import ROOT, Sample, alternate, cpu_ratio, measured
from compiler.pipeline import compile_spec
from compiler.program import Program
from runtime.data.dataset import Batch, DataSplits
from runtime.data.load_data import load
from runtime.engine.batch_sampler import ShuffledBatchSampler, shuffled_loader
from runtime.engine.callbacks import Callback
from runtime.engine.loop import train_epoch
from runtime.engine.session import open_session
from runtime.engine.signals import Signals
from runtime.engine.trainer import data_section
from runtime.engine.trainer_state import TrainerState
from runtime.load import build_networks

_EPOCHS = 4
"""Epochs of one sample: the digits are few."""
_SIZES = {"CNN of 8 x 8 digits, batches of 64": 64, "the same, batches of 8": 8}


def _measure(rounds: int) -> Figures:
    """The loop of `train`, and one by hand, on a small network."""
    torch.set_num_threads(1)
    program = compile_spec(ROOT / "recipes" / "cnn_digits.yaml")
    assert program.task is not None
    data = load(program.task, data_section(program, program.task))
    rows, ratios = [], {}
    for name, batch_size in _SIZES.items():
        jobs = {
            "train": _by_train(program, data, batch_size),
            "plain": _by_hand(program, data, batch_size),
        }
        found = alternate(jobs, rounds)
        ratios[name] = cpu_ratio(found["train"], found["plain"])
        steps = _EPOCHS * (len(data.train) // batch_size)
        each = [seconds(found[job].cpu / steps) for job in jobs]
        rows.append([name, *each, f"{ratios[name]:.2f}"])
    return Figures(rows, ratios)


def _by_train(
    program: Program, data: DataSplits, batch_size: int
) -> Callable[[], Sample]:
    assert program.task is not None
    changes = {"batch_size": batch_size, "epochs": 1000, "evaluate_every": 1000}
    task = program.task.model_copy(update=changes)
    fabric = Fabric(accelerator="cpu", devices=1)
    session = open_session(replace(program, task=task), data, fabric)

    def job() -> None:
        for _ in range(_EPOCHS):
            train_epoch(session, TrainerState(), Callback(), Signals())

    return lambda: measured(job)


def _by_hand(
    program: Program, data: DataSplits, batch_size: int
) -> Callable[[], Sample]:
    net = build_networks(program)[""]
    optimizer = torch.optim.AdamW(net.parameters())
    sampler = ShuffledBatchSampler(len(data.train), batch_size, seed=0)
    loader = shuffled_loader(data.train, sampler)

    def job() -> None:
        for sampler.epoch in range(_EPOCHS):
            _plain_epoch(net, optimizer, loader)

    return lambda: measured(job)


def _plain_epoch(
    net: nn.Module, optimizer: torch.optim.Optimizer, batches: Iterable[Batch]
) -> None:
    total = 0.0
    net.train()
    for batch in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(batch["image"]), batch["label"])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.item()


OF_STEPS: Final = Benchmark(
    title="Time of a training step",
    method="""\
A step of `train` (Fabric, metrics, the check for values that are not finite, the flag of a signal) and one of a plain
PyTorch loop: the same network, AdamW, examples and DataLoader; one thread, processor time of whole epochs, without
evaluation.""",
    header=["", "`train`", "plain loop", "ratio"],
    bars={name: Bar(f"{name}: ratio", most=1.2) for name in _SIZES},
    measure=_measure,
    rounds=15,
)
