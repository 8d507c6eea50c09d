"""`train --sweep`: a run for each combination, and a table."""

import csv
import json
from pathlib import Path

import pytest

from runtime.engine.checkpointing import Checkpointer
from tests.layergraph.commands.command import Runner

SPEC = """\
name: Net
params: {width: 4}
inputs: {numbers: "float[B, 30]"}
layers:
  hidden: {op: linear, out_features: width}
  act: relu
  head: {op: linear, out_features: 2}
outputs: {logits: head}
task: {kind: classification, data: breast_cancer, epochs: 1}
"""


@pytest.fixture(autouse=True)
def _spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # most of the time of so small a run; tests/runtime/engine/test_checkpointing.py looks at plots
    monkeypatch.setattr(Checkpointer, "_plots", lambda keeper, state, now: {})
    Path("net.yaml").write_text(SPEC)


def sweep(run: Runner, *more: str) -> list[dict[str, str]]:
    done = run("train", "net.yaml", *more)
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.strip().splitlines()]
    assert lines[-1] == ["runs/net-sweep"]
    return [dict(zip(lines[0], line, strict=False)) for line in lines[1:-1]]


def test_every_combination_is_a_run(run: Runner) -> None:
    options = ("--sweep", "width=2,8", "--sweep", "lr=1e-5,1e-2", "--sweep", "seed=0,1")
    table = sweep(run, *options)
    rows = list(
        csv.DictReader(Path("runs/net-sweep/sweep.csv").read_text().splitlines())
    )
    assert [row["run"] for row in rows] == [str(n) for n in range(1, 9)]
    assert [(r["width"], r["lr"], r["seed"]) for r in rows][:3] == [
        ("2", "1e-05", "0"),
        ("2", "1e-05", "1"),
        ("2", "0.01", "0"),
    ]
    for row in rows:
        info = json.loads(
            (Path("runs/net-sweep") / row["run"] / "run.json").read_text()
        )
        assert info["task"]["optimizer"]["adamw"]["lr"] == float(row["lr"])
        assert info["task"]["seed"] == int(row["seed"])
        assert float(row["accuracy"]) == pytest.approx(info["best"])
        assert f"width={row['width']}" in info["sets"]
    # Runs that differ in their seed are one line, the best first.
    assert len(table) == 4
    best = [float(line["accuracy"]) for line in table]
    assert best == sorted(best, reverse=True)
    assert table[0]["lr"] == "0.01" and table[0]["runs"] == "2"
    pair = [
        float(row["accuracy"])
        for row in rows
        if row["width"] == table[0]["width"] and row["lr"] == "0.01"
    ]
    assert best[0] == pytest.approx(sum(pair) / 2, rel=1e-3)


def test_a_sweep_goes_on_where_it_was(run: Runner) -> None:
    sweep(run, "--sweep", "seed=[0, 1]")
    first = Path("runs/net-sweep/1/run.json").read_text()
    sweep(run, "--sweep", "seed=0,1")
    assert Path("runs/net-sweep/1/run.json").read_text() == first
    done = run("train", "net.yaml", "--sweep", "seed=5,6")
    assert done.code == 2 and "has a run with other settings" in done.err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--sweep", "width"), 2, "a setting reads name=value"),
        (("--sweep", "width="), 2, "must be a list of values"),
        (("--sweep", "depth=1,2"), 2, "there is no param depth"),
        (("--sweep", "width=1,2", "--sweep", "width=3"), 2, "width is swept twice"),
        (("--sweep", "width=1,2", "--devices", "2"), 2, "on one device"),
        (("--sweep", "lr=1e-3,-1"), 1, "lr must be above 0"),
        (("--sweep", "task.epochs=1,many"), 1, "unknown-name"),
    ],
)
def test_what_is_wrong_is_reported_before_training(
    run: Runner, options: tuple[str, ...], code: int, message: str
) -> None:
    done = run("train", "net.yaml", *options)
    assert done.code == code and message in done.err
    assert not Path("runs").exists()


def test_too_many_runs(run: Runner) -> None:
    values = ",".join(map(str, range(40)))
    options = [
        text for name in ("seed", "width") for text in ("--sweep", f"{name}={values}")
    ]
    done = run("train", "net.yaml", *options)
    assert done.code == 2 and "1,600 runs" in done.err
