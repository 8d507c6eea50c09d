"""Training on a folder of many images: its memory, and how many cores it keeps busy."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from bench.report import Bar, Benchmark, Figures
from bench.timing import ROOT, python

IMAGES: Final = 20_000
_CLASSES: Final = 10
_SIZE: Final = 64
_INTERVAL: Final = 0.25
_SPEC: Final = f"""\
name: Small
inputs:
  image: float[B, 3, {_SIZE}, {_SIZE}]
layers:
  conv1: {{op: conv2d, out_channels: 16, kernel_size: 3, stride: 2, padding: 1}}
  relu1: relu
  conv2: {{op: conv2d, out_channels: 32, kernel_size: 3, stride: 2, padding: 1}}
  relu2: relu
  pool: {{op: adaptive_avg_pool2d, output_size: 4}}
  flat: flatten
  head: {{op: linear, out_features: {_CLASSES}}}
outputs: {{logits: head}}
task:
  kind: classification
  data: {{image_folder: {{path: images, size: {_SIZE}, augment: [flip]}}}}
  epochs: 1
  batch_size: 64
"""


def write_images(folder: Path, count: int) -> None:
    """Images of noise with a few colours, in folders of classes."""
    random = np.random.default_rng(0)
    for number in range(count):
        values = random.integers(0, 4, (_SIZE + 8, _SIZE + 8, 3), dtype=np.uint8) * 80
        path = folder / str(number % _CLASSES) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path, compress_level=1)


def peak(count: int) -> tuple[float, float]:
    """Peak memory of training on a number of images, in MiB, and the cores that it can use while it reads them.

    Memory is that of all processes; what several of them share counts once. Training loads the data, goes over it
    once, and evaluates. A core can be used by what runs, and by what waits for a core that others have: that is the
    same on a busy machine. Threads that wait for each other, or for a disk, use none.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder / "images", count)
        (folder / "net.yaml").write_text(_SPEC)
        arguments = ["train", str(folder / "net.yaml"), "--run", str(folder / "run")]
        done = subprocess.Popen(
            python("cli.py", *arguments, "--accelerator", "cpu"),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        most, used, passed = 0.0, 0.0, 0.0
        before, then = dict[int, float](), time.perf_counter()
        while done.poll() is None:
            tree = list(_tree(done.pid))
            most = max(most, sum(map(_memory, tree)))
            wanted, now = {one: _seconds(one) for one in tree}, time.perf_counter()
            if before.keys() == wanted.keys() and len(tree) > 1:  # files are read
                used += sum(wanted.values()) - sum(before.values())
                passed += now - then
            before, then = wanted, now
            time.sleep(_INTERVAL)
        if done.returncode:
            assert done.stderr is not None
            raise RuntimeError(done.stderr.read().decode())
        return most / 2**20, used / max(passed, _INTERVAL)


def _tree(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _memory(pid: int) -> float:
    """The memory of a process in bytes, with its part of what it shares; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(1024.0 * int(one.split()[1]) for one in lines if one.startswith("Pss:"))


def _seconds(pid: int) -> float:
    """The time in which the threads of a process ran, or waited for a core; 0 if it has ended."""
    total = 0
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            ran, waited, _ = (thread / "schedstat").read_text().split()
            total += int(ran) + int(waited)
    except OSError:
        return 0.0
    return total / 1e9


def _measure(rounds: int) -> Figures:
    """The most memory and the fewest cores of a few runs."""
    found = [peak(IMAGES) for _ in range(rounds)]
    memory, cores = max(one for one, _ in found), min(one for _, one in found)
    row = [f"{IMAGES:,}", f"{memory:.0f} MiB", f"{cores:.2f}"]
    return Figures([row], {"memory": memory, "cores": cores})


OF_IMAGES: Final = Benchmark(
    title="A folder of 20,000 images",
    method=f"""\
One epoch of `train` on PNG files in folders of classes, which are resized to {_SIZE} by {_SIZE}, and the evaluation
after it: all processes together, each page of memory counted once; the cores that its threads use, or wait for while
others have them, as long as files are read.""",
    header=["images", "peak memory", "cores used"],
    bars={
        "memory": Bar("peak memory", most=1024, unit=" MiB"),
        "cores": Bar("cores used", least=2),
    },
    measure=_measure,
    rounds=1,
)
