"""Evaluating networks that translate: decoded from a state, and by running the whole prefix for each token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final

import torch
from lightning_fabric import Fabric
from torch import nn

from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import ROOT, alternate, cpu_ratio, measured
from compiler.pipeline import compile_spec
from runtime.data.load_data import load
from runtime.engine.batch_sampler import sequential_loader
from runtime.engine.session import open_session
from runtime.engine.train_step import train_step
from runtime.engine.trainer import data_section
from runtime.load import build_networks
from runtime.tasks.learner import learner_class

_STEPS: Final = 150
"""Training steps, after which a network has learned how long translations are."""
RECIPES: Final = ("transformer_verses", "encoder_decoder_verses")
_LEAST: Final = 3.0
Evaluate = Callable[[], Mapping[str, float]]


class _Whole(nn.Module):
    """A network without `step`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.network(*args, **kwargs)


def evaluations(recipe: str, steps: int = _STEPS) -> dict[str, Evaluate]:
    """Both ways of evaluating a recipe's network after some steps of training, all metrics included."""
    program = compile_spec(ROOT / f"recipes/{recipe}.yaml")
    task = program.task
    assert task is not None
    data = load(task, data_section(program, task))
    session = open_session(program, data, Fabric(accelerator="cpu", devices=1))
    for network in session.learner.networks.values():
        network.train()
    for step, batch in enumerate(islice(session.batches, steps)):
        train_step(session, [batch], step)
    (trained,) = session.modules.values()
    (network,) = build_networks(program).values()
    network.load_state_dict(trained.state_dict())
    network.eval()

    def evaluate(network: nn.Module) -> Mapping[str, float]:
        make: Any = learner_class(task.kind)
        learner = make(task, program.typed.networks, {"": network}, data.metadata)
        learner.setup(data)
        batches = sequential_loader(data.held_out, task.batch_size)
        with torch.no_grad():
            found: Mapping[str, float] = learner.evaluate(batches, final=True)
        return found

    return {
        "state": partial(evaluate, network),
        "prefix": partial(evaluate, _Whole(network)),
    }


def _measure(rounds: int) -> Figures:
    torch.set_num_threads(1)
    rows, ratios = [], {}
    for recipe in RECIPES:
        jobs = {n: partial(measured, way) for n, way in evaluations(recipe).items()}
        found = alternate(jobs, rounds, warmups=0)
        ratios[recipe] = cpu_ratio(found["prefix"], found["state"])
        times = [seconds(one.cpu) for one in found.values()]
        rows.append([recipe, *times, f"{ratios[recipe]:.2f}"])
    return Figures(rows, ratios)


FROM_STATES: Final = Benchmark(
    title="Evaluation of translations from a state, and from the whole prefix",
    method=f"""\
`evaluate` of two recipes after {_STEPS} steps of training, in processor time of one thread: the loss, translations of
all held-out pairs, all metrics, and the baselines of the data. Decoded from a state, and by
running the network over all tokens so far for each of them.""",
    header=["", "from a state", "whole prefix", "ratio"],
    bars={name: Bar(f"{name}: ratio", least=_LEAST) for name in RECIPES},
    measure=_measure,
    rounds=1,
)
