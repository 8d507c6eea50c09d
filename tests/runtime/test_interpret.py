"""The interpreter, on small graphs whose meaning is written out here by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from compiler import compile_spec
from runtime.interpret import Interpreter, OutputMismatchError

X = torch.arange(12, dtype=torch.float64).reshape(3, 4) / 7
BLOCK = """
blocks:
  Blk:
    inputs: {x: "float[B, D]", mask: "float[B, D]?"}
    layers:
      l: {op: linear, out_features: D, in: x}
      t: tanh
    outputs: {x: l, aux: t}
"""


@pytest.fixture
def interpreted(tmp_path: Path) -> Any:
    def make(layers: str, *, inputs: str = 'x: "float[B, 4]"', **params: Any) -> Any:
        path = tmp_path / "net.yaml"
        declared = f"params: {params}\n".replace("'", "").lower() if params else ""
        path.write_text(f"name: Net\n{declared}inputs: {{{inputs}}}\n{layers}")
        return Interpreter(compile_spec(path).typed)

    return make


def linear(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected)


def test_an_alias_is_still_there_after_a_repeat(interpreted: Any) -> None:
    run = interpreted(
        "layers:\n  act: identity\n  l: {op: linear, out_features: 4, repeat: n}\n  sum: {op: add, in: [l, x]}\n",
        n=2,
    )
    state = run.state_dict()
    assert list(state) == ["l.0.weight", "l.0.bias", "l.1.weight", "l.1.bias"]
    close(run(x=X)["output"], linear(state, "l.1", linear(state, "l.0", X)) + X)


def test_shared_copies_have_one_weight(interpreted: Any) -> None:
    run = interpreted(
        "layers:\n  l: {op: linear, out_features: 4, repeat: {count: 2, share: true}}\n"
    )
    state = run.state_dict()
    assert list(state) == ["l.weight", "l.bias"]
    close(run(x=X)["output"], linear(state, "l", linear(state, "l", X)))


def test_stacks_and_outputs_of_the_last_copy(interpreted: Any) -> None:
    run = interpreted(
        "layers:\n  a: {op: Blk, repeat: {count: 2, stack: {every: aux}}}\n"
        "outputs: {x: a.x, aux: a.aux, every: a.every}" + BLOCK
    )
    state, found = run.state_dict(), run(x=X)
    first = linear(state, "a.0.l", X)
    second = linear(state, "a.1.l", first)
    close(found["x"], second)
    close(found["every"], torch.stack([first.tanh(), second.tanh()]))
    close(found["aux"], second.tanh())


@pytest.mark.parametrize("on", [False, True])
def test_a_layer_with_a_false_when_returns_its_first_input(
    interpreted: Any, on: bool
) -> None:
    run = interpreted(
        "layers:\n  a: {op: Blk, when: on}\n  b: {op: relu, in: a}\n" + BLOCK, on=on
    )
    state = run.state_dict()
    assert bool(state) is on
    close(run(x=X)["output"], F.relu(linear(state, "a.l", X) if on else X))


def test_shared_and_tied_weights(interpreted: Any) -> None:
    run = interpreted(
        "layers:\n  a: {op: linear, out_features: 4}\n  again: {share: a}\n"
        "  b: {op: linear, out_features: 4, repeat: 2, tie: {weight: a.weight}}\n"
    )
    state = run.state_dict()
    assert [*run.named_parameters()] == ["a.weight", "a.bias", "b.0.bias", "b.1.bias"]
    assert state["b.1.weight"].equal(state["a.weight"])
    x = linear(state, "a", linear(state, "a", X))
    close(run(x=X)["output"], linear(state, "b.1", linear(state, "b.0", x)))


def test_scans_in_both_directions(interpreted: Any) -> None:
    text = """layers:
  s: {op: Step, scan: T, carry: {h: "zeros[B, 2]"}, reverse: back}
outputs: {y: s.y, h: s.h}
blocks:
  Step:
    inputs: {x: "float[B, D]", h: "float[B, H]"}
    layers:
      l: {op: linear, out_features: H, in: x}
      sum: {op: add, in: [l, h]}
      y: tanh
    outputs: {h: sum, y: y}
"""
    x = torch.randn(3, 5, 4, dtype=torch.float64)
    for back in (False, True):
        run = interpreted(
            text.replace("back", str(back).lower()), inputs='x: "float[B, T, 4]"'
        )
        each = linear(run.state_dict(), "s.l", x)
        sums = each.flip(1).cumsum(1).flip(1) if back else each.cumsum(1)
        found = run(x=x)
        close(found["y"], sums.tanh())
        close(found["h"], each.sum(1))


def test_optional_inputs(interpreted: Any) -> None:
    run = interpreted(
        "layers:\n  a: {op: attention, num_heads: 1, in: {query: x, key: x, value: x, mask: m}}\n",
        inputs='x: "float[B, T, 4]", m: "bool[B, T]?"',
    )
    x = torch.randn(2, 3, 4, dtype=torch.float64)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    full = F.scaled_dot_product_attention(x, x, x)
    close(run(x=x)["output"], full)
    close(run(x=x, m=torch.ones(2, 3, dtype=torch.bool))["output"], full)
    admitted = x[:1, :2]
    masked = F.scaled_dot_product_attention(x[:1], admitted, admitted)
    close(run(x=x, m=mask)["output"][:1], masked)


def test_sizes_are_solved_for(interpreted: Any) -> None:
    run = interpreted(
        "layers:\n  a: {op: expand, shape: [N, 4], in: x}\n",
        inputs='x: "float[4]", y: "float[2 * N + 1]"',
    )
    found = run(x=X[0], y=torch.ones(7, dtype=torch.float64))["output"]
    close(found, X[0].expand(3, 4))


def test_init_of_the_layer_wins_and_a_tie_goes_by_its_origin(interpreted: Any) -> None:
    run = interpreted(
        "layers:\n  e: {op: embedding, num_embeddings: 5, embedding_dim: 4, in: i}\n"
        "  b: {op: Inner}\n  h: {op: linear, out_features: 5, tie: {weight: e.weight}}\n"
        "init: {linear: {weight: zeros, bias: ones}}\n"
        'blocks:\n  Inner:\n    inputs: {x: "float[B, D]"}\n    layers:\n'
        "      l: {op: linear, out_features: D, init: {bias: {constant: 2}}}\n",
        inputs='i: "int[B]"',
    )
    state = run.state_dict()
    assert not state["b.l.weight"].any()
    assert (state["b.l.bias"] == 2).all()
    assert (state["h.bias"] == 1).all()
    assert state["e.weight"].std() > 0.4


def test_gradients_and_states_of_norms(interpreted: Any) -> None:
    run = interpreted("layers:\n  n: batch_norm1d\n").train()
    x = X.clone().requires_grad_()
    run(x=x)["output"].square().sum().backward()
    assert x.grad is not None
    close(run.state_dict()["n.running_mean"], 0.1 * X.mean(0))
    run.train(False)
    close(
        run(x=X)["output"][0, 0],
        (X[0, 0] - 0.1 * X.mean(0)[0]) / (0.9 + 0.1 * X.var(0)[0] + 1e-5).sqrt(),
    )


def test_an_op_whose_output_contradicts_its_rule(
    interpreted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from compiler.codegen.python import call
    from compiler.op.registry import ops

    run = interpreted("layers:\n  a: tanh\n")
    monkeypatch.setattr(
        ops()["tanh"], "apply", lambda self, code, input: call("torch.sum", input)
    )
    with pytest.raises(
        OutputMismatchError, match=r"Net.a.output is torch.float64\[\], but"
    ):
        run(x=X)
