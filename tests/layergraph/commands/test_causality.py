"""`causality`: the verdict, what each layer reads, and what a step keeps."""

import json
from pathlib import Path

from tests.layergraph.commands.command import GPT2, Runner


def test_text(run: Runner) -> None:
    found = run("causality", GPT2, "--depth", "1")
    assert (found.code, found.err) == (0, "")
    lines = found.out.splitlines()
    assert lines[0] == "GPT2 along T of tokens: causal"
    assert lines[1] == "  logits: tokens [-inf, 0]"
    cells = [" ".join(line.split()) for line in lines]
    assert "wpe position_embedding no input 1" in cells
    assert "h × 12 Block [-inf, 0] 1" in cells
    assert lines[-1] == "state: 18432 * B * max_length elements"
    assert "c_attn" not in found.out


def test_json(run: Runner) -> None:
    found = run("causality", GPT2, "--json")
    (data,) = json.loads(found.out)
    assert data["causal"] is True
    assert data["outputs"] == {
        "logits": {"along": True, "field": {"tokens": [None, 0]}}
    }
    (block,) = [row for row in data["layers"] if row["name"] == "h"]
    assert (block["count"], block["reads"]) == (12, [None, 0])
    assert data["state"] == {"fixed": "0", "per_position": "18432 * B"}


def test_network_that_looks_ahead(run: Runner) -> None:
    found = run("causality", "specs/bert.yaml", "--depth", "1")
    assert found.code == 1
    assert "not causal" in found.out.splitlines()[0]
    assert "in BERT.encoder[0].attention.attention" in found.out


def test_choice_of_dimension_and_inputs(run: Runner) -> None:
    chosen = run("causality", "specs/encoder_decoder.yaml", "--input", "target")
    assert chosen.out.startswith("EncoderDecoder along T of target: causal")
    source = run("causality", "specs/encoder_decoder.yaml", "--along", "S")
    assert "of source" in source.out
    assert run("causality", "specs/cnn.yaml").code == 2


def test_dimension_of_step(run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    text = "name: Net\nstep: {N: [x]}\ninputs: {x: 'float[B, N, 4]'}\nlayers: {a: {op: cumsum, dim: 1}}\n"
    file.write_text(text, encoding="utf-8")
    found = run("causality", str(file))
    assert found.out.startswith("Net along N of x: causal\n  output: x [-inf, 0]\n")
    assert "running value: 4 * B" in found.out
