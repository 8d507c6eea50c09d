"""Whole processes: `build` beside Keras doing the same, `check` beside the imports that it needs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.report import Claim, Result, seconds
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


def against_keras(rounds: int) -> Result:
    """`build` with its diagram, and Keras building, showing and drawing the same network."""
    with workspace() as (folder, environment):
        times = {name: _pair(name, folder, environment, rounds) for name in _MODELS}
    rows, claims = [], []
    for name, (ours, keras) in times.items():
        by_clock, by_cpu = ratio(keras, ours), cpu_ratio(keras, ours)
        rows.append(
            [
                name,
                seconds(ours.wall),
                seconds(keras.wall),
                f"{by_clock:.1f}",
                f"{by_cpu:.1f}",
            ]
        )
        text = f"`build specs/{name}.yaml` takes at most a twelfth of Keras' process"
        claims.append(Claim(text, f"1/{by_clock:.1f}", by_clock >= 12))
    header = [
        "network",
        "layergraph build",
        "Keras",
        "ratio",
        "ratio of processor time",
    ]
    return Result("Start-up and compilation", _METHOD, header, rows, claims)


_METHOD = """\
Whole processes. LayerGraph: `cli.py build` writes the module, the diagram (SVG), the DOT and the summary. Keras 3, with
torch behind it: the same network by its functional API (`bench/keras_*.py`, the same number of parameters),
`summary()`, and `plot_model` to SVG with the same Graphviz. Keras loads torch and makes the weights on the way;
LayerGraph needs neither to know the network. Bytecode is cached, as it is from the second run on."""


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


def against_imports(rounds: int) -> Result:
    """`check`, and a process that imports what a compiler of YAML cannot do without."""
    with workspace() as (folder, environment):
        check = python("cli.py", "check", "specs/gpt2.yaml")
        jobs = {
            "check": process(check, environment),
            "imports": process(python("-c", _IMPORTS), environment),
        }
        found = alternate(jobs, rounds, warmups=2)
        torch = [
            name for name in _WITHOUT_TORCH if _loads_torch(name, folder, environment)
        ]
    times = ratio(found["check"], found["imports"])
    by_cpu = cpu_ratio(found["check"], found["imports"])
    rows = [
        [
            "`cli.py check specs/gpt2.yaml`",
            seconds(found["check"].wall),
            f"{times:.2f}",
            f"{by_cpu:.2f}",
        ],
        [f"`python -c '{_IMPORTS}'`", seconds(found["imports"].wall), "1", "1"],
    ]
    claims = [
        Claim(
            "`check` takes at most twice the imports", f"{times:.2f} times", times <= 2
        ),
        Claim(
            f"{', '.join(_WITHOUT_TORCH)} never import torch",
            "true" if not torch else f"{torch} do",
            not torch,
        ),
    ]
    method = "Whole processes. `check` itself imports networkx only where a graph has to be sorted."
    return Result(
        "Checking",
        method,
        ["process", "time", "ratio", "ratio of processor time"],
        rows,
        claims,
    )


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
