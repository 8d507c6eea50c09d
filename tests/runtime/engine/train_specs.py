"""Runs of the small specs beside this file, and what is left of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from compiler.diagnostics.limits import Limits
from layergraph.overrides import compile_chosen
from runtime.engine.callbacks import Callback
from runtime.engine.run_folder import RunFolder
from runtime.engine.session import Session
from runtime.engine.trainer import TrainerOptions, train
from runtime.engine.trainer_state import TrainerState

SPECS = sorted(Path(__file__).with_name("specs").glob("*.yaml"))
CLASSIFICATION = Path(__file__).with_name("specs") / "classification.yaml"


class Each(Callback):
    """Calls something after each step."""

    def __init__(self, call: Callable[[TrainerState], None]) -> None:
        self.on_step_end = lambda state, losses: call(state)  # type: ignore[method-assign]


def trained(
    spec: Path,
    folder: Path,
    *sets: str,
    make_callback: Callable[[Session], Callback] = lambda session: Callback(),
    **options: Any,
) -> TrainerState:
    program = compile_chosen(spec, "", sets, limits=Limits())
    options.setdefault("accelerator", "cpu")
    return train(program, RunFolder(folder), TrainerOptions(**options), make_callback)


def remains(folder: Path) -> dict[str, Any]:
    """All that must be the same in two runs that do the same: seconds are not."""
    state = torch.load(folder / "state.pt", weights_only=True)
    for row in (state["position"], *state["position"]["metrics"]):
        del row["seconds"]
    metrics = (folder / "metrics.csv").read_text().splitlines()
    return {
        "state": state,
        "metrics": [line.split(",")[:2] + line.split(",")[3:] for line in metrics],
        **{
            file: (folder / file).read_bytes()
            for file in (
                "steps.csv",
                "weights/best.safetensors",
                "weights/last.safetensors",
            )
        },
        **{
            str(file.relative_to(folder)): file.read_bytes()
            for file in folder.glob("samples/*")
        },
    }


def same(one: Any, other: Any) -> bool:
    """Bitwise, NaN included."""
    if isinstance(one, torch.Tensor):
        bits = one.dtype == other.dtype and one.shape == other.shape
        return bits and one.numpy().tobytes() == other.numpy().tobytes()
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (one != one and other != other)


def assert_same(one: Path, other: Path) -> None:
    a, b = remains(one), remains(other)
    assert a.keys() == b.keys()
    assert [name for name in a if not same(a[name], b[name])] == []
