"""Compare running a network in pieces with running it on the whole: outputs, gradients, rows and copies."""

from __future__ import annotations

import inspect
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from compiler.program import Program
from runtime.load import build_networks
from tests.fuzz.causal_graphs import CausalGraph
from tests.fuzz.specs import text_of
from tests.fuzz.step_graphs import step_graph

Verdict = Literal[
    "steps", "not-causal", "no-code", "DIFFERS", "RAISES", "WRONG LAYER", "invalid"
]
WRONG = ("DIFFERS", "RAISES", "WRONG LAYER", "invalid")
LENGTH, SOURCE, BATCH = 12, 5, 3
TOLERANCE, OF_GRADIENTS = 1e-9, 1e-7
OF_LARGEST = 1e-9
"""Of the largest gradient: where gradients of 1e6 cancel, their last bits are left."""


@dataclass(frozen=True)
class Judged:
    verdict: Verdict
    about: str = ""


def judge_steps(graph: CausalGraph, seed: int = 0) -> Judged:
    """What becomes of a network with `step`: refused, or run in pieces."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.yaml"
        file.write_text(text_of(graph.spec), encoding="utf-8")
        try:
            program = compile_spec(file)
            assert program.python
        except SpecError as error:
            return _refused(graph, error)
        except Exception as error:  # noqa: BLE001 - any is a fault
            return Judged("RAISES", f"{type(error).__name__}: {error}")
    if graph.leak:
        return Judged("WRONG LAYER", f"none, not {graph.leak}")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # of what `to: float` gives
    try:
        about = _InPieces(program, seed).difference()
    except Exception as error:  # noqa: BLE001 - any is a fault
        return Judged("RAISES", f"{type(error).__name__}: {error}")
    finally:
        torch.set_default_dtype(before)
    return Judged("DIFFERS", about) if about else Judged("steps")


def _refused(graph: CausalGraph, error: SpecError) -> Judged:
    first = next(one for one in error.diagnostics if one.severity == "error")
    layer = first.path.rpartition(".")[2]
    if first.code == "not-causal":
        if graph.leak and layer != graph.leak:
            return Judged("WRONG LAYER", f"{layer}, not {graph.leak}")
        return Judged("not-causal", f"{layer}: {first.label}")
    if first.code == "no-code" and not graph.leak:
        return Judged("no-code", f"{layer}: {first.message}")
    return Judged("invalid", str(error))


class _InPieces:
    """A network with random weights and inputs."""

    def __init__(self, program: Program, seed: int) -> None:
        self.rng = random.Random(seed)
        torch.manual_seed(seed)
        (self.network,) = build_networks(program).values()
        self.network.double().eval()
        with torch.no_grad():
            for name, one in self.network.state_dict().items():
                if one.is_floating_point() and "running_var" not in name:
                    one.normal_(std=0.5)
        instance = program.typed.networks[""]
        self.inputs = {}
        for name, kind in instance.inputs.items():
            optional = instance.scope.inputs[name].optional
            if kind is not None and not (optional and self.rng.random() < 0.4):
                self.inputs[name] = _input(name)
        self.leaves = [x for x in self.inputs.values() if x.is_floating_point()]
        for leaf in self.leaves:
            leaf.requires_grad_()

    def difference(self) -> str:
        """How pieces differ from the whole; "" if they do not."""
        whole = self._whole()
        grads = self._gradients(whole)
        sizes = ([1] * LENGTH, [LENGTH], self._random_pieces())
        for pieces in sizes:
            with torch.no_grad():
                for most in (None, LENGTH):
                    found = self._run(pieces, self._begin(most))
                    if _differ(found, whole):
                        return f"outputs in pieces of {pieces}, max_length {most}"
            found = self._run(pieces, self._begin(None))
            if _differ(found, whole):
                return f"outputs with gradients in pieces of {pieces}"
            largest = max((float(x.abs().max()) for x in grads if x.numel()), default=0)
            for one, other in zip(self._gradients(found), grads, strict=True):
                if _differ(one, other, OF_GRADIENTS, OF_LARGEST * largest):
                    return f"gradients in pieces of {pieces}"
        return self._rows(whole)

    def _rows(self, whole: Tensor) -> str:
        """How going on with some rows, or from a copy, differs from the whole."""
        at = self.rng.randrange(1, LENGTH)
        rows = torch.tensor([2, 0, 0, 1])
        with torch.no_grad():
            state = self._begin(LENGTH)
            self._run([at], state)
            copy = state.clone()
            chosen = state.select(rows)
            found = self._run([LENGTH - at], chosen, at, rows)
            if _differ(found, whole[rows, at:]):
                return f"rows selected after {at} positions"
            found = self._run([LENGTH - at], copy, at)
            if _differ(found, whole[:, at:]):
                return f"a copy after {at} positions"
        return ""

    def _whole(self) -> Tensor:
        return _only(self.network(**self.inputs))

    def _begin(self, most: int | None) -> Any:
        begin: Any = self.network.init_state
        taken = inspect.signature(begin).parameters
        static = {n: self.inputs.get(n) for n in taken if n != "max_length"}
        return begin(**static, max_length=most)

    def _run(
        self,
        sizes: Sequence[int],
        state: Any,
        start: int = 0,
        rows: Tensor | None = None,
    ) -> Tensor:
        """The outputs of pieces."""
        step: Any = self.network.step
        found = []
        for size in sizes:
            given = {}
            for name in ("x", "w", "k"):
                if name in self.inputs:
                    part = self.inputs[name].narrow(1, start, size)
                    given[name] = part if rows is None else part[rows]
            found.append(_only(step(**given, state=state)))
            start += size
        return torch.cat(found, 1)

    def _random_pieces(self) -> list[int]:
        sizes: list[int] = []
        while (left := LENGTH - sum(sizes)) > 0:
            sizes.append(self.rng.randint(1, min(left, 5)))
        return sizes

    def _gradients(self, output: Tensor) -> list[Tensor]:
        wanted = [*self.network.parameters(), *self.leaves]
        weights = torch.linspace(-1, 1, output.numel()).view_as(output)
        if not output.requires_grad:
            return [torch.zeros_like(one) for one in wanted]
        grads = torch.autograd.grad(
            (output * weights).sum(), wanted, allow_unused=True, materialize_grads=True
        )
        return list(grads)


def _input(name: str) -> Tensor:
    if name == "k":
        mask = torch.rand(BATCH, LENGTH) > 0.2
        mask[:, 0] = True  # a query without any key
        return mask
    return torch.randn(BATCH, SOURCE if name == "m" else LENGTH, 8)


def _only(result: Tensor | tuple[Tensor, ...]) -> Tensor:
    return result[0] if isinstance(result, tuple) else result


def _differ(
    left: Tensor, right: Tensor, tolerance: float = TOLERANCE, least: float = 0.0
) -> bool:
    """Whether tensors differ by more than `least`, and than a part of their largest element."""
    if left.shape != right.shape:
        return True
    if not left.numel():
        return False
    scale = right.detach().nan_to_num().abs().max().clamp(min=1)
    gap = (left - right).detach().nan_to_num(0.0, 1e300, -1e300).abs().max()
    same = left.isfinite() == right.isfinite()
    return bool(gap > (tolerance * scale).clamp(min=least)) or not bool(same.all())


def judge_seed(seed: int) -> Judged:
    """What becomes of the network of a seed."""
    return judge_steps(step_graph(seed), seed)


def counted(judged: Iterable[tuple[int, Judged]]) -> Counter[Any]:
    """The verdicts, and those that are wrong with their seed and why."""
    counts: Counter[Any] = Counter()
    for seed, found in judged:
        counts[found.verdict] += 1
        if found.verdict in WRONG:
            counts[found.verdict, seed, found.about] += 1
    return counts
