"""The recurrent modules against torch's own, then compiled and exported."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, export

from compiler.library.gru import StackedGRU
from compiler.library.lstm import StackedLSTM
from compiler.library.recurrent import Recurrent
from compiler.library.rnn import StackedRNN

pytestmark = [
    # torch hides this one from users, by a way that does not hide it from pytest
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor"),
    # nn.LSTM says so too
    pytest.mark.filterwarnings(
        "ignore:LSTM with projections is not supported with one"
    ),
]

KINDS: list[tuple[type[Recurrent], type[nn.RNNBase], dict[str, Any]]] = [
    (StackedLSTM, nn.LSTM, {}),
    (StackedLSTM, nn.LSTM, {"proj_size": 2}),
    (StackedGRU, nn.GRU, {}),
    (StackedRNN, nn.RNN, {}),
    (StackedRNN, nn.RNN, {"nonlinearity": "relu"}),
]
STACKS = [
    {"num_layers": layers, "bidirectional": both, "bias": bias}
    for layers, both, bias in itertools.product((1, 2), (False, True), (False, True))
]
SHAPES = ({0: Dim("B"), 1: Dim("T")},)


def pair(
    kind: type[Recurrent], own: type[nn.RNNBase], **options: Any
) -> tuple[Recurrent, nn.RNNBase]:
    """Ours and torch's, made under the same seed."""
    torch.manual_seed(0)
    ours = kind(3, 4, **options)
    torch.manual_seed(0)
    return ours, own(3, 4, batch_first=True, **options)


def states(model: Recurrent, *batch: int) -> Any:
    count = model.num_layers * model.directions
    found = tuple(
        torch.randn(count, *batch, width, requires_grad=True) for width in model.widths
    )
    return found if isinstance(model, StackedLSTM) else found[0]


def flat(result: Any) -> list[Tensor]:
    return torch.utils._pytree.tree_leaves(result)


@pytest.mark.parametrize("stack", STACKS, ids=str)
@pytest.mark.parametrize(("kind", "own", "options"), KINDS)
def test_equals_torchs_own(
    kind: type[Recurrent], own: type[nn.RNNBase], options: Any, stack: Any
) -> None:
    ours, theirs = pair(kind, own, **options, **stack)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    x = torch.randn(2, 5, 3, requires_grad=True)
    for given in [(x,), (x, states(ours, 2)), (x[0],), (x[0], states(ours))]:
        results, gradients = [], []
        for model in (ours, theirs):
            results.append(model(*given))
            loss = sum(result.square().sum() for result in flat(results[-1]))
            leaves = [x, *flat(given[1:]), *model.parameters()]
            gradients.append(torch.autograd.grad(loss, leaves))
        torch.testing.assert_close(*results, rtol=0, atol=1e-6)
        torch.testing.assert_close(*gradients, rtol=0, atol=1e-6)


def test_drops_out_between_the_layers_in_training_alone() -> None:
    ours, theirs = pair(StackedGRU, nn.GRU, num_layers=2, dropout=0.5)
    x = torch.randn(2, 5, 3)
    for training in (True, False):
        results = []
        for model in (ours.train(training), theirs.train(training)):
            torch.manual_seed(1)
            results.append(model(x))
        torch.testing.assert_close(*results, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "options", "strict"),
    [
        (StackedLSTM, {"bidirectional": True}, True),
        (StackedLSTM, {"proj_size": 2, "bias": False}, False),
        (StackedGRU, {"dropout": 0.5, "num_layers": 2}, False),
        (StackedRNN, {}, True),
        (StackedRNN, {"nonlinearity": "relu"}, False),
    ],
)
def test_exports_with_any_batch_and_length(
    kind: type[Recurrent], options: Any, strict: bool
) -> None:
    model = kind(3, 4, **options).eval()
    x = torch.randn(3, 7, 3)
    program = export(model, (x,), dynamic_shapes=SHAPES, strict=strict).module()
    for batch, length in [(2, 5), (3, 9), (1, 4), (1, 1), (2, 1)]:
        x = torch.randn(batch, length, 3)
        torch.testing.assert_close(program(x), model(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("kind", "strict"), [(StackedLSTM, False), (StackedGRU, True)])
def test_exports_with_states_given(kind: type[Recurrent], strict: bool) -> None:
    model = kind(3, 4)
    batch = {1: SHAPES[0][0]}
    shapes = (*SHAPES, (batch, batch) if kind is StackedLSTM else batch)
    given = (torch.randn(3, 7, 3), states(model, 3))
    program = export(model, given, dynamic_shapes=shapes, strict=strict).module()
    given = (torch.randn(2, 5, 3), states(model, 2))
    torch.testing.assert_close(program(*given), model(*given), rtol=0, atol=1e-6)


def test_exports_without_a_batch() -> None:
    model = StackedRNN(3, 4)
    shapes = ({0: Dim("T")},)
    program = export(model, (torch.randn(7, 3),), dynamic_shapes=shapes).module()
    x = torch.randn(5, 3)
    torch.testing.assert_close(program(x), model(x), rtol=0, atol=1e-6)


def test_an_exported_program_trains() -> None:
    model = StackedLSTM(3, 4)
    program = export(model, (torch.randn(3, 7, 3),), dynamic_shapes=SHAPES).module()
    x = torch.randn(2, 5, 3, requires_grad=True)
    gradients = []
    for run in (model, program):
        loss = run(x)[0].square().sum()
        gradients.append(torch.autograd.grad(loss, [x, *run.parameters()]))
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("kind", "own", "options"), KINDS)
def test_compiles_to_one_graph(
    kind: type[Recurrent], own: type[nn.RNNBase], options: Any
) -> None:
    ours, theirs = pair(kind, own, bidirectional=True, **options)
    compiled = torch.compile(ours, fullgraph=True, backend="eager")
    for length in (4, 6, 5):
        x = torch.randn(2, length, 3)
        torch.testing.assert_close(compiled(x), theirs(x), rtol=0, atol=1e-6)
        compiled(x)[0].sum().backward()


def test_an_lstm_compiled_for_the_cpu_trains() -> None:
    compiled = torch.compile(StackedLSTM(3, 4), fullgraph=True, backend="aot_eager")
    compiled(torch.randn(2, 5, 3, requires_grad=True))[0].sum().backward()


def test_torch_still_fails_for_an_input_without_gradient() -> None:
    """torch 2.13, oneDNN's LSTM under AOTAutograd: StackedLSTM's docstring tells of it."""
    compiled = torch.compile(StackedLSTM(3, 4), fullgraph=True, backend="aot_eager")
    with pytest.raises(AssertionError):
        compiled(torch.randn(2, 5, 3))[0].sum().backward()


@pytest.mark.parametrize("kind", [StackedLSTM, StackedGRU, StackedRNN])
def test_refuses_sizes_that_the_kernels_would_read_beyond(
    kind: type[Recurrent],
) -> None:
    model = kind(3, 4)
    with pytest.raises(
        ValueError, match=r"input should be \[B, T, 3\], not \[2, 5, 7\]"
    ):
        model(torch.randn(2, 5, 7))
    with pytest.raises(ValueError, match=r"states should have shapes \[\(1, 2, 4\)"):
        model(torch.randn(2, 5, 3), states(model, 1))


def test_moves_copies_and_pickles() -> None:
    model = StackedLSTM(3, 4, num_layers=2)
    x = torch.randn(2, 5, 3)
    wanted = model(x)
    pickled = pickle.loads(pickle.dumps(model))  # noqa: S301  (our own bytes)
    for other in (copy.deepcopy(model), pickled):
        torch.testing.assert_close(other(x), wanted)
    assert model.double()(x.double())[0].dtype == torch.float64
    weights = {name: torch.zeros_like(w) for name, w in model.named_parameters()}
    output, _ = torch.func.functional_call(model, weights, (x.double(),))
    assert not output.any()


def test_lays_out_its_weights_for_cudnn(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[Any] = []

    def flatten(made: nn.RNNBase) -> None:
        laid_out.append((made.mode, made._flat_weights))

    model = StackedGRU(3, 4, bidirectional=True)
    monkeypatch.setattr(nn.RNNBase, "flatten_parameters", flatten)
    model.double()
    mode, weights = laid_out[-1]
    assert mode == "GRU"
    assert all(a is b for a, b in zip(weights, model.parameters(), strict=True))


def test_shows_its_arguments() -> None:
    assert (
        repr(StackedGRU(3, 4, num_layers=2))
        == "StackedGRU(3, 4, num_layers=2, batch_first=True)"
    )
