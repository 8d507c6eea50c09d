"""Times side by side: every job once in a round, round after round, so that all see the same machine."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / ".venv" / "reference"
"""Where `make test-reference` installs what cannot stand beside the rest.

What looks for torchvision, as transformers does, would find it where it does not work.
"""


@dataclass(frozen=True)
class Sample:
    """Seconds by the clock, and of processor time."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Timing:
    """The samples of one job, one for each round."""

    samples: tuple[Sample, ...]

    @property
    def wall(self) -> float:
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        return statistics.median(sample.cpu for sample in self.samples)


Job = Callable[[], Sample]


def alternate(
    jobs: Mapping[str, Job], rounds: int, warmups: int = 1
) -> dict[str, Timing]:
    """The timings of all jobs, after rounds that do not count."""
    for _ in range(warmups):
        for job in jobs.values():
            job()
    found: dict[str, list[Sample]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            found[name].append(job())
    return {name: Timing(tuple(samples)) for name, samples in found.items()}


def ratio(slow: Timing, fast: Timing) -> float:
    """How many times as long by the clock: the median over the rounds."""
    pairs = zip(slow.samples, fast.samples, strict=True)
    return statistics.median(a.wall / b.wall for a, b in pairs)


def cpu_ratio(slow: Timing, fast: Timing) -> float:
    """How many times the processor time: the median over the rounds."""
    pairs = zip(slow.samples, fast.samples, strict=True)
    return statistics.median(a.cpu / b.cpu for a, b in pairs)


def measured(work: Callable[[], object]) -> Sample:
    """One run of a function in this process."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Sample(time.perf_counter() - wall, time.process_time() - cpu)


def process(command: Sequence[str], environment: Mapping[str, str]) -> Job:
    """A whole process, from its start to its end; it must succeed."""

    def run() -> Sample:
        before, wall = _children(), time.perf_counter()
        subprocess.run(
            command, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        return Sample(time.perf_counter() - wall, _children() - before)

    return run


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def python(*arguments: str) -> list[str]:
    """A command for the interpreter that runs this."""
    return [sys.executable, *arguments]


@contextmanager
def workspace() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder, and an environment that keeps compiled bytecode and Keras' settings there.

    The first round then fills the caches, as the first run of any program does. `dot` is
    the one of the wheel, for every program.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bin").mkdir()
        dot = shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))
        if dot is not None:
            (folder / "bin" / "dot").symlink_to(dot)
        environment = {
            **os.environ,
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            "KERAS_HOME": str(folder / "keras"),
            "KERAS_BACKEND": "torch",
            "PATH": os.pathsep.join([str(folder / "bin"), os.environ.get("PATH", "")]),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield folder, environment
