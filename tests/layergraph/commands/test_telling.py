"""`summary`, `explain`, `ops` and `schema`: what is told of a spec, and of the language."""

import json

import pytest

from tests.layergraph.commands.command import GPT2, Runner


def test_summary_is_a_table(run: Runner) -> None:
    found = run("summary", "specs/cnn.yaml", "--at", "B=2")
    lines = found.out.splitlines()
    assert lines[0] == "CNN: image float[2, 1, 28, 28] -> logits float[2, 10]"
    columns = "layer op output parameters as a formula FLOPs"
    assert lines[1].split() == columns.split()
    cells = (
        "conv1 conv2d float[2, 6, 28, 28] 156"
        " 25 * channels * filters[0] + filters[0] 470,400"
    )
    assert lines[2].split() == cells.split()
    assert lines[-3:] == ["FLOPs: 1,666,080", "activations: 30,244", "at: B = 2"]


def test_summary_shows_as_many_levels_as_wanted(run: Runner) -> None:
    shallow = run("summary", GPT2, "--depth", 1).out.splitlines()
    assert not any(line.startswith("  ") for line in shallow)
    deep = run("summary", GPT2, "--depth", 3).out
    assert deep == run("summary", GPT2).out
    assert "\n    c_attn " in deep


def test_summary_as_data(run: Runner) -> None:
    data = json.loads(run("summary", GPT2, "--json", "--at", "B=1,T=1024").out)
    assert data["at"] == {"B": 1, "T": 1024}
    assert data["networks"][""]["flops"]["value"] == 291648307200


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("T=2000", "T must be at most 1024, not 2000"),
        ("X=1", "no input has a dimension X"),
        ("T", "a setting reads name=value, and this is T"),
        ("T=one", "T must be an integer above 0, and is one"),
    ],
)
def test_summary_at_sizes_that_are_not_admitted(
    run: Runner, at: str, said: str
) -> None:
    found = run("summary", GPT2, "--at", at)
    assert (found.code, found.out) == (2, "")
    assert said in found.err


def test_explain(run: Runner) -> None:
    found = run("explain", GPT2, "h[3].attn.c_attn")
    assert (found.code, found.err) == (0, "")
    assert "  output: float[B, T, 3 * D] = float[B, T, 2304]" in found.out.splitlines()
    assert run("explain", GPT2, "h.atn").code == 2


def test_ops(run: Runner) -> None:
    assert "\n  linear " in run("ops").out
    one = run("ops", "attention").out
    assert one.startswith("attention(query, key, value, mask?, bias?, sinks?) -> ...\n")
    (data,) = json.loads(run("ops", "linear", "--json").out)
    assert data["arguments"][1] == {
        "name": "bias", "takes": "true or false", "default": "true",
    }  # fmt: skip
    wrong = run("ops", "liner")
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean `linear`?" in wrong.err


def test_schema(run: Runner) -> None:
    found = json.loads(run("schema").out)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_ops_are_found_by_a_word(run: Runner) -> None:
    assert "  causal_mask " in run("ops", "--search", "causal").out
    found = run("ops", "--search", "Dense", "--json").out
    assert [one["name"] for one in json.loads(found)] == ["linear"]
    wrong = run("ops", "--search", "zebra")
    assert (wrong.code, wrong.out) == (2, "")
    assert "no op has to do with zebra" in wrong.err
    assert run("ops", "linear", "--search", "pooling").code == 2
