"""Run a generated module, and compare it with what the compiler inferred and with the interpreter.

First the module runs on the meta device, where only shapes are computed: every output must have the inferred shape
and dtype at several sizes, and the parameters must be as many as the compiler counts. Then it runs on the CPU, in
float64, beside the interpreter with the same weights: names, shapes and initial values of tensors, outputs, gradients
and running statistics must agree, at several sizes of every symbol, with and without optional inputs, in training and
in evaluation. The same must hold for other values of the params, given to the constructor or to the compiler. Large
networks are compared at small values of their params.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn

from compiler.cost.costs import CostCounter
from compiler.ir.counts import ParameterCounter
from compiler.ir.typed import Instance, TypedGraph
from compiler.program import Program
from runtime.comparison import RAISED_BY_TORCH, Comparison
from runtime.interpret import Interpreter
from runtime.load import constructor_arguments, load_program
from runtime.other_params import (
    Values,
    compiled_with,
    other_values,
    parameters,
    small_values,
)
from runtime.samples import (
    DTYPES,
    SymbolSizes,
    concrete_shape,
    input_elements,
    sample_inputs,
    sample_sizes,
)

MAX_CPU_PARAMETERS: Final = 3_000_000
"""Networks with at most this number of parameters run on the CPU."""
MAX_CPU_ELEMENTS: Final = 2**22
"""Maximum number of elements of all inputs together, to run on the CPU."""
MANY_PASSES_FLOPS: Final = 200_000_000
"""Maximum number of FLOPs of a forward pass at which all sample sizes are run."""
MAX_FLOPS: Final = 5_000_000_000
"""Maximum number of FLOPs of a forward pass, to run on the CPU."""

Networks = Mapping[str, type[nn.Module]]


@dataclass(frozen=True)
class Verification:
    """What is wrong, and what was compared to find it."""

    problems: tuple[str, ...]
    compared: tuple[str, ...]


def verify_types(program: Program) -> list[str]:
    """Every point in which the generated module is not what inference says: shapes, dtypes, number of parameters."""
    networks = load_program(program)
    problems: list[str] = []
    for name, instance in program.typed.networks.items():
        problems += _verify_types(networks[name], instance)
    return problems


def verify(program: Program) -> Verification:
    """Compare the generated module with inference and with the interpreter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of odd values: what comes out counts
        return _Verifier(program).run()


class _Verifier:
    def __init__(self, program: Program) -> None:
        self._program, self._typed = program, program.typed
        self._problems: list[str] = []
        self._compared: list[str] = []

    def run(self) -> Verification:
        """All comparisons, the cheap ones first; what is wrong in itself is not tried with other params."""
        networks = load_program(self._program)
        for name, instance in self._typed.networks.items():
            self._problems += _verify_types(networks[name], instance)
            self._compared.append(f"{instance.scope.name}: shapes and dtypes")
        if self._problems:
            return self._found()
        base: Values = {}
        if not _is_small(self._typed):
            small = small_values(self._typed, MAX_CPU_PARAMETERS)
            if small is None or not _is_small(compiled_with(self._typed, small)):
                self._compared.append("no numbers: the network is too large for them")
                return self._found()
            base = small
            self._with(networks, base, _format(base))
        else:
            self._numbers(networks, self._typed, "")
        for values in other_values(compiled_with(self._typed, base)):
            shown = _format(values) + (", all else small" if base else "")
            self._with(networks, {**base, **values}, shown)
        return self._found()

    def _found(self) -> Verification:
        return Verification(tuple(self._problems), tuple(self._compared))

    def _with(self, networks: Networks, values: Values, shown: str) -> None:
        """The class given these values, the module compiled with them, and the interpreter."""
        typed = compiled_with(self._typed, values)
        if typed.failed:
            first = typed.diagnostics[0]
            if first.code != "expect-mismatch":  # of the spec's own values
                self._refused(networks, values, shown, first.message)
            return
        if not _is_small(typed):
            return
        for name, instance in typed.networks.items():
            kind = networks[name]
            where = f"{kind.__name__}({shown})"
            try:
                module = kind(**_arguments(kind, instance, values))
            except ValueError as error:
                self._compared.append(f"{where} is refused: {error}")
            except RAISED_BY_TORCH as error:
                self._problems.append(f"{where} raises {error!r}")
            else:
                self._network(module, typed, name, where, few=True)
        self._numbers(load_program(Program(typed)), typed, shown)

    def _refused(
        self, networks: Networks, values: Values, shown: str, why: str
    ) -> None:
        """What does not compile is no module that runs."""
        for name, instance in self._typed.networks.items():
            kind = networks[name]
            if not any(value in inspect.signature(kind).parameters for value in values):
                continue
            try:
                module = kind(**_arguments(kind, instance, values)).eval()
                sizes = next(sample_sizes(instance))
                module(*sample_inputs(instance, sizes, "cpu"))
            except RAISED_BY_TORCH:
                continue
            message = f"{kind.__name__}({shown}) runs, and does not compile: {why}"
            self._problems.append(message)

    def _numbers(self, networks: Networks, typed: TypedGraph, shown: str) -> None:
        """The networks as compiled with some values, on real tensors."""
        for name, instance in typed.networks.items():
            kind = networks[name]
            where = f"{kind.__name__} with {shown}" if shown else kind.__name__
            try:
                torch.manual_seed(0)
                module = kind(**constructor_arguments(kind, instance))
            except RAISED_BY_TORCH as error:
                self._problems.append(f"{where} cannot be built: {error!r}")
            else:
                self._network(module, typed, name, where, few=bool(shown))

    def _network(
        self, module: nn.Module, typed: TypedGraph, name: str, where: str, *, few: bool
    ) -> None:
        """One module and the interpreter, in the ways that their size allows."""

        def interpreter(dtype: torch.dtype, seed: int) -> Interpreter:
            return Interpreter(typed, name, seed=seed, dtype=dtype)

        try:
            comparison = Comparison(module, interpreter)
        except RAISED_BY_TORCH as error:
            self._problems.append(f"{where} has no meaning: {error!r}")
            return
        found = comparison.state()
        ways = [] if found else list(_ways(typed, name, few))
        for way in ways:
            if problems := way.run(comparison):
                found = [f"{way}: {one}" for one in problems]
                break
        self._problems += [f"{where} {one}" for one in found]
        self._compared.append(f"{where}: weights, {len(ways)} passes with gradients")


@dataclass(frozen=True)
class _Way:
    """One way to run a network: sizes, which optional inputs are absent, and the mode."""

    instance: Instance
    sizes: SymbolSizes
    absent: frozenset[str] = frozenset()
    training: bool = False
    certain: bool = True

    def run(self, comparison: Comparison) -> list[str]:
        return comparison.run(
            self.instance,
            self.sizes,
            self.absent,
            training=self.training,
            certain=self.certain,
        )

    def __str__(self) -> str:
        parts = [_format(self.sizes)] if self.sizes else []
        parts += [f"without {port}" for port in sorted(self.absent)]
        parts += ["training"] * self.training
        return f"at {', '.join(parts) or 'fixed sizes'}"


def _ways(typed: TypedGraph, name: str, few: bool) -> Iterator[_Way]:
    instance, bare = typed.networks[name], typed.bare.get(name)
    at = [sizes for sizes in sample_sizes(instance) if _is_computable(instance, sizes)]
    if few or not all(_work(instance, sizes) <= MANY_PASSES_FLOPS for sizes in at):
        at = at[:1]
    for sizes in at:
        yield _Way(instance, sizes)
        yield _Way(instance, sizes, training=True)
    patterns = instance.scope.inputs.items()
    optional = [port for port, kind in patterns if kind and kind.optional]
    for absent in _absences(optional) if at else ():
        none = len(absent) == len(optional)
        use = bare if none and bare is not None else instance
        yield _Way(use, at[0], absent, certain=none)


def _absences(optional: Sequence[str]) -> list[frozenset[str]]:
    """Which inputs may be absent: all, each alone, all but one."""
    every = frozenset(optional)
    alone = [frozenset({port}) for port in optional]
    found = [every, *alone, *(every - one for one in alone)]
    return [one for one in dict.fromkeys(found) if one]


def _arguments(
    kind: type[nn.Module], instance: Instance, values: Values
) -> dict[str, Any]:
    """Of the constructor's arguments those with these values, and those without a default."""
    taken = inspect.signature(kind).parameters
    return {
        name: values.get(name, instance.params[name])
        for name, parameter in taken.items()
        if name in instance.params
        and (name in values or parameter.default is inspect.Parameter.empty)
    }


def _is_small(typed: TypedGraph) -> bool:
    """Whether real tensors can be computed."""
    return parameters(typed) <= MAX_CPU_PARAMETERS and all(
        _is_computable(instance, next(sample_sizes(instance)))
        for instance in typed.networks.values()
    )


def _is_computable(instance: Instance, sizes: SymbolSizes) -> bool:
    few = input_elements(instance, sizes) <= MAX_CPU_ELEMENTS
    return few and _work(instance, sizes) <= MAX_FLOPS


def _work(instance: Instance, sizes: SymbolSizes) -> int:
    flops = CostCounter().instance(instance).flops
    return 0 if flops is None else flops.evaluate(sizes)


def _verify_types(network: type[nn.Module], instance: Instance) -> list[str]:
    """The module on the meta device, and a small one for real: what it gives must be what inference says."""
    try:
        with torch.device("meta"):
            module = network(**constructor_arguments(network, instance)).eval()
    except RAISED_BY_TORCH as error:
        return [f"{instance.scope.name} cannot be built: {error}"]
    problems = _verify_parameters(module, instance)
    for sizes in sample_sizes(instance):
        problems += _verify_forward(module, instance, sizes, "meta")
    sizes = next(sample_sizes(instance))
    if ParameterCounter().instance(instance) <= MAX_CPU_PARAMETERS and _is_computable(
        instance, sizes
    ):
        real = network(**constructor_arguments(network, instance)).eval()
        problems += _verify_forward(real, instance, sizes, "cpu")
    return problems


def _verify_parameters(module: nn.Module, instance: Instance) -> list[str]:
    expected = ParameterCounter().instance(instance)
    actual = sum(parameter.numel() for parameter in module.parameters())
    if actual == expected:
        return []
    name = instance.scope.name
    return [f"{name} has {actual} parameters, but the compiler counts {expected}"]


def _verify_forward(
    module: nn.Module, instance: Instance, sizes: SymbolSizes, device: str
) -> list[str]:
    where = f"{instance.scope.name} at {_format_sizes(sizes)} on {device}"
    inputs = sample_inputs(instance, sizes, device)
    with torch.no_grad():
        try:
            output = module(*inputs)
        except RAISED_BY_TORCH as error:
            return [f"{where}: {error}"]
    outputs = output if isinstance(output, tuple) else (output,)
    if len(outputs) != len(instance.outputs):
        expected = len(instance.outputs)
        return [f"{where}: {len(outputs)} outputs, but inference says {expected}"]
    problems = []
    for (name, found), tensor in zip(instance.outputs.items(), outputs, strict=True):
        shape = concrete_shape(instance, found, sizes)
        if list(tensor.shape) != shape or tensor.dtype != DTYPES[found.kind]:
            actual = f"{tensor.dtype} {list(tensor.shape)}"
            inferred = f"{found.kind}{shape}"
            message = f"{where}: {name} is {actual}, but inference says {inferred}"
            problems.append(message)
    return problems


def _format_sizes(sizes: SymbolSizes) -> str:
    return _format(sizes) or "fixed sizes"


def _format(values: Values) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
