"""`check` and `verify`: whether a spec is right; and commands that are themselves wrong."""

import json
from pathlib import Path

import pytest

from tests.layergraph.commands.command import BROKEN, GPT2, ODD, Ran, Runner, spec


def test_check_of_good_specs(run: Runner) -> None:
    found = run("check", GPT2, "specs/cnn.yaml")
    assert found == Ran(0, "specs/gpt2.yaml: ok\nspecs/cnn.yaml: ok\n", "")


def test_check_shows_every_mistake_of_every_file(run: Runner, tmp_path: Path) -> None:
    found = run("check", spec(tmp_path, BROKEN), GPT2)
    assert (found.code, found.out) == (1, "specs/gpt2.yaml: ok\n")
    codes = [line for line in found.err.splitlines() if line.startswith("error[")]
    assert [code.partition("]")[0][6:] for code in codes] == [
        "unknown-argument", "unknown-op",
    ]  # fmt: skip
    assert "did you mean `bias`?" in found.err
    assert "  b: {op: lineer, out_features: 4}" in found.err


def test_check_as_data(run: Runner, tmp_path: Path) -> None:
    path = spec(tmp_path, ODD)
    found = run("check", path, "--json")
    assert (found.code, found.err) == (1, "")
    (fault,) = json.loads(found.out)
    keys = "code severity message file line column end_line end_column path help"
    assert list(fault) == keys.split()
    assert fault["code"] == "shape-mismatch"
    assert (fault["file"], fault["line"]) == (str(path), 5)
    assert run("check", GPT2, "--json").out == "[]\n"


def test_colour_is_for_terminals(run: Runner, tmp_path: Path) -> None:
    assert "\x1b" not in run("check", spec(tmp_path, BROKEN)).err


def test_limits_can_be_lifted(run: Runner, tmp_path: Path) -> None:
    comment = "# a long story\n" * 80_000
    path = spec(tmp_path, comment + Path("specs/cnn.yaml").read_text())
    assert "error[too-large]" in run("check", path).err
    assert run("check", path, "--no-limits").code == 0


def test_verify(run: Runner) -> None:
    found = run("verify", "specs/elman.yaml")
    assert (found.code, found.err) == (0, "")
    first, *_, last = found.out.splitlines()
    assert first == "  Elman: shapes and dtypes"
    assert "  Elman: weights, 8 passes with gradients" in found.out
    assert last == "specs/elman.yaml: verified"


def test_verify_tells_what_is_wrong(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runtime import verify

    wrong = verify.Verification(("one is not two",), ())
    monkeypatch.setattr(verify, "verify", lambda program: wrong)
    assert run("verify", "specs/cnn.yaml") == Ran(1, "", "error: one is not two\n")


@pytest.mark.parametrize(
    "arguments", [["bogus"], ["build"], ["build", GPT2, "--bogus"], []]
)
def test_a_wrong_command_ends_with_2(run: Runner, arguments: list[str]) -> None:
    assert run(*arguments).code == 2


_ODD = """name: Net
params: {heads: 2}
variants:
  odd: {heads: 3}
inputs: {x: 'float[B, T, 8]'}
layers:
  attend: {op: multihead_attention, num_heads: heads, in: [x, x, x]}
outputs: {y: attend}
"""


def test_variants_are_checked(run: Runner, tmp_path: Path) -> None:
    path = spec(tmp_path, _ODD)
    assert "in the variant odd, query's width" in run("check", path).err
    assert run("check", path, "--set", "heads=4").code == 0
    assert run("check", path, "--variant", "odd").code == 1
    assert run("check", path, "--variant", "even").code == 2
