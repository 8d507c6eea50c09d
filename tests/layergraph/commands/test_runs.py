import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.layergraph.commands.command import Runner

SPEC = """\
name: Net
variants:
  wide: {task: {epochs: 2}}
params: {hidden: 8}
inputs:
  image: float[B, 1, 8, 8]
layers:
  flat: flatten
  fc1: {op: linear, out_features: hidden}
  act: relu
  fc2: {op: linear, out_features: 10}
outputs:
  logits: fc2
task:
  kind: classification
  data: digits
  epochs: 1
  batch_size: 256
"""


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(SPEC)
    return Runner(capsys, monkeypatch)


def test_from_a_spec_to_predictions(run, tmp_path: Path) -> None:
    found = run("train", "net.yaml", "--accelerator", "cpu")
    assert (found.code, found.out) == (0, "runs/net\n")
    judged = json.loads(run("evaluate", "runs/net", "--json").out)
    measured = ["loss", "accuracy", "accuracy.majority", "accuracy.nearest"]
    assert list(judged) == measured
    lines = run("evaluate", "runs/net", "--weights", "last").out.splitlines()
    assert [line.split()[0] for line in lines[: len(measured)]] == measured
    assert lines[len(measured) + 1].split() == [
        "class",
        "examples",
        "precision",
        "recall",
        "f1",
    ]
    picture = torch.zeros(8, 8, dtype=torch.uint8).numpy()
    from PIL import Image

    Image.fromarray(picture).save(tmp_path / "digit.png")
    (said,) = run("predict", "runs/net", "digit.png", "--json").out.splitlines()
    assert "label" in json.loads(said)
    assert run("export", "runs/net", "-o", "net.safetensors").code == 0
    best = load_file("runs/net/weights/best.safetensors")
    exported = load_file("net.safetensors")
    assert exported.keys() == best.keys()
    assert all(exported[name].equal(best[name]) for name in best)
    (listed,) = json.loads(run("runs", "--json").out)
    assert (listed["run"], listed["status"]) == ("runs/net", "finished")
    head, row = run("runs").out.splitlines()
    assert head.split()[:3] == ["run", "network", "task"]
    assert row.split()[:5] == ["runs/net", "Net", "classification", "finished", "1/1"]


def test_a_second_run_has_a_folder_of_its_own(run) -> None:
    assert run("train", "net.yaml", "--variant", "wide").out == "runs/net-wide\n"
    assert run("train", "net.yaml", "--variant", "wide").out == "runs/net-wide-2\n"


def test_weights_that_do_not_fit(run, tmp_path: Path) -> None:
    run("train", "net.yaml")
    save_file({"fc1.weight": torch.zeros(3, 64)}, tmp_path / "other.safetensors")
    other = tmp_path / "other.safetensors"
    found = run("evaluate", "runs/net", "--weights", other.name)
    assert found.code == 1
    assert "fc1.weight is [3, 64], not [8, 64]" in found.err
    assert "fc2.bias is missing" in found.err
    found = run("evaluate", "runs/net", "--weights", tmp_path / "none.safetensors")
    assert found.code == 2 and "there are no weights at" in found.err
    other.write_bytes(b"x" * 100)
    found = run("evaluate", "runs/net", "--weights", other)
    assert found.code == 1 and "cannot be read" in found.err


def test_no_run(run) -> None:
    assert "dir 'nowhere' does not exist" in run("evaluate", "nowhere").err
    found = run("evaluate", ".")
    assert found.code == 2
    assert found.err == "error: . is not a run: it has no run.json\n"
    assert run("runs").code == 2
    assert run("runs").err == "error: runs has no runs\n"


def test_a_spec_without_a_task_names_variants_that_have_one(run) -> None:
    spec, _, task = SPEC.partition("task:\n  kind")
    wide = task.replace("\n  ", "\n      ").rstrip()
    Path("net.yaml").write_text(
        spec.replace(
            "  wide: {task: {epochs: 2}}\n",
            f"  wide:\n    task:\n      kind{wide}\n  other: {{hidden: 9}}\n",
        )
    )
    found = run("train", "net.yaml")
    assert found.code == 2
    assert found.err == (
        "error: Net has no `task`, which says how to train it; variants with one (--variant): wide\n"
    )
    assert run("train", "net.yaml", "--variant", "wide").code == 0
