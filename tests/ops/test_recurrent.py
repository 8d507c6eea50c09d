"""Recurrent networks and their cells, held against torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.codegen.python import Name, TupleExpr
from compiler.op.errors import OpError
from compiler.op.registry import ops
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import label, some, type_of
from tests.ops.harness import check, infer, run, tensor

pytestmark = pytest.mark.filterwarnings(
    "ignore:dropout option adds dropout", "ignore:LSTM with projections"
)

SIZES = st.integers(1, 3)
STATES = {"rnn": 1, "gru": 1, "lstm": 2}
PORTS = ("hidden", "cell")


@st.composite
def layers(draw: st.DrawFn, name: str) -> tuple[dict[str, Any], dict[str, TensorType]]:
    """A network with states of its own shape, or without."""
    time, size, hidden, count = (draw(SIZES) for _ in range(4))
    batch = draw(st.lists(SIZES, max_size=1))
    arguments = draw(some(bias=st.booleans(), bidirectional=st.booleans()))
    arguments |= draw(some(dropout=st.floats(0, 1)))
    arguments |= {"hidden_size": hidden, "num_layers": count}
    if name == "rnn":
        arguments |= draw(some(nonlinearity=st.sampled_from(["tanh", "relu"])))
    if name == "lstm":
        arguments |= draw(some(proj_size=SIZES))
    rows = count * (2 if arguments.get("bidirectional") else 1)
    widths = arguments.get("proj_size", hidden), hidden
    inputs = {"input": type_of(*batch, time, size)}
    if draw(st.booleans()):
        for port, width in zip(PORTS[: STATES[name]], widths, strict=False):
            inputs[port] = type_of(rows, *batch, width)
    return arguments, inputs


@pytest.fixture(scope="module", autouse=True)
def _without_onednn() -> Iterator[None]:
    """It runs an LSTM as one operation, whose FLOPs torch's counter does not know."""
    switched_off = torch.backends.mkldnn.flags(enabled=False)  # type: ignore[no-untyped-call]
    with warnings.catch_warnings(action="ignore"), switched_off:  # it warns of TF32
        yield


@each(*STATES)
@given(st.data())
def test_networks(op: str, data: st.DataObject) -> None:
    # On meta, torch goes step by step through kernels in Python: fifty times as slow.
    check(op, *data.draw(layers(op)), device="cpu")


@given(st.data())
def test_networks_refuse_what_torch_refuses(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(STATES)))
    arguments, inputs = data.draw(layers(name))
    port = data.draw(st.sampled_from(sorted(inputs)))
    axis = data.draw(st.integers(0, inputs[port].rank - 1))
    inputs[port] = inputs[port].with_size(axis, data.draw(st.integers(0, 5)))
    check(name, arguments, inputs, device="cpu")


@each(*(f"{name}_cell" for name in STATES))
@given(
    st.lists(SIZES, max_size=1),
    SIZES,
    SIZES,
    some(bias=st.booleans()),
    st.booleans(),
    st.integers(0, 1),
)
def test_cells(
    op: str,
    batch: list[int],
    size: int,
    hidden: int,
    arguments: dict[str, Any],
    given_states: bool,
    wrong: int,
) -> None:
    inputs = {"input": type_of(*batch, size)}
    if given_states:
        state = type_of(*batch, hidden + wrong)
        inputs |= dict.fromkeys(PORTS[: STATES[op.removesuffix("_cell")]], state)
    # torch broadcasts a cell state of the wrong size at times
    check(op, {"hidden_size": hidden, **arguments}, inputs, device="cpu")


def test_code() -> None:
    inputs = {"input": tensor("float[2, 3, 4]")}
    found = check("rnn", {"hidden_size": 5, "nonlinearity": "relu"}, inputs)
    assert found.construct == 'StackedRNN(4, 5, nonlinearity="relu")'
    assert found.forward[0] == "output_0, output_1 = self.layer(input)"
    found = check("lstm", {"hidden_size": 5, "num_layers": 2}, inputs)
    assert found.construct == "StackedLSTM(4, 5, num_layers=2)"
    assert found.forward[0] == "output_0, (output_1, output_2) = self.layer(input)"
    states = dict.fromkeys(PORTS, tensor("float[1, 2, 5]"))
    found = check("lstm", {"hidden_size": 5}, inputs | states)
    assert found.forward[0].endswith("= self.layer(input, (hidden, cell))")


def test_code_of_cells() -> None:
    inputs = {"input": tensor("float[2, 4]"), "hidden": tensor("float[2, 5]")}
    found = check("gru_cell", {"hidden_size": 5}, inputs)
    assert found.construct == "nn.GRUCell(4, 5)"
    assert found.forward == ["return self.layer(input, hidden)"]
    inputs["cell"] = inputs["hidden"]
    found = check("lstm_cell", {"hidden_size": 5}, inputs)
    assert found.forward[0] == "output_0, output_1 = self.layer(input, (hidden, cell))"


def test_unused_states_are_not_taken_apart() -> None:
    op = ops()["lstm"]({"hidden_size": Dim.of(1)})
    output, cell, unused = Name("output"), Name("cell"), Name("_")
    assert op.targets((output, unused, unused)) == TupleExpr((output, unused))
    assert op.targets((output, unused, cell)) == TupleExpr(
        (output, TupleExpr((unused, cell)))
    )


def test_optional_states_may_be_none() -> None:
    inputs = {"input": type_of(2, 3, 4), "hidden": type_of(1, 2, 5)}
    x, state = torch.randn(2, 3, 4), torch.zeros(1, 2, 5)
    for name in ("gru", "lstm"):
        if name == "lstm":
            inputs["cell"] = inputs["hidden"]
        ports = frozenset(inputs) - {"input"}
        found = check(name, {"hidden_size": 5}, inputs, optional=ports)
        scope: dict[str, Any] = {}
        exec(found.source, scope)  # noqa: S102 - made by this test
        module = scope["Layer"]()
        absent = module(x, *[None] * len(ports))[0]
        assert torch.allclose(absent, module(x, *[state] * len(ports))[0])


def test_states_go_in_and_out_of_lstm() -> None:
    arguments = {"hidden_size": 3}
    x, state = torch.randn(2, 4, 5), torch.randn(1, 2, 3)
    torch.manual_seed(0)
    found = run("lstm", arguments, {"input": x, "hidden": state, "cell": -state})
    torch.manual_seed(0)
    output, (hidden, cell) = torch.nn.LSTM(5, 3, batch_first=True)(x, (state, -state))
    assert all(map(torch.equal, found, (output, hidden, cell)))


def test_symbols() -> None:
    arguments = {"hidden_size": "width", "num_layers": 2, "bidirectional": True}
    inputs = {"input": tensor("float[B, T, D]")}
    hints = {"width": Dim.of(8)}
    outputs = infer("lstm", arguments, inputs, hints)
    assert [*map(str, outputs)] == [
        "float[B, T, 2 * width]",
        "float[4, B, width]",
        "float[4, B, width]",
    ]
    states = {"input": tensor("float[B, D]"), "hidden": tensor("float[B, width]")}
    assert (
        infer("gru_cell", {"hidden_size": "width"}, states, hints)[0]
        == (states["hidden"])
    )


@pytest.mark.parametrize(
    ("name", "inputs", "fault", "port"),
    [
        ("lstm", {"input": "float[T]"}, "rank-mismatch", "input"),
        ("lstm", {"input": "int[B, T, 4]"}, "kind-mismatch", "input"),
        (
            "lstm",
            {"input": "float[B, T, 4]", "hidden": "float[1, B, 5]"},
            "constraint",
            "",
        ),
        (
            "gru",
            {"input": "float[B, T, 4]", "hidden": "float[B, 5]"},
            "rank-mismatch",
            "hidden",
        ),
        (
            "gru",
            {"input": "float[B, T, 4]", "hidden": "float[B, 1, 5]"},
            "shape-mismatch",
            "hidden",
        ),
        (
            "rnn_cell",
            {"input": "float[B, 4]", "hidden": "float[C, 5]"},
            "shape-mismatch",
            "hidden",
        ),
    ],
)
def test_faults(name: str, inputs: dict[str, str], fault: str, port: str) -> None:
    with pytest.raises(OpError) as caught:
        infer(name, {"hidden_size": 5}, {p: tensor(t) for p, t in inputs.items()})
    assert (caught.value.code, caught.value.port) == (fault, port)


def test_a_sequence_has_at_least_one_step() -> None:
    with pytest.raises(OpError) as caught:
        infer(
            "gru",
            {"hidden_size": 5},
            {"input": tensor("float[B, T - 1, 4]")},
            domain=Domain(of_networks({"T": Constraint(min=1)})),
        )
    assert caught.value.code == "size-too-small"


def test_label() -> None:
    arguments = {"hidden_size": 5, "num_layers": 2, "bidirectional": True}
    shown = label("lstm", arguments, input=type_of(2, 3, 4), hidden=None)
    assert shown == "4 → 10, 2 layers, both ways"
