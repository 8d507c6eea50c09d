"""The meaning of a graph: each layer run alone, on real tensors, in the order of its scope.

This is what generated code is compared with, so it shares nothing with lowering: it knows no class, no argument of a
constructor, no variable and no merging of uses. A scope is a dictionary from its layers to their tensors. For each
run of a layer the op writes its own expression for the numbers of that run, and that one expression is evaluated.
Copies, conditions, groups, sharing, ties, scans and optional inputs are plain Python here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import init

from compiler.checkpoint.tensors import held_name
from compiler.expr.syntax import Variable
from compiler.ir.graph import Ref, Scope
from compiler.ir.typed import Instance, LayerCall, TypedGraph, TypedNode
from compiler.language.initializers import Initializer
from compiler.op.context import Context
from compiler.op.op import Op, as_tuple
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.evaluate import evaluate
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.tensor import TensorType, TypePattern
from runtime.run_op import Numbers, OpRun, concrete, type_of

Given = Mapping[str, Tensor | tuple[Tensor, ...] | None]
"""The inputs of a layer by port."""


class Meaningless(Exception):
    """A layer that does not give, on these tensors, what its op's own rule says."""


class Interpreter:
    """One network of a graph, with weights of its own under the names of its state_dict.

    Weights are drawn after `torch.manual_seed(seed)`. Floats have one dtype, float64 unless said otherwise.
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
        self._sizes: dict[str, int] = _least_sizes(instance)
        torch.manual_seed(seed)
        self._state = self._build(instance, self._numbers(instance)).to(dtype)

    def state_dict(self) -> dict[str, Tensor]:
        """All weights and buffers by name; tied ones under each of their names."""
        return dict(self._state.state_dict())

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over weights and buffers, all of them."""
        self._state.load_state_dict(dict(state))

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters by name, tied ones once."""
        return dict(self._state.named_parameters())

    def train(self, mode: bool = True) -> Interpreter:
        """Run as in training, or as in evaluation."""
        self._state.train(mode)
        return self

    def __call__(self, **inputs: Tensor) -> dict[str, Tensor]:
        """The outputs by name, from the inputs by name; optional ones may be left out."""
        instance = self._typed.networks[self._network]
        bare = self._typed.bare.get(self._network)
        if bare is not None and not any(
            port in inputs for port, kind in bare.inputs.items() if kind is None
        ):
            instance = bare
        self._sizes = _measured(instance, inputs)
        return self._scope(instance, self._state, self._numbers(instance), inputs)

    # Building: the modules and tensors that hold weights or buffers, by path.

    def _build(self, instance: Instance, numbers: Numbers) -> nn.Module:
        state = nn.Module()
        for typed in instance.nodes.values():
            if typed.node.shared or not typed.calls:
                continue
            name, repeat = held_name(instance, typed), typed.node.layer.repeat
            if repeat is None or repeat.share:
                _hold(state, name, self._built(instance, typed, 0, numbers))
                continue
            copies = nn.Module()
            for copy in range(typed.count):
                _hold(copies, str(copy), self._built(instance, typed, copy, numbers))
            _hold(state, name, copies)
        for typed in instance.nodes.values():
            _tie(state, instance, typed)
        return state

    def _built(
        self, instance: Instance, typed: TypedNode, copy: int, numbers: Numbers
    ) -> nn.Module | Tensor | None:
        call = _copies(typed)[copy]
        if typed.node.layer.repeat is not None:
            numbers = {**numbers, COUNTER: copy}
        if call.instance is not None:
            return self._build(call.instance, self._inner(call.instance, numbers))
        types = {
            port: self._types(instance, kind) for port, kind in call.inputs.items()
        }
        op = _op(typed, numbers)
        types = {port.name: types.get(port.name) for port in op.inputs}
        if not op.weights(**types) and not op.buffers(**types):
            return None
        run = OpRun(op, types)
        module: nn.Module | Tensor = run.constructed(typed.node.layer.parametrize)
        if typed.node.layer.parametrize is None:
            self._initialize(typed, op, module, run)
        return module

    def _types(self, instance: Instance, kind: Any) -> Any:
        if isinstance(kind, tuple):
            return tuple(self._types(instance, item) for item in kind)
        if kind is None:
            return None
        sizes = [
            instance.context.value(size).evaluate(self._sizes) for size in kind.shape
        ]
        return kind.with_shape(*sizes)

    def _initialize(self, typed: TypedNode, op: Op, held: Any, run: OpRun) -> None:
        """By the layer's own rules, else by those of its op; tied tensors go by their origin's."""
        by_op = self._typed.graph.spec.init.get(op.name, {})
        for name, rule in {**by_op, **(typed.node.layer.init or {})}.items():
            tensor = held
            for step in name.split(".") if isinstance(held, nn.Module) else ():
                tensor = getattr(tensor, step, None)
            if isinstance(tensor, Tensor):
                _draw(tensor, rule)
        if by_op or typed.node.layer.init:
            run.restore(held)

    # Running.

    def _numbers(self, instance: Instance) -> dict[str, Any]:
        return {name: self._number(value) for name, value in instance.values.items()}

    def _number(self, value: Any) -> Any:
        if isinstance(value, Dim):
            return value.evaluate(self._sizes)
        return tuple(map(self._number, value)) if isinstance(value, tuple) else value

    def _inner(self, instance: Instance, outer: Numbers) -> dict[str, Any]:
        """A group sees the names around it, a block its own alone."""
        if instance.scope.kind == "group":
            return dict(outer)
        return self._numbers(instance)

    def _scope(
        self, instance: Instance, state: nn.Module, numbers: Numbers, inputs: Given
    ) -> dict[str, Tensor]:
        frame = _Frame(instance, state, dict(numbers))
        for port, pattern in instance.scope.inputs.items():
            tensor = inputs.get(port)
            frame.values[port, ""] = tensor
            if isinstance(tensor, Tensor) and pattern is not None:
                frame.numbers |= _dimensions(pattern, tensor, instance)
        needed = _needed(instance)
        for typed in (node for node in instance.nodes.values() if node in needed):
            outputs = self._layer(frame, typed)
            first = next(iter(outputs.values()))
            frame.values[typed.node.name, ""] = first
            for port, tensor in outputs.items():
                frame.values[typed.node.name, port] = tensor
        return {name: frame.value(ref) for name, ref in instance.scope.outputs.items()}

    def _layer(self, frame: _Frame, typed: TypedNode) -> Mapping[str, Any]:
        given = {
            port: tuple(map(frame.value, ref))
            if isinstance(ref, tuple)
            else frame.value(ref)
            for port, ref in typed.inputs.items()
        }
        if not typed.calls or frame.is_off(typed.node.shared):
            first = next(iter(given.values()))
            return {"output": first[0] if isinstance(first, tuple) else first}
        held = frame.held(typed.node.shared or typed.node.name)
        if typed.scan is not None:
            return self._scan(frame, typed, held, given)
        repeat = typed.node.layer.repeat
        if repeat is None:
            return self._once(frame, typed, 0, held, given, frame.numbers)
        return self._repeat(frame, typed, held, given)

    def _repeat(
        self, frame: _Frame, typed: TypedNode, held: Any, given: Given
    ) -> dict[str, Tensor]:
        repeat = typed.node.layer.repeat
        assert repeat is not None
        every: list[Mapping[str, Tensor]] = []
        for copy in range(typed.count):
            numbers = {**frame.numbers, COUNTER: copy}
            own = held if repeat.share else getattr(held, str(copy), None)
            every.append(self._once(frame, typed, copy, own, given, numbers))
            given = _fed(every[-1], given)
        stacks = {
            name: torch.stack([outputs[port] for outputs in every])
            for name, port in repeat.stack.items()
        }
        return {**every[-1], **stacks}

    def _once(
        self,
        frame: _Frame,
        typed: TypedNode,
        copy: int,
        held: Any,
        given: Given,
        numbers: Numbers,
    ) -> dict[str, Tensor]:
        if not isinstance(typed.target, Scope):
            return self._op(frame, typed, held, given, numbers)
        instance = _copies(typed)[copy].instance
        assert instance is not None and isinstance(held, nn.Module)
        return self._scope(instance, held, self._inner(instance, numbers), given)

    def _op(
        self, frame: _Frame, typed: TypedNode, held: Any, given: Given, numbers: Numbers
    ) -> dict[str, Tensor]:
        op = _op(typed, numbers)
        values = {port.name: given.get(port.name) for port in op.inputs}
        types = {port: type_of(value) for port, value in values.items()}
        run = OpRun(op, types, frame.state.training)
        if held is None:
            held = run.constructed(typed.node.layer.parametrize)
            if isinstance(held, nn.Module):
                held = held.to(self._dtype).train(frame.state.training)
            elif isinstance(held, Tensor) and held.is_floating_point():
                held = held.to(self._dtype)
        outputs = run.applied(held, values)
        self._check(frame, typed, as_tuple(op.infer(Context(), **types)), outputs)
        return outputs

    def _check(
        self,
        frame: _Frame,
        typed: TypedNode,
        wanted: tuple[TensorType, ...],
        outputs: Mapping[str, Tensor],
    ) -> None:
        """What comes out must be what the op's rule says of these inputs, floats in the network's dtype."""
        where = f"{frame.instance.scope.name}.{typed.node.name}"
        for kind, (port, tensor) in zip(wanted, outputs.items(), strict=True):
            if not isinstance(tensor, Tensor):
                raise Meaningless(f"{where}.{port} is no tensor but {type(tensor)}")
            if type_of(tensor) != kind:
                found = f"{tensor.dtype}{list(tensor.shape)}"
                raise Meaningless(f"{where}.{port} is {found}, and its op says {kind}")

    def _scan(
        self, frame: _Frame, typed: TypedNode, held: Any, given: Given
    ) -> dict[str, Tensor]:
        scan = typed.scan
        assert scan is not None
        states = {name: self._start(frame, typed, name, given) for name in scan.carry}
        port = next(iter(scan.axes))
        length = _tensor(given[port]).shape[scan.axes[port]]
        steps = range(length)
        every: list[Mapping[str, Tensor]] = []
        for t in reversed(steps) if typed.node.layer.reverse else steps:
            inputs = {
                port: _tensor(value).select(scan.axes[port], t)
                if port in scan.axes
                else value
                for port, value in given.items()
            }
            step = {**inputs, **states}
            every.append(self._once(frame, typed, 0, held, step, frame.numbers))
            states = {name: every[-1][name] for name in states}
        if typed.node.layer.reverse:
            every.reverse()
        gathered = {
            port: torch.stack(
                [step[port] for step in every], dim=min(scan.axis, every[0][port].ndim)
            )
            for port in every[0]
            if port not in states
        }
        return {**gathered, **states}

    def _start(
        self, frame: _Frame, typed: TypedNode, name: str, given: Given
    ) -> Tensor:
        """A state before the first step."""
        carry, scan = typed.node.carry[name], typed.scan
        if carry.ref is not None:
            return _tensor(frame.value(carry.ref))
        assert scan is not None
        shape: list[Any] = [evaluate(size, frame.numbers) for size in carry.shape]
        fill = torch.zeros if carry.fill == "zeros" else torch.ones
        like = _tensor(given[next(iter(scan.axes))])
        dtype = {"float": self._dtype, "int": torch.int64, "bool": torch.bool}
        return fill(shape, dtype=dtype[scan.carry[name].kind], device=like.device)


@dataclass
class _Frame:
    """A scope while it runs: its numbers, its weights, and the tensors so far."""

    instance: Instance
    state: nn.Module
    numbers: dict[str, Any]
    values: dict[tuple[str, str], Any] = field(default_factory=dict)

    def value(self, ref: Ref) -> Any:
        return self.values[ref.node, ref.port]

    def held(self, layer: str) -> Any:
        """The weights of a layer; None where it has none."""
        typed = self.instance.nodes[layer]
        return getattr(self.state, held_name(self.instance, typed), None)

    def is_off(self, layer: str) -> bool:
        """Whether a layer, if one is named, does not run here."""
        return bool(layer) and not self.instance.nodes[layer].calls


def _needed(instance: Instance) -> set[TypedNode]:
    """The layers that outputs depend on; what nobody reads does not run."""
    found: set[TypedNode] = set()
    pending = list(instance.scope.outputs.values())
    while pending:
        typed = instance.nodes.get(pending.pop().node)
        if typed is not None and typed not in found:
            found.add(typed)
            pending += [ref for _, ref in typed.node.refs()]
    return found


def _op(typed: TypedNode, numbers: Numbers) -> Op:
    assert not isinstance(typed.target, Scope)
    return concrete(typed.target, typed.arguments, numbers)


def _copies(typed: TypedNode) -> list[LayerCall]:
    """The run of each copy."""
    return [call for call in typed.calls for _ in range(call.count)]


def _fed(outputs: Mapping[str, Tensor], given: Given) -> Given:
    """The inputs of the next copy: outputs by name, where no name agrees the first for the first."""
    same = [name for name in outputs if name in given]
    pairs = [(name, name) for name in same] or [
        (next(iter(outputs)), next(iter(given)))
    ]
    following = dict(given)
    for name, port in pairs:
        before = given[port]
        rest = before[1:] if isinstance(before, tuple) else ()
        is_list = isinstance(before, tuple)
        following[port] = (outputs[name], *rest) if is_list else outputs[name]
    return following


def _tensor(value: Any) -> Tensor:
    assert isinstance(value, Tensor)
    return value


def _dimensions(
    pattern: TypePattern, tensor: Tensor, instance: Instance
) -> dict[str, int]:
    """The names that stand alone in the type of an input, with the sizes of the tensor there."""
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


def _symbols(instance: Instance) -> list[tuple[str, int, Dim]]:
    """The sizes of a network's inputs: port, axis and size in its symbols."""
    return [
        (port, axis, instance.context.value(size))
        for port, kind in instance.inputs.items()
        if kind is not None
        for axis, size in enumerate(kind.shape)
    ]


def _least_sizes(instance: Instance) -> dict[str, int]:
    """An admitted value for every symbol: weights do not depend on which."""
    domain = instance.context.domain.constraints
    symbols = {symbol for _, _, size in _symbols(instance) for symbol in size.symbols}
    bounds = {symbol: domain.get(symbol, Constraint()) for symbol in symbols}
    return {
        symbol: -(-bound.min // bound.multiple_of) * bound.multiple_of
        for symbol, bound in bounds.items()
    }


def _measured(instance: Instance, inputs: Mapping[str, Tensor]) -> dict[str, int]:
    """The symbols of a network, from the sizes of its inputs; `2 * N` is solved for N."""
    sizes: dict[str, int] = {}
    found = [
        (size, inputs[port].shape[axis])
        for port, axis, size in _symbols(instance)
        if port in inputs
    ]
    for size, number in found:
        if size.symbols == {str(size)}:
            sizes[str(size)] = number
    for size, number in found:
        unknown = [symbol for symbol in size.symbols if symbol not in sizes]
        if len(unknown) == 1:
            (symbol,) = unknown
            sizes[symbol] = next(
                n
                for n in range(number + 1)
                if size.evaluate({**sizes, symbol: n}) == number
            )
    return {**_least_sizes(instance), **sizes}


def _hold(state: nn.Module, name: str, held: nn.Module | Tensor | None) -> None:
    if isinstance(held, nn.Module):
        state.add_module(name, held)
    elif isinstance(held, nn.Parameter):
        state.register_parameter(name, held)
    elif held is not None:
        state.register_buffer(name, held)


def _tie(state: nn.Module, instance: Instance, typed: TypedNode) -> None:
    """Make tensors of a layer, in each of its copies, one with those that they are tied to."""
    if not typed.calls or not typed.ties:
        return
    held = getattr(state, held_name(instance, typed))
    numbered = typed.node.layer.repeat is not None and not typed.node.layer.repeat.share
    for name, path in typed.ties.items():
        origin: Any = state
        for step in path.split("."):
            word = step if hasattr(origin, step) else f"layer_{step}"
            origin = getattr(origin, word, None)
        if origin is None:  # it is off
            continue
        for owner in held.children() if numbered else [held]:
            *steps, last = name.split(".")
            setattr(owner.get_submodule(".".join(steps)), last, origin)


def _draw(tensor: Tensor, rule: Initializer) -> None:
    """Initialise a tensor by a rule of the spec."""
    with torch.no_grad():
        if rule.name == "log_arange":
            tensor.copy_(torch.arange(1, tensor.shape[-1] + 1).log())
        elif rule.name == "constant":
            init.constant_(tensor, float(rule.given["val"]))
        else:
            getattr(init, f"{rule.name}_")(tensor, **rule.given)
