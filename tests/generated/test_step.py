"""Every decoder in specs/ run in pieces gives what it gives for the whole sequence: outputs and gradients."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from compiler.lower.step_flows import stream
from runtime.load import build_networks
from tests.generated.networks import small
from tests.programs import SPECS, compiled

STEPPED = [name for name in SPECS if compiled(name).typed.graph.spec.step is not None]
LENGTH = 11
PIECES = ([1] * LENGTH, [LENGTH], [4, 1, 1, 3, 2])


def test_every_decoder_steps() -> None:
    assert len(STEPPED) == 23


class _Stepped:
    """A small network of a spec with random weights, and inputs."""

    def __init__(self, spec: str) -> None:
        program = small(spec)
        ((_, instance),) = program.typed.networks.items()
        self.network: Any
        found = stream(program.typed, program.typed.graph.spec.step)
        assert found is not None
        self.axes, self.instance = found.axes, instance
        torch.manual_seed(0)
        (self.network,) = build_networks(program).values()
        self.network.double().eval()
        for parameter in self.network.parameters():
            nn.init.normal_(parameter, std=0.3)
        self.inputs = {
            name: self._input(name)
            for name, kind in instance.inputs.items()
            if kind is not None and not instance.scope.inputs[name].optional
        }

    def _input(self, name: str) -> Tensor:
        kind = self.instance.inputs[name]
        assert kind is not None
        shape = []
        for size in kind.shape:
            value = self.instance.context.value(size)
            constant = value.constant
            shape.append(3 if constant is None else constant)
        for axis in [self.axes[name]] if name in self.axes else []:
            shape[axis] = LENGTH
        if kind.kind == "float":
            return torch.randn(shape, dtype=torch.float64)
        if kind.kind == "bool":
            return torch.ones(shape, dtype=torch.bool)
        return torch.randint(2, 7, shape)

    def whole(self) -> Tensor:
        return _first(self.network(**self.inputs))

    def begin(self, max_length: int | None) -> Any:
        taken = inspect.signature(self.network.init_state).parameters
        static = {n: x for n, x in self.inputs.items() if n in taken}
        return self.network.init_state(**static, max_length=max_length)

    def pieces(self, sizes: list[int], state: Any) -> Tensor:
        """A mask has a place for every position so far."""
        found, start = [], 0
        for size in sizes:
            given = {}
            for name, axis in self.axes.items():
                if name in self.inputs:
                    whole = self.inputs[name]
                    first = 0 if whole.dtype == torch.bool else start
                    given[name] = whole.narrow(axis, first, start + size - first)
            found.append(_first(self.network.step(**given, state=state)))
            start += size
        return torch.cat(found, 1)


def _first(result: Tensor | tuple[Tensor, ...]) -> Tensor:
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("spec", STEPPED)
def test_pieces_give_what_the_whole_gives(spec: str) -> None:
    stepped = _Stepped(spec)
    with torch.no_grad():
        wanted = stepped.whole()
        for sizes in PIECES:
            for most in (None, LENGTH):
                found = stepped.pieces(sizes, stepped.begin(most))
                torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("spec", STEPPED)
def test_gradients(spec: str) -> None:
    stepped = _Stepped(spec)
    parameters = list(stepped.network.parameters())
    wanted = stepped.whole()
    found = stepped.pieces(PIECES[-1], stepped.begin(None))
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
    weights = torch.randn_like(wanted)
    for one, other in zip(
        torch.autograd.grad((found * weights).sum(), parameters, allow_unused=True),
        torch.autograd.grad((wanted * weights).sum(), parameters, allow_unused=True),
        strict=True,
    ):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spec", ["gpt2", "mistral", "mamba_130m", "t5_small"])
def test_rows_can_be_chosen_and_states_copied(spec: str) -> None:
    stepped, rows = _Stepped(spec), torch.tensor([2, 0, 0])
    with torch.no_grad():
        state = stepped.begin(LENGTH)
        stepped.pieces([5], state)
        kept = state.clone()
        chosen = state.select(rows)
        for name in stepped.inputs:
            whole = stepped.inputs[name]
            if name in stepped.axes and whole.dtype != torch.bool:
                axis = stepped.axes[name]
                rest = whole.narrow(axis, 5, LENGTH - 5)
                given = {name: rest[rows]}
        masks = {
            n: x[rows]
            for n, x in stepped.inputs.items()
            if n in stepped.axes and x.dtype == torch.bool
        }
        found = _first(stepped.network.step(**given, **masks, state=chosen))
        torch.testing.assert_close(found, stepped.whole()[rows, 5:], rtol=0, atol=1e-10)
        again = _first(
            stepped.network.step(
                **{n: stepped.inputs[n].narrow(stepped.axes[n], 5, 6) for n in given},
                **{n: stepped.inputs[n] for n in masks},
                state=kept,
            )
        )
        torch.testing.assert_close(again, stepped.whole()[:, 5:], rtol=0, atol=1e-10)


def test_a_longer_sequence_than_there_are_positions_is_an_error() -> None:
    stepped = _Stepped("gpt2")
    context = stepped.network.context
    state = stepped.begin(None)
    with pytest.raises(ValueError, match="longer than the network takes"):
        stepped.network.step(torch.zeros(1, context + 1, dtype=torch.long), state)
    assert state.position == 0 and state.size == 0


def test_rewind() -> None:
    stepped = _Stepped("gpt2")
    tokens = stepped.inputs["tokens"]
    with torch.no_grad():
        state = stepped.begin(None)
        stepped.network.step(tokens[:, :6], state)
        stepped.network.step(tokens[:, :3], state)
        state.rewind(3)
        found = stepped.network.step(tokens[:, 6:], state)
        torch.testing.assert_close(found, stepped.whole()[:, 6:], rtol=0, atol=1e-10)
    mamba = _Stepped("mamba_130m")
    state = mamba.begin(None)
    mamba.pieces([3], state)
    with pytest.raises(ValueError, match="forgotten"):
        state.rewind(1)
    assert state.position == 3


_WRITTEN_OUT = """\
  scores: {op: einsum, equation: 'b t d, b s d -> b t s', in: [x, x]}
  allowed: {op: causal_mask, in: x}
  forbidden: {op: logical_not}
  masked: {op: masked_fill, value: -.inf, in: [scores, forbidden]}
  weights: {op: softmax, dim: -1}
  y: {op: matmul, in: [weights, x]}
"""
_MASK_FROM_TOKENS = """\
  real: {op: padding_mask, padding_idx: 0, in: tokens}
  y: {op: attention, num_heads: 2, is_causal: true, in: {query: x, key: x, value: x, mask: real}}
"""
_CUMSUM = "  y: {op: cumsum, dim: 1, in: x}\n"


@pytest.mark.parametrize(
    ("layers", "layer"),
    [(_WRITTEN_OUT, "scores"), (_MASK_FROM_TOKENS, "y"), (_CUMSUM, "y")],
    ids=["attention written out", "mask from tokens", "cumsum"],
)
def test_what_cannot_run_in_pieces_is_refused(
    layers: str, layer: str, tmp_path: Path
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(
        'name: Net\nstep: T\ninputs: {tokens: "int[B, T]"}\nlayers:\n'
        "  x: {op: embedding, num_embeddings: 9, embedding_dim: 4}\n"
        f"{layers}outputs: {{y: y}}\n"
    )
    with pytest.raises(SpecError) as caught:
        assert compile_spec(file).python
    (found,) = caught.value.diagnostics
    assert (found.code, found.path) == ("no-code", f"Net.{layer}")


@pytest.mark.parametrize(
    ("spec", "numbers"),
    [
        ("gpt2", lambda n: 2 * n.depth * 3 * 16 * n.width),
        ("mistral", lambda n: 2 * n.depth * 3 * (n.window - 1) * n.kv_width),
        ("mamba_130m", lambda n: n.depth * 3 * n.channels * (n.kernel - 1 + n.states)),
    ],
)
def test_size(spec: str, numbers: Callable[[Any], int]) -> None:
    """In bytes: that of the keys and values, the last positions, and the states; no more after more positions."""
    stepped = _Stepped(spec)
    params = SimpleNamespace(**stepped.instance.params)
    params.kv_width = getattr(params, "kv_heads", 1) * params.width // 6
    params.channels, params.kernel = 2 * params.width, getattr(params, "kernel_size", 0)
    with torch.no_grad():
        state = stepped.begin(16)
        for sizes in ([5], [1, 1]):
            stepped.pieces(sizes, state)
            assert state.size == 8 * numbers(params)


def test_compiled_once_for_all_positions() -> None:
    stepped = _Stepped("gpt2")
    graphs: list[int] = []

    def backend(graph: Any, inputs: Any) -> Any:
        graphs.append(1)
        return graph.forward

    step = torch.compile(stepped.network.step, backend=backend, dynamic=True)
    tokens, counts, found = stepped.inputs["tokens"], [], []
    with torch.no_grad():
        state = stepped.begin(LENGTH + 1)
        for n in range(LENGTH):
            found.append(_first(step(tokens[:, n : n + 1], state)))
            counts.append(len(graphs))
        wanted = stepped.whole()
    assert counts[1] == counts[-1]
    torch.testing.assert_close(torch.cat(found, 1), wanted, rtol=0, atol=1e-10)
