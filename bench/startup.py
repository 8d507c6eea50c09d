"""Whole processes: `build` beside Keras doing the same, `check` beside the imports that it needs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import (
    ROOT,
    Timing,
    alternate,
    cpu_ratio,
    process,
    python,
    ratio,
    workspace,
)

_MODELS = ("resnet50", "gpt2")
_IMPORTS = "import networkx, pydantic, yaml"
_WITHOUT_TORCH = ("check", "summary", "build")
_PROBE = """
import sys, cli
try:
    cli.main()
except SystemExit as done:
    assert not done.code, done.code
print("torch" in sys.modules, file=sys.stderr)
"""


def _measure_builds(rounds: int) -> Figures:
    """`build` with its diagram, and Keras building, showing and drawing the same network."""
    with workspace() as (folder, environment):
        times = {name: _pair(name, folder, environment, rounds) for name in _MODELS}
    rows, ratios = [], {}
    for name, (ours, keras) in times.items():
        ratios[name] = ratio(keras, ours)
        cells = [seconds(ours.wall), seconds(keras.wall), f"{ratios[name]:.1f}"]
        rows.append([name, *cells, f"{cpu_ratio(keras, ours):.1f}"])
    return Figures(rows, ratios)


def _pair(
    name: str, folder: Path, environment: Mapping[str, str], rounds: int
) -> tuple[Timing, Timing]:
    out, picture = folder / "build", folder / "keras.svg"
    build = python("cli.py", "build", f"specs/{name}.yaml", "--out", str(out))
    keras = python("-m", "bench.keras_jobs", name, str(picture))
    jobs = {
        "ours": process(build, environment),
        "keras": process(keras, environment),
    }
    found = alternate(jobs, rounds)
    assert (out / f"{name}.svg").stat().st_size and picture.stat().st_size
    return found["ours"], found["keras"]


def _measure_check(rounds: int) -> Figures:
    """`check`, and a process that imports what a compiler of YAML cannot do without."""
    with workspace() as (folder, environment):
        check = python("cli.py", "check", "specs/gpt2.yaml")
        jobs = {
            "check": process(check, environment),
            "imports": process(python("-c", _IMPORTS), environment),
        }
        found = alternate(jobs, rounds, warmups=2)
        torch = sum(_loads_torch(name, folder, environment) for name in _WITHOUT_TORCH)
    times, by_cpu = (of(found["check"], found["imports"]) for of in (ratio, cpu_ratio))
    ours, imports = (seconds(found[job].wall) for job in jobs)
    rows = [
        ["`layergraph check specs/gpt2.yaml`", ours, f"{times:.2f}", f"{by_cpu:.2f}"],
        [f"`python -c '{_IMPORTS}'`", imports, "1", "1"],
    ]
    return Figures(rows, {"check": times, "torch": torch})


def _loads_torch(name: str, folder: Path, environment: Mapping[str, str]) -> bool:
    more = ["--out", str(folder / "probe")] if name == "build" else []
    command = python("-c", _PROBE, name, "specs/gpt2.yaml", *more)
    done = subprocess.run(
        command,
        env=dict(environment),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr.split()[-1] == "True"


AGAINST_KERAS: Final = Benchmark(
    title="Start-up and compilation",
    method="""\
Whole processes, by the clock. LayerGraph: `layergraph build` writes the module, the diagram (SVG), the DOT and the
summary. Keras 3, with torch behind it: the same network by its functional API (`bench/keras_*.py`, the same number of
parameters), `summary()`, and `plot_model` to SVG with the same Graphviz. Keras loads torch and makes the weights on the
way; LayerGraph needs neither to know the network. Bytecode is cached, as it is from the second run on.""",
    header=["network", "layergraph build", "Keras", "ratio", "ratio of processor time"],
    bars={
        name: Bar(f"{name}: ratio of Keras' time to that of `build`", least=15)
        for name in _MODELS
    },
    measure=_measure_builds,
    rounds=7,
)
AGAINST_IMPORTS: Final = Benchmark(
    title="Checking",
    method="""\
Whole processes, by the clock. `check` itself imports networkx only where a graph has to be sorted.""",
    header=["process", "time", "ratio", "ratio of processor time"],
    bars={
        "check": Bar("ratio of `check` to the imports", most=1.5),
        "torch": Bar(f"commands of {', '.join(_WITHOUT_TORCH)} that import torch", 0),
    },
    measure=_measure_check,
    rounds=15,
)
