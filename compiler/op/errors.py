"""What an op finds wrong, as facts; this file words them.

A rule raises a `OpError`; inference knows where the layer stands and makes a diagnostic of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.dataclass import dataclass
from compiler.symbolic.dims import Dim
from compiler.symbolic.explain import Conditions
from compiler.symbolic.tensor import TensorType

NO_CONDITIONS = Conditions()


@dataclass
class OpError(Exception):
    """A requirement of an op that is not met.

    `port` names the input to blame and `argument` the argument; neither means the layer as a whole. An input of a
    variadic port goes by its number.
    """

    code: str
    message: str
    port: str = ""
    argument: str = ""
    help: str = ""
    label: str = ""
    conditions: Conditions = NO_CONDITIONS
    """For which sizes the requirement would be met."""
    of_port: bool = False
    """Whether the message is what is said of the port, whose name stands before it."""

    def worded(self, port: str) -> str:
        """The message, where the port has this name."""
        return f"{port} {self.message}" if self.of_port else self.message


def rank_mismatch(port: str, tensor: TensorType, expected: str) -> OpError:
    """An input has another number of dimensions than the op takes."""
    message = f"needs {expected}, and has {tensor.rank}"
    return OpError("rank-mismatch", message, port, of_port=True)


def kind_mismatch(port: str, tensor: TensorType, expected: Sequence[str]) -> OpError:
    """An input is of another dtype kind than the op takes."""
    wanted = " or ".join(expected)
    message = f"needs {wanted} values, not {tensor.kind}"
    return OpError("kind-mismatch", message, port, of_port=True)


def shapes_differ(
    message: str, port: str, label: str, conditions: Conditions
) -> OpError:
    """Two inputs do not go together."""
    return OpError("shape-mismatch", message, port, label=label, conditions=conditions)


def not_divisible(
    what: str, size: Dim, by: str, divisor: Dim, argument: str = "", port: str = ""
) -> OpError:
    """One size must be a multiple of another and is not."""
    return OpError(
        "constraint",
        f"{what} must be a multiple of {by}: {size} is not one of {divisor}",
        port,
        argument,
    )


def too_small(
    what: str, size: Dim, least: int, port: str, conditions: Conditions
) -> OpError:
    """A size can be smaller than the op works on."""
    if size.constant is not None:
        message = f"{what} is {size}, and must be at least {least}"
    else:
        message = f"{what} is {size}, which can be smaller than {least}"
    return OpError("size-too-small", message, port, conditions=conditions)


def bad_axis(axis: int, rank: int, argument: str = "dim") -> OpError:
    """A dimension's number is out of range."""
    message = f"{argument} {axis} is out of range for a tensor of {_count(rank)}"
    return OpError(
        "constraint",
        message,
        "",
        argument,
        help=f"it goes from {-rank} to {rank - 1}" if rank else "",
    )


def not_constant(what: str, value: Dim, argument: str = "") -> OpError:
    """A value depends on the size of the input, and must be known when the network is built."""
    return OpError(
        "not-constant",
        f"{what} must be known when the network is built, and is {value}",
        "",
        argument,
    )


def symbolic_weight(what: str, value: Dim, port: str) -> OpError:
    """A tensor of weights would depend on the size of the input."""
    symbols = " and ".join(map(str, sorted(value.symbols)))
    known = "are only known" if len(value.symbols) > 1 else "is only known"
    return OpError(
        "symbolic-weight",
        f"{what} would be {value}: weights cannot depend on {symbols}, which {known} when the network runs",
        port,
        help=f"fix {symbols} in the inputs, or reduce over it first (adaptive pooling, a mean over the dimension)",
    )


def nameless(what: str) -> OpError:
    """A size that `...` stands for is needed to make a tensor."""
    return OpError(
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
) -> OpError:
    """A requirement between arguments and inputs, in the op's own words."""
    return OpError("constraint", message, port, argument, help, "", conditions)


def _count(rank: int) -> str:
    return "1 dimension" if rank == 1 else f"{rank} dimensions"


def absent_input(port: str) -> OpError:
    """An input that the op needs is an optional input of the block, left out in this call."""
    return OpError(
        "missing-input",
        f"{port} needs a value, and this optional input is left out here",
        port,
        help="a layer runs only where an input is given with when: given(mask), and else: null or a value",
    )


def nothing_to_pass_on(port: str) -> OpError:
    """An optional input that is left out in this call, and that a layer that is off passes on."""
    return OpError(
        "missing-input",
        "it does not run here, and the optional input that it passes on is left out",
        port,
        help="where it may be absent, too, write else: null",
    )
