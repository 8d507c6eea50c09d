"""Trace a network with torch.export, every symbol of its inputs a dynamic dimension."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim as ExportDim
from torch.export import ExportedProgram
from torch.fx.experimental import _config as symbolic_shapes

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.ir.typed import Instance
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint
from compiler.symbolic.symbols import Symbol
from runtime.compare_module import RAISED_BY_TORCH
from runtime.samples import input_shapes, sample_inputs, symbol_constraints


def trace(instance: Instance, module: nn.Module) -> ExportedProgram:
    """Export a module of a network for all sizes that the spec's `dims` allow.

    Inputs are positional, in the order of the spec; optional inputs are included. The program holds no path of this
    machine.

    Raises:
        SpecError: if torch cannot export the network for all these sizes.
    """
    try:
        program = _traced(instance, module)
    except RAISED_BY_TORCH as error:
        raise SpecError((_diagnostic(instance, error),)) from error
    for part in program.graph_module.modules():
        if isinstance(part, torch.fx.GraphModule):
            for node in part.graph.nodes:
                node.meta.pop("stack_trace", None)
    return program


def _traced(instance: Instance, module: nn.Module) -> ExportedProgram:
    """Torch takes a size as different from 1 unless it is oblivious; some networks export only in one of both modes."""
    try:
        return _traced_in_mode(instance, module, oblivious=False)
    except RAISED_BY_TORCH as error:
        try:
            return _traced_in_mode(instance, module, oblivious=True)
        except RAISED_BY_TORCH:
            raise error from None  # the usual mode says more about the reason


def _traced_in_mode(
    instance: Instance, module: nn.Module, *, oblivious: bool
) -> ExportedProgram:
    constraints = symbol_constraints(instance)
    # Sizes of the example are different: torch takes equal ones for one size, and specialises those of 1.
    example = {
        symbol: constraint.values(3 + number)[-1]
        for number, (symbol, constraint) in enumerate(constraints.items())
    }
    smallest = {symbol: constraint.first for symbol, constraint in constraints.items()}
    with (
        warnings.catch_warnings(),
        symbolic_shapes.patch(backed_size_oblivious=oblivious),  # type: ignore[attr-defined]
    ):
        warnings.simplefilter("ignore")
        program = torch.export.export(
            module,
            tuple(sample_inputs(instance, example, "cpu")),
            dynamic_shapes=dynamic_shapes(instance),
            strict=False,
        )
        # Torch may have traced what holds for larger sizes only, and report nothing.
        inputs = sample_inputs(instance, smallest, "cpu")
        found, expected = _run(program.module(), inputs), _run(module, inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4, equal_nan=True)
    return program


def _run(module: nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    with torch.random.fork_rng(devices=()), torch.no_grad():
        torch.manual_seed(0)
        outputs = module(*inputs)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def _diagnostic(instance: Instance, error: Exception) -> Diagnostic:
    place = instance.scope.place
    span = place.span("inputs", key=True) if place.has("inputs") else place.span()
    reason = first_reason(error)
    message = f"torch cannot export {instance.scope.name} for all sizes of its inputs"
    help = "where torch needs a larger size, declare it: `dims: {B: {min: 2}}`"
    return Diagnostic("no-export", f"{message}: {reason}", span, help=help)


def first_reason(error: Exception) -> str:
    """The first thing that an error of torch's exporters reports, on one line."""
    first, *others = str(error).strip().splitlines() or [type(error).__name__]
    bullets = [line.strip(" -") for line in others if line.startswith("  - ")]
    return ": ".join((first.partition("! For more information")[0], *bullets[:1]))


def dynamic_shapes(instance: Instance) -> tuple[tuple[Any, ...], ...]:
    """For each axis of each input, a dynamic dimension of torch.export, or that it is static."""
    made = {
        symbol: _symbol(str(symbol), constraint)
        for symbol, constraint in symbol_constraints(instance).items()
    }
    shapes = input_shapes(instance)
    return tuple(tuple(_axis(size, made) for size in shape) for shape in shapes)


def _symbol(name: str, constraint: Constraint) -> Any:
    """A dimension with the bounds of the symbol, or the only size that it has."""
    step = constraint.multiple_of
    least = constraint.first // step
    most = None if constraint.max is None else constraint.max // step
    if least == most:
        return ExportDim.STATIC
    if step == 1:
        return ExportDim(name, min=least, max=most)
    return step * ExportDim(f"{name}_{step}", min=least, max=most)


def _axis(size: Dim, made: Mapping[Symbol, Any]) -> Any:
    if size.constant is not None:
        return ExportDim.STATIC
    # Torch derives the bounds of a size that is computed from symbols.
    return made.get(size.alone, ExportDim.DYNAMIC) if size.alone else ExportDim.DYNAMIC
