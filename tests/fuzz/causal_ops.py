"""Each op with T at each axis of its inputs: what moves with a position must lie in the reach that its rule says.

This holds for causal ops and others: an element may not move with a position outside of `rate * u + lo` to
`rate * u + hi`, unless the rule says that it depends on all of them.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from compiler import compile_spec
from compiler.causality.prove import prove
from compiler.diagnostics.diagnostic import SpecError
from compiler.op.dependence import SIZE, Along, AxisFlow, Dependence, MergedAxis
from compiler.op.op import arguments
from compiler.op.registry import ops
from compiler.program import Program
from compiler.reporting.op_examples import Example, example
from runtime.interpret import Interpreter
from runtime.samples import random_inputs, symbol_constraints
from tests.fuzz.causal_judge import TOLERANCE, T, randomise
from tests.fuzz.specs import text_of

LENGTH, CUT = 8, 4
RANDOM = {"bernoulli", "rand_like", "randn_like", "gumbel_softmax"}
RANDOM |= {"fractional_max_pool2d", "fractional_max_pool3d"}
MORE: dict[str, list[Any]] = {
    "dim": [0, 1, 2, -1],
    "dims": [[0], [1], [2], [0, 1]],
    "stride": [2],
    "dilation": [2],
    "padding": [0, 2],
    "kernel_size": [2, 4],
    "keepdim": [True],
    "is_causal": [True],
    "window": [2],
    "bidirectional": [True],
    "padding_mode": ["circular", "reflect", "replicate"],
    "mode": ["reflect", "replicate", "circular", "linear", "nearest"],
    "pad": [[2, 0], [0, 1], [-1, 2], [0, 0, 2, 0]],
    "start": [1, 2, -2],
    "stop": [2, -1],
    "step": [2],
    "index": [0, 1, -1],
    "diagonal": [1, -1],
    "offset": [1, -1],
    "ceil_mode": [True],
    "count_include_pad": [False],
    "return_indices": [True],
    "track_running_stats": [False, True],
    "repeats": [3],
    "n": [2],
    "output_padding": [1],
    "scale_factor": [2, 4, 0.5],
    "normalized_dims": [2],
    "mask_type": ["A", "B"],
}


def mistakes(op: str) -> Iterator[str]:
    """What an op does that its rule says it does not, for some arguments and places of T."""
    found = example(op)
    if found is None or op in RANDOM:
        return
    for inputs in _with_length(found):
        for given in _arguments(op, dict(found.arguments)):
            program = _compiled(_spec(found, inputs, given))
            wrong = "" if program is None else _judge(program)
            if wrong:
                yield f"{op} {given} on {inputs}: {wrong}"


def _with_length(found: Example) -> Iterator[dict[str, str]]:
    """The types of the inputs with T in place of one size, in all inputs that have it there."""
    shapes = {port: _sizes(kind) for port, kind in found.inputs}
    longest = max(map(len, shapes.values()), default=0)
    for axis in range(longest):
        yield {port: _with(kind, axis, "T") for port, kind in found.inputs}


def _sizes(kind: str) -> list[str]:
    return [one.strip() for one in kind[kind.index("[") + 1 : -1].split(",")]


def _with(kind: str, axis: int, size: str) -> str:
    sizes = ["6" if one == "T" else "3" if one == "B" else one for one in _sizes(kind)]
    if axis < len(sizes):
        sizes[axis] = size
    return f"{kind[: kind.index('[')]}[{', '.join(sizes)}]"


def _arguments(op: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments of the example, and each of them with another value."""
    text = {key: _without_symbols(value) for key, value in given.items()}
    yield text
    for key in arguments(ops()[op]):
        for value in MORE.get(key, ()):
            if text.get(key) != value:
                yield {**text, key: value}


def _without_symbols(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_symbols(one) for one in value]
    return 3 if value == "B" else value


def _spec(found: Example, inputs: dict[str, str], given: dict[str, Any]) -> Any:
    wired = found.wired({port: port for port in inputs})
    return {
        "name": "Net",
        "dims": {"T": {"min": 4, "multiple_of": 4, "max": 64}},
        "inputs": inputs,
        "layers": {"a": {"op": found.op, **given, "in": wired}},
        "outputs": {"output": "a"},
    }


def _compiled(spec: Any) -> Program | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(text_of(spec), encoding="utf-8")
        try:
            return compile_spec(path)
        except SpecError:
            return None


def _judge(program: Program) -> str:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return _wrong(program)
    finally:
        torch.set_default_dtype(before)


def _wrong(program: Program) -> str:
    instance = program.typed.networks[""]
    flow = prove(program.typed).outputs["output"].flow
    net = Interpreter(program.typed).train(False)
    generator = torch.Generator().manual_seed(0)
    randomise(net, generator)
    sizes = dict.fromkeys(symbol_constraints(instance), LENGTH)
    inputs = random_inputs(instance, sizes, 2, torch.float64)
    axes = {
        name: [
            n
            for n, s in enumerate(kind.shape)
            if T in instance.context.value(s).symbols
        ]
        for name, kind in instance.inputs.items()
        if kind is not None
    }
    with torch.no_grad():
        try:
            whole = net(**inputs)["output"]
        except (RuntimeError, IndexError, TypeError):  # torch refuses these arguments
            return ""
        if not whole.numel():
            return ""
        for t in range(LENGTH):
            other = {
                name: _changed(x, axes[name], t, generator)
                for name, x in inputs.items()
            }
            moved = _moved(net(**other)["output"], whole)
            if (moved & ~_allowed(flow, whole.shape, t)).any():
                place = (moved & ~_allowed(flow, whole.shape, t)).nonzero()[0].tolist()
                return f"position {t} moves {place}, and the rule says {flow}"
        if flow.whole or any(isinstance(one, MergedAxis) for one in flow.axes):
            return ""
        short = {name: _cut(x, axes[name]) for name, x in inputs.items()}
        try:
            part = net(**short)["output"]
        except RuntimeError:
            return ""
        return _cut_wrong(flow, part, whole)


def _changed(x: Tensor, axes: list[int], t: int, generator: torch.Generator) -> Tensor:
    x = x.clone()
    for axis in axes:
        place = x.select(axis, t)
        if x.is_floating_point():
            noise = torch.randn(place.shape, generator=generator, dtype=x.dtype)
            place.copy_(place + 3 * noise)
        else:
            place.copy_(~place if x.dtype == torch.bool else 1 - place)
    return x


def _cut(x: Tensor, axes: list[int]) -> Tensor:
    for axis in axes:
        x = x.narrow(axis, 0, CUT)
    return x


def _moved(left: Tensor, right: Tensor) -> Tensor:
    if not right.is_floating_point():
        return left != right
    gap = (left - right).nan_to_num(0.0, 1e300, -1e300).abs()
    return gap > TOLERANCE * right.nan_to_num().abs().max().clamp(min=1)


def _allowed(flow: Dependence, shape: torch.Size, t: int) -> Tensor:
    """Which elements may move with a position."""
    found = torch.zeros(shape, dtype=torch.bool)
    if flow.whole or (t == 0 and flow.start):
        return ~found
    for n, axis in enumerate(flow.axes):
        for along, places in _parts(axis, shape[n]):
            reads = torch.tensor([_reads(along, u, t) for u in places])
            wide = [1] * len(shape)
            wide[n] = shape[n]
            found |= reads.view(wide)
    return found


def _parts(axis: AxisFlow, size: int) -> Iterator[tuple[Along, list[int]]]:
    """What carries T in an axis, and the number of the element that each place is of."""
    if isinstance(axis, Along):
        yield axis, list(range(size))
    if isinstance(axis, MergedAxis):
        numbers = [one.evaluate({T: LENGTH}) for one in axis.sizes]
        for n, factor in enumerate(axis.factors):
            if factor is not None:
                inner = math.prod(numbers[n + 1 :])
                yield factor, [u // inner % numbers[n] for u in range(size)]


def _reads(along: Along, u: int, t: int) -> bool:
    start = along.rate * u
    needs = (reach for source, reach in along.needs.items() if source != SIZE)
    return any(start + r.lo <= t <= start + r.hi for r in needs)


def _cut_wrong(flow: Dependence, part: Tensor, whole: Tensor) -> str:
    """Whether elements that need no position after the cut differ with it."""
    for n, axis in enumerate(flow.axes):
        if isinstance(axis, Along):
            kept = min(part.shape[n], whole.shape[n])
            safe = [u for u in range(kept) if _ends_before(axis, u)]
            index = torch.tensor(safe, dtype=torch.int64)
            part, whole = part.index_select(n, index), whole.index_select(n, index)
    if part.shape != whole.shape or not part.numel():
        return ""
    return "cut off, it differs" if _moved(part, whole).any() else ""


def _ends_before(along: Along, u: int) -> bool:
    """Whether an element is there without the positions after the cut, and needs none of them."""
    reaches = [r.hi for r in along.needs.values()]
    return along.rate * u + max([*reaches, along.end, 0]) < CUT
