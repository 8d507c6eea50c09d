"""Interpret a graph layer by layer on real tensors: the reference that generated code is compared with.

It therefore shares nothing with lowering: it has no classes, constructor arguments, variables or
merged uses. A scope is a dictionary from layers to tensors. For each call of a layer the op writes
its own expression with the numbers of that call, and only that expression is evaluated. Repeats,
conditions, groups, sharing, ties, scans and optional inputs are plain Python.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import init

from compiler.elaborate.wiring import EXPERTS, WEIGHTS
from compiler.expr.syntax import Variable
from compiler.ir.graph import Ref, Scope
from compiler.ir.tensors import held_name
from compiler.ir.typed import Instance, LayerCall, TypedGraph, TypedNode
from compiler.op.context import Context
from compiler.op.op import Op, as_tuple
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.evaluate import evaluate
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType, TypePattern
from runtime.run_op import Numbers, OpRun, bind_numbers, type_of

Inputs = Mapping[str, Tensor | tuple[Tensor, ...] | None]
"""The inputs of a layer by port."""


class OutputMismatchError(Exception):
    """A layer's output does not have the type that its op infers from these inputs."""


class Interpreter:
    """Runs one network of a graph, with weights under the names of the generated module's state dict.

    Args:
        typed: the typed graph.
        network: name of the network; "" for the only one.
        seed: passed to `torch.manual_seed` before weights are initialised.
        dtype: dtype of all floating-point tensors.
    """

    def __init__(
        self,
        typed: TypedGraph,
        network: str = "",
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self._typed, self._network, self._dtype = typed, network, dtype
        instance = typed.networks[network]
        self._sizes: dict[Symbol, int] = _smallest_sizes(instance)
        torch.manual_seed(seed)
        self._state = self._build(instance, self._numbers(instance)).to(dtype)

    def state_dict(self) -> dict[str, Tensor]:
        """All parameters and buffers by name; tied ones under each of their names."""
        return dict(self._state.state_dict())

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Load parameters and buffers; none may be missing."""
        self._state.load_state_dict(dict(state))

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters by name, tied ones once."""
        return dict(self._state.named_parameters())

    def train(self, mode: bool = True) -> Interpreter:
        """Set training mode, or evaluation mode."""
        self._state.train(mode)
        return self

    @property
    def training(self) -> bool:
        """Whether it is in training mode."""
        return self._state.training

    def __call__(self, /, **inputs: Tensor) -> Mapping[str, Tensor | None]:
        """Run the network: inputs by name to outputs by name; optional inputs may be omitted.

        An output that is absent is None.

        Raises:
            OutputMismatchError: if a layer's output does not have its inferred type.
        """
        instance = self._typed.with_inputs(self._network, inputs.keys())
        self._sizes = _solve_sizes(instance, inputs)
        return self._run_scope(instance, self._state, self._numbers(instance), inputs)

    # Building: the modules and tensors that have parameters or buffers, by path.

    def _build(self, instance: Instance, numbers: Numbers) -> nn.Module:
        state = nn.Module()
        for typed in instance.nodes.values():
            if typed.node.shared or not typed.built:
                continue
            name, repeat = held_name(instance, typed), typed.node.layer.repeat
            if repeat is None or repeat.share:
                _register(state, name, self._build_layer(instance, typed, 0, numbers))
                continue
            copies = nn.Module()
            for copy in range(typed.count):
                _register(
                    copies, str(copy), self._build_layer(instance, typed, copy, numbers)
                )
            _register(state, name, copies)
        for typed in instance.nodes.values():
            _tie(state, instance, typed)
        return state

    def _build_layer(
        self, instance: Instance, typed: TypedNode, copy: int, numbers: Numbers
    ) -> nn.Module | Tensor | None:
        call = [one for one in typed.built for _ in range(one.count)][copy]
        if typed.node.layer.repeat is not None:
            numbers = {**numbers, COUNTER: copy}
        if call.instance is not None:
            return self._build(
                call.instance, self._inner_numbers(call.instance, numbers)
            )
        types = {
            port: self._concrete_type(instance, kind)
            for port, kind in call.inputs.items()
        }
        op = _concrete_op(typed, numbers)
        types = {port.name: types.get(port.name) for port in op.inputs}
        if not op.weights(**types) and not op.buffers(**types):
            return None
        run = OpRun(op, types)
        module: nn.Module | Tensor = run.construct(typed.node.layer.parametrize)
        self._initialize(typed, op, module, run, numbers)
        return module

    def _concrete_type(self, instance: Instance, kind: Any) -> Any:
        if isinstance(kind, tuple):
            return tuple(self._concrete_type(instance, item) for item in kind)
        if kind is None:
            return None
        sizes = [
            instance.context.value(size).evaluate(self._sizes) for size in kind.shape
        ]
        return kind.with_shape(*sizes)

    def _initialize(
        self,
        typed: TypedNode,
        op: Op,
        layer_state: Any,
        run: OpRun,
        numbers: Numbers,
    ) -> None:
        """Initialise a layer's tensors by its own rules, or else by those of its op.

        Tied tensors have the values of their origin.
        """
        by_op = self._typed.graph.spec.init.get(op.name, {})
        own = typed.node.layer.init or {}
        for name, rule in {**by_op, **own}.items():
            names = numbers if name in own else self._typed.params
            tensor = layer_state
            for step in name.split(".") if isinstance(layer_state, nn.Module) else ():
                tensor = getattr(tensor, step, None)
            if isinstance(tensor, Tensor):
                given = rule.given | {
                    key: evaluate(formula.expr, names)
                    for key, formula in rule.formulas.items()
                }
                _initialize_tensor(tensor, rule.name, given)
        if by_op or own:
            run.restore(layer_state)

    # Running.

    def _numbers(self, instance: Instance) -> dict[str, Any]:
        return {name: self._number(value) for name, value in instance.values.items()}

    def _number(self, value: Any) -> Any:
        if isinstance(value, Dim):
            return value.evaluate(self._sizes)
        return tuple(map(self._number, value)) if isinstance(value, tuple) else value

    def _inner_numbers(self, instance: Instance, outer: Numbers) -> dict[str, Any]:
        """The numbers inside a layer's scope: a group sees the names around it, a block only its own."""
        if instance.scope.kind == "group":
            return dict(outer)
        return self._numbers(instance)

    def _run_scope(
        self, instance: Instance, state: nn.Module, numbers: Numbers, inputs: Inputs
    ) -> dict[str, Tensor]:
        frame = _Frame(instance, state, dict(numbers))
        for port, pattern in instance.scope.inputs.items():
            tensor = inputs.get(port)
            frame.values[port, ""] = tensor
            if isinstance(tensor, Tensor) and pattern is not None:
                frame.numbers |= _bind_dimensions(pattern, tensor, instance)
        used = used_layers(instance.scope)
        for typed in (n for n in instance.nodes.values() if n.node.name in used):
            outputs = self._run_layer(frame, typed)
            first = next(iter(outputs.values()))
            frame.values[typed.node.name, ""] = first
            for port, tensor in outputs.items():
                frame.values[typed.node.name, port] = tensor
        return {name: frame.value(ref) for name, ref in instance.scope.outputs.items()}

    def _run_layer(self, frame: _Frame, typed: TypedNode) -> Mapping[str, Any]:
        inputs = {
            port: tuple(map(frame.value, ref))
            if isinstance(ref, tuple)
            else frame.value(ref)
            for port, ref in typed.inputs.items()
        }
        off = not typed.calls or frame.is_off(typed.node.shared)
        if off and typed.node.may_be_absent:
            return {"output": None}
        if off:
            first = next(iter(inputs.values()), None)
            if typed.node.otherwise is not None:
                first = frame.value(typed.node.otherwise)
            return {"output": first[0] if isinstance(first, tuple) else first}
        layer_state = frame.layer_state(typed.node.shared or typed.node.name)
        if typed.scan is not None:
            return self._run_scan(frame, typed, layer_state, inputs)
        if typed.routed is not None:
            return self._run_routed(frame, typed, layer_state, inputs)
        repeat = typed.node.layer.repeat
        if repeat is None:
            return self._call_once(frame, typed, 0, layer_state, inputs, frame.numbers)
        return self._run_repeat(frame, typed, layer_state, inputs)

    def _run_repeat(
        self, frame: _Frame, typed: TypedNode, layer_state: Any, inputs: Inputs
    ) -> dict[str, Tensor]:
        repeat = typed.node.layer.repeat
        assert repeat is not None
        calls: list[Mapping[str, Tensor]] = []
        for copy in range(typed.count):
            numbers = {**frame.numbers, COUNTER: copy}
            copy_state = (
                layer_state if repeat.share else getattr(layer_state, str(copy), None)
            )
            taken = {
                port: _item(value, copy) if port in typed.each else value
                for port, value in inputs.items()
            }
            calls.append(
                self._call_once(frame, typed, copy, copy_state, taken, numbers)
            )
            if repeat.chained:
                inputs = _next_inputs(calls[-1], inputs, typed.each)
        stacks = {
            name: torch.stack([outputs[port] for outputs in calls])
            for name, port in repeat.stack.items()
        }
        lists = {
            f"{name}.{number}": calls[copy][port or next(iter(calls[copy]))]
            for name, port in repeat.collect.items()
            for number, copy in enumerate(typed.lists[name])
        }
        return {**calls[-1], **stacks, **lists}

    def _run_routed(
        self, frame: _Frame, typed: TypedNode, layer_state: Any, inputs: Inputs
    ) -> dict[str, Tensor]:
        """Every expert on every token, each times the weights that the token gives it."""
        chosen, weights = (_as_tensor(inputs[one]) for one in (EXPERTS, WEIGHTS))
        rest = {k: v for k, v in inputs.items() if k not in (EXPERTS, WEIGHTS)}
        rows = {k: v.flatten(0, -2) for k, v in rest.items() if isinstance(v, Tensor)}
        total: Tensor | None = None
        for copy in range(typed.count):
            numbers = {**frame.numbers, COUNTER: copy}
            state = getattr(layer_state, str(copy), None)
            found = self._call_once(
                frame, typed, copy, state, {**rest, **rows}, numbers
            )
            ((port, result),) = found.items()
            share = (weights * (chosen == copy)).sum(-1, keepdim=True)
            result = result.view(*share.shape[:-1], -1) * share
            total = result if total is None else total + result
        assert total is not None
        return {port: total}

    def _call_once(
        self,
        frame: _Frame,
        typed: TypedNode,
        copy: int,
        layer_state: Any,
        inputs: Inputs,
        numbers: Numbers,
    ) -> dict[str, Tensor]:
        if not isinstance(typed.target, Scope):
            return self._run_op(frame, typed, layer_state, inputs, numbers)
        instance = _calls_by_copy(typed)[copy].instance
        assert instance is not None and isinstance(layer_state, nn.Module)
        return self._run_scope(
            instance, layer_state, self._inner_numbers(instance, numbers), inputs
        )

    def _run_op(
        self,
        frame: _Frame,
        typed: TypedNode,
        layer_state: Any,
        inputs: Inputs,
        numbers: Numbers,
    ) -> dict[str, Tensor]:
        op = _concrete_op(typed, numbers)
        values = {port.name: inputs.get(port.name) for port in op.inputs}
        types = {port: type_of(value) for port, value in values.items()}
        run = OpRun(op, types, frame.state.training)
        if layer_state is None:
            layer_state = run.construct(typed.node.layer.parametrize)
            if isinstance(layer_state, nn.Module):
                layer_state = layer_state.to(self._dtype).train(frame.state.training)
            elif isinstance(layer_state, Tensor) and layer_state.is_floating_point():
                layer_state = layer_state.to(self._dtype)
        expected = as_tuple(op.infer(Context(), **types))
        outputs = run.apply(layer_state, values, len(expected))
        self._check_outputs(frame, typed, expected, outputs)
        return outputs

    def _check_outputs(
        self,
        frame: _Frame,
        typed: TypedNode,
        expected: tuple[TensorType, ...],
        outputs: Mapping[str, Tensor],
    ) -> None:
        """Check that outputs have the types that the op infers, with floats in the network's dtype.

        Raises:
            OutputMismatchError: if one does not.
        """
        where = f"{frame.instance.scope.name}.{typed.node.name}"
        for kind, (port, tensor) in zip(expected, outputs.items(), strict=True):
            if not isinstance(tensor, Tensor):
                raise OutputMismatchError(
                    f"{where}.{port} is not a tensor but {type(tensor)}"
                )
            if type_of(tensor) != kind:
                found = f"{tensor.dtype}{list(tensor.shape)}"
                raise OutputMismatchError(
                    f"{where}.{port} is {found}, but its op infers {kind}"
                )

    def _run_scan(
        self, frame: _Frame, typed: TypedNode, layer_state: Any, inputs: Inputs
    ) -> dict[str, Tensor]:
        scan = typed.scan
        assert scan is not None
        states = {
            name: self._initial_state(frame, typed, name, inputs) for name in scan.carry
        }
        port = next(iter(scan.axes))
        length = _as_tensor(inputs[port]).shape[scan.axes[port]]
        steps = range(length)
        calls: list[Mapping[str, Tensor]] = []
        for t in reversed(steps) if typed.node.layer.reverse else steps:
            slices = {
                port: _as_tensor(value).select(scan.axes[port], t)
                if port in scan.axes
                else value
                for port, value in inputs.items()
            }
            step = {**slices, **states}
            calls.append(
                self._call_once(frame, typed, 0, layer_state, step, frame.numbers)
            )
            states = {name: calls[-1][name] for name in states}
        if typed.node.layer.reverse:
            calls.reverse()
        gathered = {
            port: torch.stack(
                [step[port] for step in calls], dim=min(scan.axis, calls[0][port].ndim)
            )
            for port in calls[0]
            if port not in states
        }
        return {**gathered, **states}

    def _initial_state(
        self, frame: _Frame, typed: TypedNode, name: str, inputs: Inputs
    ) -> Tensor:
        """The value of a carried state before the first step."""
        carry, scan = typed.node.carry[name], typed.scan
        if carry.ref is not None:
            return _as_tensor(frame.value(carry.ref))
        assert scan is not None
        shape: list[Any] = [evaluate(size, frame.numbers) for size in carry.shape]
        fill = torch.zeros if carry.fill == "zeros" else torch.ones
        like = _as_tensor(inputs[next(iter(scan.axes))])
        dtype = {"float": self._dtype, "int": torch.int64, "bool": torch.bool}
        return fill(shape, dtype=dtype[scan.carry[name].kind], device=like.device)


@dataclass
class _Frame:
    """A running scope: its numbers, its weights, and the tensors computed so far."""

    instance: Instance
    state: nn.Module
    numbers: dict[str, Any]
    values: dict[tuple[str, str], Any] = field(default_factory=dict)

    def value(self, ref: Ref) -> Any:
        node = self.instance.nodes.get(ref.node)
        if node is not None and node.node.may_be_absent:
            return self.values.get((ref.node, ref.port))
        return self.values[ref.node, ref.port]

    def layer_state(self, layer: str) -> Any:
        """The module or tensor with a layer's weights; None if it has none."""
        typed = self.instance.nodes[layer]
        return getattr(self.state, held_name(self.instance, typed), None)

    def is_off(self, layer: str) -> bool:
        """Whether a layer has a false `when`, whatever is given; False for ""."""
        return bool(layer) and not self.instance.nodes[layer].is_built


def used_layers(scope: Scope) -> set[str]:
    """The layers that the outputs of a scope depend on; others do not run."""
    used: set[str] = set()
    pending = list(scope.outputs.values())
    while pending:
        node = scope.nodes.get(pending.pop().node)
        if node is not None and node.name not in used:
            used.add(node.name)
            pending += [ref for _, ref in node.refs()]
    return used


def _concrete_op(typed: TypedNode, numbers: Numbers) -> Op:
    assert not isinstance(typed.target, Scope)
    return bind_numbers(typed.target, typed.arguments, numbers)


def _calls_by_copy(typed: TypedNode) -> list[LayerCall]:
    """The call of each copy."""
    return [call for call in typed.calls for _ in range(call.count)]


def _item(value: Tensor | tuple[Tensor, ...] | None, copy: int) -> Tensor:
    """The item of a list that a copy takes."""
    assert isinstance(value, tuple)
    return value[copy]


def _next_inputs(
    outputs: Mapping[str, Tensor], inputs: Inputs, each: Collection[str]
) -> Inputs:
    """The inputs of a repeat's next copy: outputs with the same name, or else the first output as the first input.

    `each` are lists that go item by item: no output takes their place.
    """
    fed = [name for name in inputs if name not in each]
    same = [name for name in outputs if name in fed]
    pairs = [(name, name) for name in same]
    if not pairs and fed:
        pairs = [(next(iter(outputs)), fed[0])]
    following = dict(inputs)
    for name, port in pairs:
        before = inputs[port]
        rest = before[1:] if isinstance(before, tuple) else ()
        is_list = isinstance(before, tuple)
        following[port] = (outputs[name], *rest) if is_list else outputs[name]
    return following


def _as_tensor(value: Any) -> Tensor:
    assert isinstance(value, Tensor)
    return value


def _bind_dimensions(
    pattern: TypePattern, tensor: Tensor, instance: Instance
) -> dict[str, int]:
    """The sizes of a tensor, by the names that are whole dimensions of its type."""
    last = len(pattern.dims) if pattern.ellipsis is None else pattern.ellipsis
    sizes = [
        *tensor.shape[:last],
        *tensor.shape[len(tensor.shape) - len(pattern.dims) + last :],
    ]
    return {
        expr.id: size
        for expr, size in zip(pattern.dims, sizes, strict=True)
        if isinstance(expr, Variable) and expr.id not in instance.params
    }


def _input_sizes(instance: Instance) -> list[tuple[str, int, Dim]]:
    """The symbolic sizes of a network's inputs: port, axis and size."""
    return [
        (port, axis, instance.context.value(size))
        for port, kind in instance.inputs.items()
        if kind is not None
        for axis, size in enumerate(kind.shape)
    ]


def _smallest_sizes(instance: Instance) -> dict[Symbol, int]:
    """An allowed value for every symbol; weights do not depend on it."""
    domain = instance.context.domain.constraints
    symbols = {
        symbol for _, _, size in _input_sizes(instance) for symbol in size.symbols
    }
    bounds = {symbol: domain.get(symbol, Constraint()) for symbol in symbols}
    return {
        symbol: -(-bound.min // bound.multiple_of) * bound.multiple_of
        for symbol, bound in bounds.items()
    }


def _solve_sizes(instance: Instance, inputs: Mapping[str, Tensor]) -> dict[Symbol, int]:
    """The values of a network's symbols, from the sizes of its inputs; `2 * N` is solved for N."""
    sizes: dict[Symbol, int] = {}
    found = [
        (size, inputs[port].shape[axis])
        for port, axis, size in _input_sizes(instance)
        if port in inputs
    ]
    for size, number in found:
        if size.alone is not None:
            sizes[size.alone] = number
    for size, number in found:
        unknown = [symbol for symbol in size.symbols if symbol not in sizes]
        if len(unknown) == 1:
            (symbol,) = unknown
            sizes[symbol] = next(
                n
                for n in range(number + 1)
                if size.evaluate({**sizes, symbol: n}) == number
            )
    return {**_smallest_sizes(instance), **sizes}


def _register(
    state: nn.Module, name: str, layer_state: nn.Module | Tensor | None
) -> None:
    if isinstance(layer_state, nn.Module):
        state.add_module(name, layer_state)
    elif isinstance(layer_state, nn.Parameter):
        state.register_parameter(name, layer_state)
    elif layer_state is not None:
        state.register_buffer(name, layer_state)


def _tie(state: nn.Module, instance: Instance, typed: TypedNode) -> None:
    """Tie tensors of a layer, in each of its copies, to their origins."""
    if not typed.built or not typed.ties:
        return
    layer_state = getattr(state, held_name(instance, typed))
    numbered = typed.node.layer.repeat is not None and not typed.node.layer.repeat.share
    for name, path in typed.ties.items():
        origin: Any = state
        for step in path.split("."):
            word = step if hasattr(origin, step) else f"layer_{step}"
            origin = getattr(origin, word, None)
        if origin is None:  # its layer has a false `when`
            continue
        for owner in layer_state.children() if numbered else [layer_state]:
            *steps, last = name.split(".")
            setattr(owner.get_submodule(".".join(steps)), last, origin)


def _initialize_tensor(tensor: Tensor, rule: str, given: Mapping[str, Any]) -> None:
    """Initialise a tensor by a rule of the spec's `init`."""
    with torch.no_grad():
        if rule == "log_arange":
            tensor.copy_(torch.arange(1, tensor.shape[-1] + 1).log())
        elif rule == "constant":
            init.constant_(tensor, float(given["val"]))
        else:
            getattr(init, f"{rule}_")(tensor, **given)
