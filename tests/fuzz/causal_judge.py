"""Compare the proof of causality with running a network: perturbed at later positions, and cut off before them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from compiler import compile_spec
from compiler.causality.prove import prove
from compiler.diagnostics.diagnostic import SpecError
from compiler.program import Program
from runtime.interpret import Interpreter
from tests.fuzz.causal_graphs import CausalGraph, causal_graph
from tests.fuzz.specs import text_of

Verdict = Literal[
    "causal", "refused", "refused, and never moves", "UNSOUND", "WRONG LAYER", "invalid"
]
LENGTH = 12
SHORT = 8
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Judged:
    verdict: Verdict
    about: str = ""


def judge_causality(graph: CausalGraph) -> Judged:
    """What the proof says of a network, against what it does."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.yaml"
        file.write_text(text_of(graph.spec), encoding="utf-8")
        try:
            program = compile_spec(file)
        except SpecError as error:
            return Judged("invalid", str(error))
        found = prove(program.typed)
        moved = moves(program)
    if found.causal:
        return Judged("UNSOUND", moved) if moved else Judged("causal")
    ((_, steps),) = found.leaks
    if graph.leak and steps[0].layer != graph.leak:
        return Judged("WRONG LAYER", f"{steps[0].layer}, not {graph.leak}")
    reason = f"{steps[0].layer}: {steps[0].reason}"
    return Judged("refused" if moved else "refused, and never moves", reason)


def moves(program: Program) -> str:
    """How an output before some position changes with what comes at that position or after; "" if it never does."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # of what `to: float` gives
    try:
        return _moves(program)
    finally:
        torch.set_default_dtype(before)


def _moves(program: Program) -> str:
    net = Interpreter(program.typed).train(False)
    generator = torch.Generator().manual_seed(0)
    randomise(net, generator)
    x = torch.randn(2, LENGTH, 8, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        whole = net(x=x)["output"]
        for t in (LENGTH - 1, SHORT, 5, 1):
            other = x.clone()
            other[:, t:] = torch.randn(
                2, LENGTH - t, 8, generator=generator, dtype=torch.float64
            )
            if _differ(net(x=other)["output"][:, :t], whole[:, :t]):
                return f"changed from position {t} on"
        if _differ(net(x=x[:, :SHORT])["output"], whole[:, :SHORT]):
            return f"cut off at position {SHORT}"
    return ""


def randomise(net: Interpreter, generator: torch.Generator) -> None:
    """Weights that hide nothing."""
    state = net.state_dict()
    for name, one in state.items():
        if one.is_floating_point() and "running_var" not in name:
            state[name] = (
                torch.randn(one.shape, generator=generator, dtype=torch.float64) / 2
            )
    net.load_state_dict(state)


def _differ(left: Tensor, right: Tensor) -> bool:
    scale = right.nan_to_num().abs().max().clamp(min=1)
    gap = (left - right).nan_to_num(0.0, 1e300, -1e300).abs().max()
    return bool(gap > TOLERANCE * scale)


def judge_seed(seed: int) -> Judged:
    """What the proof says of the network of a seed."""
    return judge_causality(causal_graph(seed))


def judge_seeds(seeds: Iterable[int], *, planted: bool | None = None) -> Counter[Any]:
    """How many networks came out how; of those that are wrong, the seed and why."""
    graphs = ((seed, causal_graph(seed, planted=planted)) for seed in seeds)
    return counted((seed, judge_causality(graph)) for seed, graph in graphs)


def counted(judged: Iterable[tuple[int, Judged]]) -> Counter[Any]:
    """The verdicts, and those that are not as they should be with their seed and why."""
    counts: Counter[Any] = Counter()
    for seed, found in judged:
        counts[found.verdict] += 1
        if found.verdict not in ("causal", "refused"):
            counts[found.verdict, seed, found.about] += 1
    return counts
