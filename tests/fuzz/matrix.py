"""Every op in every wrapper: `python -m tests.fuzz --matrix --out build/matrix`.

Each wrapper puts the example of an op somewhere else: in a block, a list, copies, a condition, a scan. Every cell goes
through every command and is verified, or is refused for a reason.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from compiler.op.registry import ops
from compiler.reporting.op_examples import (
    SHAPES,
    Config,
    Example,
    compiled,
    example,
)
from tests.fuzz.judge import Outcome, judge
from tests.fuzz.specs import text_of
from tests.fuzz.workers import each

DOMAINS = {"bernoulli": "sigmoid"}
"""What comes before an op that takes some numbers only, between the inputs of the network and all else."""


# Wrappers: each makes a spec of an example, or None where there is no such thing.

Wrapper = Callable[[Example], Config | None]
WRAPPERS: dict[str, Wrapper] = {}


def wrapper(make: Wrapper) -> Wrapper:
    WRAPPERS[make.__name__] = make
    return make


def _net(e: Example, layers: Config, **more: Any) -> Config:
    names = {name for _, kind in e.inputs for name in ("B", "T") if name in kind}
    spec: Config = {"name": "Net", **more.pop("first", {})}
    if names:
        spec["dims"] = {name: {"min": 4} for name in sorted(names)}
    inputs = dict(e.inputs) or {"x": "float[B, 4]"}
    if not e.inputs:
        spec["dims"] = {"B": {"min": 4}}
        layers = {**layers, "used": {"op": "identity", "in": "x"}}
        more.setdefault("outputs", {"a": "a", "x": "used"})
    return {**spec, "inputs": inputs, "layers": layers, **more}


def _wired(e: Example, config: Config, names: dict[str, str] | None = None) -> Config:
    wired = e.wired(names or {port: port for port, _ in e.inputs})
    return config if wired is None else {**config, "in": wired}


def _block(e: Example, layers: Config, **more: Any) -> Config:
    inputs = dict(e.inputs)
    return {**more, "inputs": inputs, "layers": layers}


@wrapper
def flat(e: Example) -> Config | None:
    return _net(e, {"a": _wired(e, e.layer)})


@wrapper
def block(e: Example) -> Config | None:
    if not e.inputs:
        return None
    use = {"op": "Blk", "in": {port: port for port, _ in e.inputs}}
    return _net(e, {"a": use}, blocks={"Blk": _block(e, {"l": _wired(e, e.layer)})})


@wrapper
def block_twice(e: Example) -> Config | None:
    spec = block(e)
    if spec is None:
        return None
    layers = {"a": spec["layers"]["a"], "b": spec["layers"]["a"]}
    return {**spec, "layers": layers, "outputs": {"a": "a", "b": "b"}}


@wrapper
def group(e: Example) -> Config | None:
    inside = {"l": _wired(e, e.layer)}
    config: Config = {"layers": inside}
    if e.inputs:
        config["in"] = {port: port for port, _ in e.inputs}
        inside["l"] = _wired(e, e.layer, {port: f"{port}_in" for port, _ in e.inputs})
        config["in"] = {f"{port}_in": port for port, _ in e.inputs}
    return _net(e, {"a": config})


@wrapper
def list_group(e: Example) -> Config | None:
    if len(e.inputs) != 1 or e.variadic:
        return None
    port = e.inputs[0][0]
    return _net(e, {"a": {"layers": [e.layer, "identity"], "in": port}})


def _repeated(e: Example, repeat: Any, **more: Any) -> Config | None:
    if not e.keeps:
        return None
    return _net(e, {"a": _wired(e, {**e.layer, "repeat": repeat})}, **more)


@wrapper
def repeat(e: Example) -> Config | None:
    return _repeated(e, "n", first={"params": {"n": 2}})


@wrapper
def repeat_none(e: Example) -> Config | None:
    return _repeated(e, "n", first={"params": {"n": 0}})


@wrapper
def repeat_shared(e: Example) -> Config | None:
    return _repeated(e, {"count": 2, "share": True})


@wrapper
def repeat_stacked(e: Example) -> Config | None:
    every = {"count": 2, "stack": {"every": e.port}}
    return _repeated(e, every, outputs={"a": "a", "every": "a.every"})


@wrapper
def repeat_block(e: Example) -> Config | None:
    spec = block(e)
    if spec is None or not e.keeps:
        return None
    use = {**spec["layers"]["a"], "repeat": 2}
    return {**spec, "layers": {"a": use}}


def _when(e: Example, on: bool) -> Config | None:
    layers = {"a": _wired(e, {**e.layer, "when": "on"})}
    return _net(e, layers, first={"params": {"on": on}})


@wrapper
def when_on(e: Example) -> Config | None:
    return _when(e, True)


@wrapper
def when_off(e: Example) -> Config | None:
    return _when(e, False)


@wrapper
def when_in_block(e: Example) -> Config | None:
    """Of two uses one is off."""
    if not e.inputs:
        return None
    use: Config = {"op": "Blk", "in": {port: port for port, _ in e.inputs}}
    layers = {"a": {**use, "on": True}, "b": {**use, "on": False}}
    inside = _block(
        e, {"l": _wired(e, {**e.layer, "when": "on"})}, params={"on": "bool"}
    )
    outputs = {"a": "a", "b": "b"}
    return _net(e, layers, outputs=outputs, blocks={"Blk": inside})


@wrapper
def chosen(e: Example) -> Config | None:
    """Of two uses of a block one is another op."""
    if not e.inputs:
        return None
    use: Config = {"op": "Blk", "in": {port: port for port, _ in e.inputs}}
    layers = {"a": {**use, "on": True}, "b": {**use, "on": False}}
    first, _ = e.inputs[0]
    other: Config = {"op": "identity", "in": first}
    layer = {"when": "on", **_wired(e, e.layer)}
    inside = _block(e, {"l": {"choose": [layer, other]}}, params={"on": "bool"})
    outputs = {"a": "a", "b": "b"}
    return _net(e, layers, outputs=outputs, blocks={"Blk": inside})


@wrapper
def scan(e: Example) -> Config | None:
    """One step of a recurrence; what comes in has one dimension more."""
    if not e.inputs or any(len(kind.split(",")) > 4 for _, kind in e.inputs):
        return None
    step = _block(
        e, {"l": _wired(e, e.layer), "count": {"op": "add", "in": ["k", "k"]}}
    )
    dtyped = e.weights or any(kind.startswith("float") for _, kind in e.inputs)
    step["inputs"]["k"] = "float[1]" if dtyped else "int[1]"
    step["outputs"] = {"y": "l", "k": "count"}
    config = {"op": "Step", "scan": "S", "carry": {"k": "ones[1]"}}
    config["in"] = {port: port for port, _ in e.inputs}
    spec = _net(
        e, {"a": config}, blocks={"Step": step}, outputs={"y": "a.y", "k": "a.k"}
    )
    spec["inputs"] = {
        port: kind.replace("[", "[S, ", 1) for port, kind in spec["inputs"].items()
    }
    return spec


@wrapper
def shared(e: Example) -> Config | None:
    again = _wired(e, {"share": "a"})
    layers = {"a": _wired(e, e.layer), "b": again}
    return _net(e, layers, outputs={"a": "a", "b": "b"}) if e.inputs else None


@wrapper
def tie(e: Example) -> Config | None:
    if not e.weights:
        return None
    tied = {**e.layer, "tie": {name: f"a.{name}" for name in e.weights}}
    layers = {"a": _wired(e, e.layer), "b": _wired(e, tied)}
    return _net(e, layers, outputs={"a": "a", "b": "b"})


@wrapper
def optional_input(e: Example) -> Config | None:
    """A block with one input more, which one use has and the other has not."""
    if not e.keeps:
        return None
    port, kind = e.inputs[0]
    inside = _block(e, {"m": {"op": "masking", "in": {"input": port, "mask": "m_in"}}})
    names = {p: p for p, _ in e.inputs} | {port: "m"}
    inside["layers"]["l"] = _wired(e, e.layer, names)
    shape = kind[kind.index("[") :]
    inside["inputs"]["m_in"] = f"bool{shape}?"
    use: Config = {"op": "Blk", "in": {p: p for p, _ in e.inputs}}
    both = {**use, "in": {**use["in"], "m_in": "given"}}
    spec = _net(e, {"a": use, "b": both}, blocks={"Blk": inside})
    spec["inputs"]["given"] = f"bool{shape}?"
    return {**spec, "outputs": {"a": "a", "b": "b"}}


@wrapper
def optional_ports(e: Example) -> Config | None:
    """Inputs that the op does without, from optional inputs of the network."""
    given = _optional_types(e)
    if not given or e.variadic:
        return None
    names = {port: port for port in (*dict(e.inputs), *given)}
    spec = _net(e, {"a": _wired(e, e.layer, names)})
    optional = {port: f"{kind}?" for port, kind in given.items()}
    return {**spec, "inputs": {**spec["inputs"], **optional}}


def _optional_types(e: Example) -> dict[str, str]:
    """A type for each optional input for which one is found by trying."""
    found: dict[str, str] = {}
    for port in ops()[e.op].inputs:
        tried = [f"{k}[{s}]" for k in port.kinds for s in SHAPES] * port.optional
        for kind in tried:
            inputs = dict(e.inputs) | found | {port.name: kind}
            draft = Example(e.op, e.arguments, tuple(inputs.items()), "", ())
            if compiled(text_of(flat(draft) or {})) is not None:
                found[port.name] = kind
                break
    return found


@wrapper
def op_param(e: Example) -> Config | None:
    if not e.inputs:
        return None
    use: Config = {"op": "Blk", "kind": e.op, "in": {p: p for p, _ in e.inputs}}
    layer = {**e.layer, "op": "$kind"}
    inside = _block(e, {"l": _wired(e, layer)}, params={"kind": "op"})
    return _net(e, {"a": use}, blocks={"Blk": inside})


@wrapper
def recursion(e: Example) -> Config | None:
    if not e.keeps:
        return None
    port = e.inputs[0][0]
    names = {p: p for p, _ in e.inputs}
    below = {"op": "Level", "level": "level - 1", "when": "level > 0"}
    inside = _block(
        e,
        {
            "l": _wired(e, e.layer),
            "below": {**below, "in": {**names, port: "l"}},
        },
        params={"level": "int"},
    )
    use = {"op": "Level", "level": 2, "in": names}
    return _net(e, {"a": use}, blocks={"Level": inside})


@wrapper
def arguments_as_params(e: Example) -> Config | None:
    """What is written in place, as params of the network."""
    plain = {
        key: value
        for key, value in e.arguments
        if not isinstance(value, str)
        and "B" not in str(value)
        # torch also splits what is no multiple of the parts, which the compiler refuses
        and (e.op, key) != ("chunk", "dim")
    }
    if not plain:
        return None
    named = {f"p_{key}": value for key, value in plain.items()}
    layer = {**e.layer, **{key: f"p_{key}" for key in plain}}
    return _net(e, {"a": _wired(e, layer)}, first={"params": named})


@wrapper
def init(e: Example) -> Config | None:
    if not e.weights:
        return None
    by_op = {e.op: {e.weights[0]: "ones"}}
    own = {**e.layer, "init": {e.weights[-1]: "zeros"}}
    layers = {"a": _wired(e, own), "b": _wired(e, e.layer)}
    return _net(e, layers, outputs={"a": "a", "b": "b"}, init=by_op)


@wrapper
def after_alias(e: Example) -> Config | None:
    """The layer overwrites nothing that is still needed."""
    if not e.keeps:
        return None
    port = e.inputs[0][0]
    names = {p: p for p, _ in e.inputs}
    layers = {
        "same": {"op": "identity", "in": port},
        "a": _wired(e, {**e.layer, "repeat": 2}, {**names, port: "same"}),
    }
    return _net(e, layers, outputs={"same": "same", "a": "a"})


def run_cell(cell: tuple[str, str]) -> tuple[str, str, Outcome, str]:
    """What came of a cell, and its spec; `none` where the wrapper has no place for the op."""
    op, name = cell
    found = example(op)
    if found is None:
        return op, name, Outcome("exception", "no example was found"), ""
    spec = WRAPPERS[name](found)
    if spec is None:
        return op, name, Outcome("none"), ""
    text = text_of(_in_domain(found, spec))
    return op, name, judge(text), text


def _in_domain(e: Example, spec: Config) -> Config:
    """The spec with numbers for the op that it takes."""
    if e.op not in DOMAINS:
        return spec
    before = {f"near_{port}": {"op": DOMAINS[e.op], "in": port} for port, _ in e.inputs}
    names = {port: f"near_{port}" for port, _ in e.inputs}
    after = {
        name: {**config, "in": _renamed(config["in"], names)}
        for name, config in spec["layers"].items()
    }
    return {**spec, "layers": {**before, **after}}


def _renamed(given: Any, names: dict[str, str]) -> Any:
    if isinstance(given, dict):
        return {port: _renamed(one, names) for port, one in given.items()}
    if isinstance(given, list):
        return [_renamed(one, names) for one in given]
    return names.get(given, given)


def run_matrix(
    chosen_ops: Iterable[str], wrappers: Iterable[str], processes: int, out: Path
) -> Counter[tuple[str, str, str]]:
    """All cells of these ops and wrappers: how many came out how. What is not ok is written as a file."""
    counts: Counter[tuple[str, str, str]] = Counter()
    cells = list(itertools.product(chosen_ops, wrappers))
    for op, name, outcome, text in each(run_cell, cells, processes):
        counts[name, outcome.kind, outcome.cause] += 1
        if outcome.is_fault or outcome.kind == "refused":
            head = f"{op} in {name}: {outcome.kind}, {outcome.cause}\n{outcome.detail}"
            lines = "".join(f"# {line}\n" for line in head.splitlines()[:10])
            path = out / f"{outcome.kind}_{name}_{op}.yaml"
            path.write_text(lines + text, encoding="utf-8")
    return counts


def table(counts: Counter[tuple[str, str, str]]) -> str:
    """A row for each wrapper: how many cells came out how; then the causes."""
    kinds = ("ok", "refused", "difference", "exception", "none")
    lines = [f"{'':22}" + "".join(f"{kind:>12}" for kind in kinds)]
    for name in dict.fromkeys(name for name, _, _ in counts):
        row = [
            sum(n for (w, k, _), n in counts.items() if (w, k) == (name, kind))
            for kind in kinds
        ]
        lines.append(f"{name:22}" + "".join(f"{n:12}" for n in row))
    for (name, kind, cause), n in sorted(counts.items()):
        if cause:
            lines.append(f"{n:6} {name}: {kind}, {cause}")
    return "\n".join(lines)
