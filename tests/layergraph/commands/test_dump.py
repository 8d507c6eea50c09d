"""`dump`: the value of each stage, as text."""

from pathlib import Path

import pytest

from tests.layergraph.commands.command import BROKEN, GPT2, Runner, spec


@pytest.mark.parametrize(
    ("stage", "head", "part"),
    [
        ("document", "document specs/gpt2.yaml\n", "    vocab: 50257\n"),
        ("graph", "graph GPT2\n", "= Block(x=drop; heads=heads, dropout=dropout)"),
        ("typed", "typed graph GPT2\n", "copies 0 to 11: runs #2\n"),
        ("module", "module GPT2\n", "    for v6 in self.h  # h\n"),
        ("causality", "causality GPT2 along T\n", "#2 x 12"),
    ],
)
def test_dump_of_a_stage(run: Runner, stage: str, head: str, part: str) -> None:
    found = run("dump", GPT2, "--stage", stage)
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith(head)
    assert part in found.out


def test_dump_with_other_params(run: Runner) -> None:
    assert "copies 0 to 23" in run("dump", GPT2, "--variant", "medium").out
    assert "copies 0 to 2:" in run("dump", GPT2, "--set", "depth=3").out
    assert run("dump", GPT2, "--set", "depht=3").code == 2
    assert run("dump", GPT2, "--stage", "tokens").code == 2


def test_dump_goes_as_far_as_the_spec_is_right(run: Runner, tmp_path: Path) -> None:
    broken = spec(tmp_path, BROKEN)
    assert run("dump", broken, "--stage", "document").code == 0
    assert run("dump", broken, "--stage", "graph").code == 1
    flat = 'name: Net\ninputs: {x: "float[B]"}\nlayers: {a: {op: conv2d, out_channels: 3, kernel_size: 3}}\n'
    found = run("dump", spec(tmp_path, flat, "flat.yaml"))
    assert (found.code, found.err) == (1, "")
    assert "a could not be inferred" in found.out
    assert "error[rank-mismatch]" in found.out
    found = run("dump", spec(tmp_path, flat, "flat.yaml"), "--stage", "module")
    assert (found.code, found.out) == (1, "")
    assert "error[rank-mismatch]" in found.err
