"""What an op finds wrong, as facts; this file words them.

A rule raises a `Fault`; inference knows where the layer stands and makes a diagnostic of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compiler.symbolic.dims import Dim
from compiler.symbolic.explain import Conditions
from compiler.symbolic.tensor import TensorType

NO_CONDITIONS = Conditions()


@dataclass
class Fault(Exception):
    """A requirement of an op that is not met.

    `port` names the input to blame and `argument` the argument; neither means the layer as a whole.
    """

    code: str
    message: str
    port: str = ""
    argument: str = ""
    help: str = ""
    label: str = ""
    conditions: Conditions = NO_CONDITIONS
    """For which sizes the requirement would be met."""


def rank_mismatch(port: str, tensor: TensorType, expected: str) -> Fault:
    """An input has another number of dimensions than the op takes."""
    message = f"{port} needs {expected}, and has {tensor.rank}"
    return Fault("rank-mismatch", message, port)


def kind_mismatch(port: str, tensor: TensorType, expected: Sequence[str]) -> Fault:
    """An input is of another dtype kind than the op takes."""
    wanted = " or ".join(expected)
    message = f"{port} needs {wanted} values, not {tensor.kind}"
    return Fault("kind-mismatch", message, port)


def shapes_differ(message: str, port: str, label: str, conditions: Conditions) -> Fault:
    """Two inputs do not go together."""
    return Fault("shape-mismatch", message, port, label=label, conditions=conditions)


def not_divisible(
    what: str, size: Dim, by: str, divisor: Dim, argument: str = ""
) -> Fault:
    """One size must be a multiple of another and is not."""
    return Fault(
        "constraint",
        f"{what} must be a multiple of {by}: {size} is not one of {divisor}",
        "",
        argument,
    )


def too_small(
    what: str, size: Dim, least: int, port: str, conditions: Conditions
) -> Fault:
    """A size can be smaller than the op works on."""
    if size.constant is not None:
        message = f"{what} is {size}, and must be at least {least}"
    else:
        message = f"{what} is {size}, which can be smaller than {least}"
    return Fault("size-too-small", message, port, conditions=conditions)


def bad_axis(axis: int, rank: int, argument: str = "dim") -> Fault:
    """A dimension's number is out of range."""
    message = f"{argument} {axis} is out of range for a tensor of {_count(rank)}"
    return Fault(
        "constraint",
        message,
        "",
        argument,
        help=f"it goes from {-rank} to {rank - 1}" if rank else "",
    )


def not_constant(what: str, value: Dim, argument: str = "") -> Fault:
    """A value depends on the size of the input, and must be known when the network is built."""
    return Fault(
        "not-constant",
        f"{what} must be known when the network is built, and is {value}",
        "",
        argument,
    )


def symbolic_weight(what: str, value: Dim, port: str) -> Fault:
    """A tensor of weights would depend on the size of the input."""
    symbols = " and ".join(sorted(value.symbols))
    known = "are only known" if len(value.symbols) > 1 else "is only known"
    return Fault(
        "symbolic-weight",
        f"{what} would be {value}: weights cannot depend on {symbols}, which {known} when the network runs",
        port,
        help=f"fix {symbols} in the inputs, or reduce over it first (adaptive pooling, a mean over the dimension)",
    )


def nameless(what: str) -> Fault:
    """A size that `...` stands for is needed to make a tensor."""
    return Fault(
        "unbound-dimension",
        f"{what} is one of the dimensions that `...` stands for, which have no names",
        help="give the dimension a name, as D has in float[..., D]",
    )


def constraint(
    message: str,
    *,
    argument: str = "",
    port: str = "",
    help: str = "",
    conditions: Conditions = NO_CONDITIONS,
) -> Fault:
    """A requirement between arguments and inputs, in the op's own words."""
    return Fault("constraint", message, port, argument, help, "", conditions)


def _count(rank: int) -> str:
    return "1 dimension" if rank == 1 else f"{rank} dimensions"


def absent_input(port: str) -> Fault:
    """An input that the op needs is an optional input of the block, left out in this call."""
    return Fault(
        "missing-input",
        f"{port} needs a value, and this optional input is left out here",
        port,
    )
