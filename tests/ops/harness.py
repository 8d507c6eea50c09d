"""Holds an op against torch: its shape rule, weights, FLOPs and generated code.

`check` writes a module of the one layer with the op's own code, runs it on torch's meta
device, and compares; `infer` asks a rule about symbolic sizes; `run` computes numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from compiler.op.binding import BindingError, bind, check_arguments
from compiler.op.context import Context
from compiler.op.errors import OpError
from compiler.op.op import Op, as_tuple, value_arguments
from compiler.op.registry import ops
from compiler.parse.path_error import PathError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Domain
from compiler.symbolic.evaluate import evaluate
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import NETWORKS, InputDim, of_networks
from compiler.symbolic.tensor import TensorType, parse_pattern
from tests.ops.concrete import like
from tests.ops.coverage import accepted, refused
from tests.ops.one_layer import Input, OneLayer, flat
from tests.ops.running import compare, compare_flops, module_of, run_one


@dataclass(frozen=True)
class Checked:
    """What `check` found: the types of the outputs, or why the op was refused."""

    outputs: tuple[TensorType, ...] = ()
    refusal: OpError | PathError | None = None
    source: str = ""

    @property
    def _layer(self) -> str:
        """The class alone, without what it carries of the library."""
        return self.source.partition("class Layer(")[2]

    @property
    def construct(self) -> str:
        """The expression that `__init__` assigns; "" where there is none."""
        return self._layer.partition("self.layer = ")[2].partition("\n\n")[0].strip()

    @property
    def forward(self) -> list[str]:
        """The lines of `forward`, without the `def`."""
        body = self._layer.partition("def forward(")[2].partition(":\n")[2]
        return [line.strip() for line in body.strip().splitlines()]


def tensor(text: str) -> TensorType:
    """The type of a text such as `float[B, 3, 4 * D]`; every name is a symbol."""
    pattern = parse_pattern(text)
    sizes = [evaluate(size, _Symbols({})) for size in pattern.dims]
    assert all(isinstance(size, int | Dim) for size in sizes)
    return TensorType(pattern.kind, tuple(map(Dim.of, sizes)))  # type: ignore[arg-type]


def infer(
    op_name: str,
    arguments: Mapping[str, Any],
    inputs: Mapping[str, Input],
    hints: Mapping[str, Dim | int] | None = None,
    domain: Domain | None = None,
) -> tuple[TensorType, ...]:
    """The types of the outputs for sizes that may be symbols; every name is one.

    Raises:
        OpError: where the rule refuses.
        BindingError: where the arguments are wrong.
    """
    known = {name: Dim.of(value) for name, value in (hints or {}).items()}
    op = _bind(op_name, arguments, known)
    return _infer(op, Context(of_networks(known), domain), _ports(op, inputs))


def check(
    op_name: str,
    arguments: Mapping[str, Any],
    inputs: Mapping[str, Input],
    *,
    dims: Mapping[str, int] | None = None,
    domain: Domain | None = None,
    optional: frozenset[str] = frozenset(),
    reference: Callable[..., Any] | None = None,
    device: str = "meta",
    flops: bool = True,
) -> Checked:
    """Hold an op against torch, and give what it became.

    Args:
        dims: values of the symbols in the inputs and arguments. The rule sees symbols
            (and `domain`); what it refuses then is not compared with torch.
        optional: ports whose value may be None when the code runs.
        reference: is called with the input tensors (None where absent, variadic ones as
            a tuple); it decides in place of the op's own code whether torch raises, and
            its outputs must be of the same types.
        device: "cpu" where the meta device does not raise and real tensors do.
        flops: whether to compare with FlopCounterMode.
    """
    refusal: OpError | PathError | None
    op, refusal = _bind_anyhow(op_name, arguments)
    ports = _ports(op, inputs)
    outputs: tuple[TensorType, ...] = ()
    if refusal is None:
        try:
            outputs = _infer(op, Context(domain=domain), ports)
        except OpError as fault:
            refusal = fault
    if refusal and (dims or refusal.code == "kind-mismatch"):
        refused[op_name] += 1
        return Checked(refusal=refusal)
    count = len(outputs) or _wanted_outputs(op)
    one = OneLayer(op, arguments, ports, dims or {}, optional, count)
    ran = run_one(one, device, reference)
    if refusal:
        assert ran.error, f"torch takes what the rule refuses: {refusal}"
        refused[op_name] += 1
        return Checked(refusal=refusal)
    if ran.error:
        shown = ", ".join(map(str, outputs))
        raise AssertionError(
            f"the rule gives {shown} where torch raises"
        ) from ran.error
    compare(one, outputs, ran, device)
    if flops:
        compare_flops(one, outputs, device)
    accepted[op_name] += 1
    if accepted[op_name] <= _LOOKED_AT:
        look_at_values(one, outputs, Context(domain=domain))
    return Checked(outputs, None, one.source())


_LOOKED_AT = 20
"""Examples of each op whose value arguments are watched."""


def look_at_values(
    one: OneLayer, outputs: tuple[TensorType, ...], ctx: Context
) -> None:
    """Ask an op everything, with an error where it looks at one of its value arguments."""
    watched = type(type(one.op).__name__, (_Watched, type(one.op)), {})
    op = watched(vars(one.op), one.op.lists)
    assert _infer(op, ctx, one.ports) == outputs
    op.weights(**one.ports), op.buffers(**one.ports), op.inferred(**one.ports)
    op.flops(outputs, **one.ports)
    again = OneLayer(op, one.written, one.ports, one.dims, one.optional, len(outputs))
    assert again.source() == one.source()


class _Watched(Op):
    """An op that nothing but the printer of arguments asks for a value argument."""

    def __getattribute__(self, name: str) -> Any:
        if name in value_arguments(type(self).__mro__[2]):
            asks = sys._getframe(1).f_code.co_filename
            assert asks.endswith("one_layer.py"), f"{name} is looked at in {asks}"
        return super().__getattribute__(name)


def layer(
    op_name: str, arguments: Mapping[str, Any], inputs: Mapping[str, Input]
) -> nn.Module:
    """The generated module of one layer on the CPU; its tensors are named `layer.*`."""
    op = _bind(op_name, arguments, {})
    ports = _ports(op, inputs)
    outputs = _infer(op, Context(), ports)
    return module_of(OneLayer(op, arguments, ports, outputs=len(outputs)), "cpu")


def run(
    op_name: str,
    arguments: Mapping[str, Any],
    inputs: Mapping[str, Tensor | tuple[Tensor, ...] | None],
) -> Any:
    """What the generated code computes on the CPU from real tensors by port."""
    kinds = {port: like(value) for port, value in inputs.items()}
    given = [inputs.get(port.name) for port in ops()[op_name].inputs]
    return layer(op_name, arguments, kinds)(*flat(given))


def _bind(op_name: str, arguments: Mapping[str, Any], hints: Mapping[str, Dim]) -> Op:
    given, problems = check_arguments(ops()[op_name], arguments)
    if problems:
        raise BindingError(problems)
    return bind(ops()[op_name], given, _Symbols(hints), _Symbols({}, hints))


def _bind_anyhow(
    op_name: str, arguments: Mapping[str, Any]
) -> tuple[Op, PathError | None]:
    """The op even where its arguments are wrong, to see what torch says to them."""
    try:
        return _bind(op_name, arguments, {}), None
    except BindingError as error:
        given = {
            k: tuple(v) if isinstance(v, list) else v for k, v in arguments.items()
        }
        return bind(
            ops()[op_name], given, {}, SymbolTable({}, {}, NETWORKS)
        ), error.errors[0]


def _wanted_outputs(op: Op) -> int:
    """How many outputs the arguments ask for, where the rule gives none."""
    if op.outputs is not None:
        return len(op.outputs)
    pieces = getattr(op, "chunks", None) or len(getattr(op, "split_size", ()))
    return pieces or len(op.ports(1))


def _ports(op: Op, inputs: Mapping[str, Input]) -> dict[str, Any]:
    unknown = set(inputs) - {port.name for port in op.inputs}
    assert not unknown, f"{op.name} has no ports {unknown}"
    return {port.name: inputs.get(port.name) for port in op.inputs}


def _infer(op: Op, ctx: Context, ports: Mapping[str, Any]) -> tuple[TensorType, ...]:
    for port in op.inputs:
        for value in flat([ports[port.name]]):
            ctx.require_kind(port.name, value, port.kinds)
    outputs = as_tuple(op.infer(ctx, **ports))
    assert len(outputs) == len(op.ports(len(outputs)))
    return outputs


class _Symbols(SymbolTable):
    """Every name is a symbol, but those that have a value."""

    def __init__(
        self, values: Mapping[str, Dim], hints: Mapping[str, Dim] | None = None
    ) -> None:
        super().__init__(values, of_networks(hints or {}), NETWORKS)

    def __missing__(self, name: str) -> Dim:
        return Dim.symbol(InputDim(NETWORKS, name))

    def __contains__(self, name: object) -> bool:
        return True
