"""Torch's recurrent modules and those that a file carries are one network: weights, names, results."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compiler import Program, compile_spec
from runtime.load import build_networks
from tests.generated.networks import gradients, outputs, weighted_sum

SPECS = {
    "lstm": (
        "lstm: {op: lstm, hidden_size: 6, num_layers: 2, proj_size: 5, bidirectional: true, in: x}\n"
        "outputs: {y: lstm.output, h: lstm.hidden, c: lstm.cell}"
    ),
    "gru": "gru: {op: gru, hidden_size: 6, bias: false, in: x}\noutputs: {y: gru.output, h: gru.hidden}",
    "rnn": "rnn: {op: rnn, hidden_size: 6, nonlinearity: relu, in: x}\noutputs: {y: rnn}",
    "with a state": (
        "first: {op: lstm, hidden_size: 6, in: x}\n"
        "  second: {op: lstm, hidden_size: 6, in: [first.output, first.hidden, first.cell]}\n"
        "outputs: {y: second.output}"
    ),
    "initialised": (
        "gru: {op: gru, hidden_size: 6, in: x}\ninit: {gru: {weight_hh_l0: orthogonal, bias_ih_l0: zeros}}"
    ),
}


@pytest.mark.parametrize("case", SPECS)
def test_both_are_one_network(tmp_path: Path, case: str) -> None:
    own = _program(tmp_path, SPECS[case])
    portable = own.portable()
    assert "class Recurrent" not in own.python
    assert "class Recurrent" in portable.python
    torch.manual_seed(0)
    one = build_networks(own)[""].double()
    torch.manual_seed(0)
    other = build_networks(portable)[""].double()
    for (name, weight), (same, value) in zip(
        one.state_dict().items(), other.state_dict().items(), strict=True
    ):
        assert name == same
        torch.testing.assert_close(weight, value, rtol=0, atol=0)
    x = torch.randn(3, 4, 5, dtype=torch.float64)
    given = one(x), other(x)
    torch.testing.assert_close(*map(outputs, given), rtol=0, atol=0)
    for result in given:
        weighted_sum(result).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(gradients(one), gradients(other), rtol=0, atol=0)


def test_weights_go_from_one_to_the_other(tmp_path: Path) -> None:
    own = _program(tmp_path, SPECS["gru"])
    one, other = build_networks(own)[""], build_networks(own.portable())[""]
    other.load_state_dict(one.state_dict())
    x = torch.randn(3, 4, 5)
    torch.testing.assert_close(outputs(one(x)), outputs(other(x)), rtol=0, atol=0)


def _program(folder: Path, layers: str) -> Program:
    file = folder / "net.yaml"
    head = "name: Net\ninputs: {x: 'float[B, T, 5]'}\nlayers:\n"
    file.write_text(f"{head}  {layers}\n", encoding="utf-8")
    return compile_spec(file)
