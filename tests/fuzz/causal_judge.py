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
from compiler.ir.typed import Instance
from compiler.program import Program
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import NETWORKS, InputDim
from compiler.symbolic.tensor import TensorType
from runtime.interpret import Interpreter
from runtime.samples import random_inputs, symbol_constraints
from tests.fuzz.causal_graphs import CausalGraph, causal_graph
from tests.fuzz.scope import Config
from tests.fuzz.specs import spec_of, text_of

Verdict = Literal[
    "causal", "refused", "refused, and never moves", "UNSOUND", "WRONG LAYER", "invalid"
]
T = InputDim(NETWORKS, "T")
LENGTH = 12
SHORT = 8
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Judged:
    verdict: Verdict
    about: str = ""


def judge_causality(graph: CausalGraph) -> Judged:
    """What the proof says of a network, against what it does."""
    return _judge(graph.spec, graph.leak)


def judge_structure(seed: int) -> Judged:
    """The same of a random spec with blocks, repeats, conditions and scans; all outputs [B, T, ...] together."""
    return _judge(spec_of(seed), "")


def _judge(spec: Config, leak: str) -> Judged:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.yaml"
        file.write_text(text_of(spec), encoding="utf-8")
        try:
            program = compile_spec(file)
        except SpecError as error:
            return Judged("invalid", str(error))
        outputs = _sequences(program)
        if not outputs:
            return Judged("invalid", "no output is a sequence")
        found = prove(program.typed)
        moved = moves(program, outputs)
    leaks = [steps for name, steps in found.leaks if name in outputs]
    if not leaks:
        return Judged("UNSOUND", moved) if moved else Judged("causal")
    entry = leaks[0][0]
    if leak and entry.layer != leak:
        return Judged("WRONG LAYER", f"{entry.layer}, not {leak}")
    reason = f"{entry.layer}: {entry.reason}"
    return Judged("refused" if moved else "refused, and never moves", reason)


def _sequences(program: Program) -> list[str]:
    """The outputs that are floats [B, T, ...]."""
    instance = program.typed.networks[""]
    return [
        name
        for name, kind in instance.outputs.items()
        if kind.rank > 1 and kind.kind == "float" and 1 in _axes(instance, kind)
    ]


def _axes(instance: Instance, kind: TensorType) -> list[int]:
    """The axes of size T."""
    sizes = map(instance.context.value, kind.shape)
    return [n for n, size in enumerate(sizes) if size == Dim.symbol(T)]


def moves(program: Program, outputs: list[str]) -> str:
    """How an output before some position changes with what comes at that position or after; "" if it never does."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # of what `to: float` gives
    try:
        return _moves(program, outputs)
    finally:
        torch.set_default_dtype(before)


def _moves(program: Program, outputs: list[str]) -> str:
    instance = program.typed.networks[""]
    net = Interpreter(program.typed).train(False)
    generator = torch.Generator().manual_seed(0)
    randomise(net, generator)
    sizes = {s: LENGTH if s == T else 3 for s in symbol_constraints(instance)}
    inputs = random_inputs(instance, sizes, 2, torch.float64)
    kinds = {name: instance.inputs[name] for name in inputs}
    axes = {name: _axes(instance, kind) for name, kind in kinds.items() if kind}
    with torch.no_grad():
        whole = net(**inputs)
        for t in (LENGTH - 1, SHORT, 5, 1):
            other = {k: _changed(x, axes[k], t, generator) for k, x in inputs.items()}
            found = net(**other)
            if any(_differ(found[o][:, :t], whole[o][:, :t]) for o in outputs):
                return f"changed from position {t} on"
        found = net(**{k: _cut(x, axes[k]) for k, x in inputs.items()})
        if any(_differ(found[o], whole[o][:, :SHORT]) for o in outputs):
            return f"cut off at position {SHORT}"
    return ""


def _changed(x: Tensor, axes: list[int], t: int, generator: torch.Generator) -> Tensor:
    """An input with other values from a position on."""
    x = x.clone()
    for axis in axes:
        part = x.narrow(axis, t, x.shape[axis] - t)
        if x.is_floating_point():
            part.copy_(torch.randn(part.shape, generator=generator, dtype=x.dtype))
        else:
            part.copy_(~part if x.dtype == torch.bool else 1 - part)
    return x


def _cut(x: Tensor, axes: list[int]) -> Tensor:
    for axis in axes:
        x = x.narrow(axis, 0, SHORT)
    return x


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
        if found.verdict not in ("causal", "refused", "invalid"):
            counts[found.verdict, seed, found.about] += 1
    return counts
