"""Run a generated module, and compare it with what the compiler inferred and with the interpreter.

First the module runs at several sizes: every output must have the inferred shape and dtype, and
the parameter count must be the compiler's. Large networks run on the meta device, where only
shapes are computed.
Then it runs on the CPU in float64 with the interpreter's weights: names, shapes and initial
values of tensors, outputs, gradients and running statistics must agree, at several sizes of
every symbol, with and without optional inputs, in training and in evaluation mode. The same
holds for other values of the params, passed to the constructor or to the compiler. Large networks
are compared with small values of their params.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import torch
from torch import nn

from compiler.cost.costs import CostCounter
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance, TypedGraph
from compiler.program import Program
from runtime.compare_module import RAISED_BY_TORCH, ModuleComparison, described
from runtime.interpret import Interpreter, used_layers
from runtime.load import (
    accepted_params,
    build_on_meta,
    constructor_arguments,
    load_program,
)
from runtime.param_variations import (
    Values,
    compiled_with,
    other_values,
    parameter_count,
    small_values,
)
from runtime.samples import (
    DTYPES,
    SymbolSizes,
    concrete_shape,
    input_elements,
    sample_inputs,
    sample_sizes,
    smallest_sizes,
)

MAX_CPU_PARAMETERS: Final = 3_000_000
"""Networks with at most this number of parameters run on the CPU."""
MAX_CPU_ELEMENTS: Final = 2**22
"""Maximum number of elements of all inputs together, to run on the CPU."""
MANY_PASSES_FLOPS: Final = 200_000_000
"""Maximum number of FLOPs of a forward pass for which all sample sizes are run."""
MAX_FLOPS: Final = 5_000_000_000
"""Maximum number of FLOPs of a forward pass, to run on the CPU."""

Networks = Mapping[str, type[nn.Module]]


@dataclass(frozen=True)
class Verification:
    """The result of `verify`.

    Attributes:
        problems: the differences that were found, as messages.
        compared: what was compared, a line for each module.
    """

    problems: tuple[str, ...]
    compared: tuple[str, ...]


def verify_types(program: Program, most: int | None = None) -> list[str]:
    """Compare shapes, dtypes and parameter counts with the compiler's; returns the differences as messages.

    Args:
        program: what is verified.
        most: maximum number of sizes of the inputs that are tried; default: all samples.
    """
    networks = load_program(program)
    problems: list[str] = []
    for name, instance in program.typed.networks.items():
        problems += _verify_types(networks[name], instance, most)
    return problems


def verify(
    program: Program, *, compile_every: int = 1, offset: int = 0
) -> Verification:
    """Compare the generated module with what the compiler inferred and with the interpreter.

    Args:
        program: what is verified.
        compile_every: the constructor is called with all other values of the params; one in this number of them is
            compiled as well.
        offset: which of them, counted from the first.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of unusual params
        return _Verifier(program, compile_every, offset).run()


class _Verifier:
    """Runs all comparisons of one program."""

    def __init__(self, program: Program, compile_every: int, offset: int) -> None:
        self._program, self._typed = program, program.typed
        self._compile_every, self._offset = compile_every, offset
        self._problems: list[str] = []
        self._compared: list[str] = []

    def run(self) -> Verification:
        """Run all comparisons, cheap ones first; params are varied only if the types are right."""
        networks = load_program(self._program)
        for name, instance in self._typed.networks.items():
            self._problems += _verify_types(networks[name], instance)
            self._compared.append(f"{instance.scope.name}: shapes and dtypes")
        if self._problems:
            return self._result()
        base: Values = {}
        if not _is_small(self._typed):
            small = small_values(self._typed, MAX_CPU_PARAMETERS)
            if small is None or not _is_small(compiled_with(self._typed, small)):
                self._compared.append("no values: the network is too large")
                return self._result()
            base = small
            self._compare_with(networks, base, _format(base))
        else:
            for name, instance in self._typed.networks.items():
                module = self._built(networks[name], instance, "")
                self._compare(module, self._typed, name, one_size=False)
        others = other_values(compiled_with(self._typed, base))
        for number, values in enumerate(others):
            label = _format(values) + (", other params small" if base else "")
            compiled = (number - self._offset) % self._compile_every == 0
            self._compare_with(networks, {**base, **values}, label, compiled=compiled)
        return self._result()

    def _result(self) -> Verification:
        return Verification(tuple(self._problems), tuple(self._compared))

    def _compare_with(
        self, networks: Networks, values: Values, label: str, *, compiled: bool = True
    ) -> None:
        """Compare the class called with these params, and the module compiled with them, with the interpreter."""
        typed = compiled_with(self._typed, values)
        if typed.failed:
            self._check_fails(networks, values, label, typed)
            return
        if not _is_small(typed):
            return
        own = load_program(Program(typed)) if compiled else {}
        for name, instance in typed.networks.items():
            modules = self._called_with(networks[name], instance, values, label)
            if compiled:
                modules |= self._built(own[name], instance, label)
            self._compare(modules, typed, name, one_size=True)

    def _called_with(
        self, kind: type[nn.Module], instance: Instance, values: Values, label: str
    ) -> dict[str, nn.Module]:
        """The module of a class that is called with these params, by its name in messages; none if it refuses them."""
        where = f"{kind.__name__}({label})"
        if fixed := _fixed(kind, instance, values):
            self._compared.append(f"{where} is only for the compiled {fixed}")
            return {}
        try:
            torch.manual_seed(0)
            return {where: kind(**arguments_at(kind, instance, values))}
        except ValueError as error:
            self._compared.append(f"{where} raises ValueError: {error}")
        except RAISED_BY_TORCH as error:
            self._problems.append(f"{where} raises {error!r}")
        return {}

    def _built(
        self, kind: type[nn.Module], instance: Instance, label: str
    ) -> dict[str, nn.Module]:
        """The module of a class compiled with some params, by its name in messages; none if it cannot be built."""
        where = f"{kind.__name__} with {label}" if label else kind.__name__
        try:
            torch.manual_seed(0)
            return {where: kind(**constructor_arguments(kind, instance))}
        except RAISED_BY_TORCH as error:
            self._problems.append(f"{where} cannot be built: {error!r}")
            return {}

    def _check_fails(
        self, networks: Networks, values: Values, label: str, failed: TypedGraph
    ) -> None:
        """Check that classes do not run with params with which a layer that they run is wrong."""
        for name, instance in self._typed.networks.items():
            kind = networks[name]
            found = [one for one in failed.diagnostics if concerns(one, instance)]
            if not found:
                continue
            if not values.keys() <= accepted_params(kind, instance).keys():
                continue  # the class has no other values for some of them
            try:
                module = kind(**arguments_at(kind, instance, values)).eval()
                other = failed.networks.get(name, instance)  # with inputs of its sizes
                # It may fail for some sizes only, and most often for small ones.
                for sizes in (smallest_sizes(other), *sample_sizes(other)):
                    module(*sample_inputs(other, sizes, "cpu"))
            except RAISED_BY_TORCH:
                continue
            reason = f"but does not compile: {found[0].message}"
            self._problems.append(f"{kind.__name__}({label}) runs, {reason}")

    def _compare(
        self,
        modules: Mapping[str, nn.Module],
        typed: TypedGraph,
        name: str,
        *,
        one_size: bool,
    ) -> None:
        """Compare modules of one network with the interpreter, in all passes that its size allows."""

        def make_interpreter(dtype: torch.dtype, seed: int) -> Interpreter:
            return Interpreter(typed, name, seed=seed, dtype=dtype)

        if not modules:
            return
        try:
            comparison = ModuleComparison(modules, make_interpreter)
        except RAISED_BY_TORCH as error:
            self._problems += [
                f"{where}: the interpreter raises {described(error)}"
                for where in modules
            ]
            return
        for where, problems in comparison.compare_state().items():
            self._problems += [f"{where}: {problem}" for problem in problems]
        passes = list(_passes(typed, name, one_size))
        for one in passes:
            for where, problems in one.compare(comparison).items():
                self._problems += [f"{where} {one}: {problem}" for problem in problems]
        self._compared += [
            f"{where}: weights, {len(passes)} passes with gradients"
            for where in modules
        ]


@dataclass(frozen=True)
class _Pass:
    """A forward and backward pass: sizes, absent optional inputs, and mode."""

    instance: Instance
    sizes: SymbolSizes
    absent: frozenset[str] = frozenset()
    training: bool = False
    must_run: bool = True

    def compare(self, comparison: ModuleComparison) -> dict[str, list[str]]:
        return comparison.compare_pass(
            self.instance,
            self.sizes,
            self.absent,
            training=self.training,
            must_run=self.must_run,
        )

    def __str__(self) -> str:
        parts = [_format(self.sizes)] if self.sizes else []
        parts += [f"without {port}" for port in sorted(self.absent)]
        parts += ["training"] * self.training
        return f"at {', '.join(parts) or 'fixed sizes'}"


def concerns(error: Diagnostic, network: Instance) -> bool:
    """Whether an error is of what a network runs; `expect` is of the spec's own params."""
    if error.severity != "error" or error.code == "expect-mismatch":
        return False
    first, *layers = error.layers or (network.scope.name,)
    if first != network.scope.name:
        return False
    scope: object = network.scope
    for layer in layers:
        if not isinstance(scope, Scope):
            break  # a param says which block it is
        if layer not in used_layers(scope):
            return False
        scope = scope.nodes[layer].target
    return True


def _passes(typed: TypedGraph, name: str, one_size: bool) -> Iterator[_Pass]:
    """The passes to compare; of large networks at one size."""
    instance = typed.networks[name]
    samples = [
        sizes for sizes in sample_sizes(instance) if _is_computable(instance, sizes)
    ]
    cheap = all(_flops(instance, sizes) <= MANY_PASSES_FLOPS for sizes in samples)
    if one_size or not cheap:
        samples = samples[:1]
    for sizes in samples:
        yield _Pass(instance, sizes)
        yield _Pass(instance, sizes, training=True)
    patterns = instance.scope.inputs.items()
    optional = [port for port, pattern in patterns if pattern and pattern.optional]
    inferred = [frozenset(one.absent) for one in typed.bare.get(name, ())]
    sets = dict.fromkeys([*_absent_inputs(optional), *inferred])
    for absent in sets if samples else ():
        use = typed.with_inputs(name, instance.inputs.keys() - absent)
        yield _Pass(use, samples[0], absent, must_run=absent in inferred)


def _absent_inputs(optional: Sequence[str]) -> list[frozenset[str]]:
    """Sets of optional inputs to omit: all, each one, all but one."""
    everything = frozenset(optional)
    single = [frozenset({port}) for port in optional]
    sets = [everything, *single, *(everything - port for port in single)]
    return [ports for ports in dict.fromkeys(sets) if ports]


def _fixed(kind: type[nn.Module], instance: Instance, values: Values) -> str:
    """The first of these params that the class does not take, and says that it has one value; "" if there is none."""
    accepted, text = accepted_params(kind, instance), kind.__doc__ or ""
    found = (name for name in values if name not in accepted)
    return next((name for name in found if f"for {name} = " in text), "")


def arguments_at(
    kind: type[nn.Module], instance: Instance, values: Values
) -> dict[str, Any]:
    """The constructor's arguments: those with these values, and those without a default."""
    parameters = inspect.signature(kind).parameters
    return {
        argument: values.get(name, instance.params[name])
        for name, argument in accepted_params(kind, instance).items()
        if name in values or parameters[argument].default is inspect.Parameter.empty
    }


def _is_small(typed: TypedGraph) -> bool:
    """Whether the networks are small enough to run on the CPU."""
    return parameter_count(typed) <= MAX_CPU_PARAMETERS and all(
        _is_computable(instance, next(sample_sizes(instance)))
        for instance in typed.networks.values()
    )


def _is_computable(instance: Instance, sizes: SymbolSizes) -> bool:
    """Whether a network is small enough to run on the CPU at these sizes."""
    small = input_elements(instance, sizes) <= MAX_CPU_ELEMENTS
    return small and _flops(instance, sizes) <= MAX_FLOPS


def _flops(instance: Instance, sizes: SymbolSizes) -> int:
    flops = CostCounter().instance(instance).flops
    return 0 if flops is None else flops.evaluate(sizes)


def _verify_types(
    network: type[nn.Module], instance: Instance, most: int | None = None
) -> list[str]:
    """Compare the outputs' types with the inferred ones, at several sizes.

    Large networks run on the meta device, and at one size on the CPU if that is possible; small ones on the CPU.
    """
    samples = list(islice(sample_sizes(instance), most))
    computable = ParameterCounter().instance(instance) <= MAX_CPU_PARAMETERS
    computable = computable and _is_computable(instance, samples[0])
    small = computable and all(
        _is_computable(instance, sizes) and _flops(instance, sizes) <= MANY_PASSES_FLOPS
        for sizes in samples
    )
    arguments = constructor_arguments(network, instance)
    try:
        module = network(**arguments) if small else build_on_meta(network, **arguments)
    except RAISED_BY_TORCH as error:
        return [f"{instance.scope.name} cannot be built: {error}"]
    module.eval()
    problems = _verify_parameters(module, instance)
    for sizes in samples:
        device = "cpu" if small else "meta"
        problems += _verify_forward(module, instance, sizes, device)
    if computable and not small:
        on_cpu = network(**arguments).eval()
        problems += _verify_forward(on_cpu, instance, samples[0], "cpu")
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
    names = instance.scope.outputs
    if len(outputs) != len(names):
        expected = len(names)
        return [f"{where}: {len(outputs)} outputs, but inference says {expected}"]
    problems = []
    for name, tensor in zip(names, outputs, strict=True):
        found = instance.outputs.get(name)
        if found is None or tensor is None:
            if (found is None) != (tensor is None):
                there = "absent" if tensor is None else "there"
                problems.append(f"{where}: {name} is {there}")
            continue
        shape = concrete_shape(instance, found, sizes)
        if list(tensor.shape) != shape or tensor.dtype != DTYPES[found.kind]:
            actual = f"{tensor.dtype} {list(tensor.shape)}"
            inferred = f"{found.kind}{shape}"
            message = f"{where}: {name} is {actual}, but inference says {inferred}"
            problems.append(message)
    return problems


def _format_sizes(sizes: SymbolSizes) -> str:
    return _format(sizes) or "fixed sizes"


def _format(values: Values | SymbolSizes) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
