"""`parametrize`: a weight that is computed from others each time, by torch.nn.utils.parametrizations.

The tensor leaves the state, and those that it is computed from take its place, by torch's
own names: `parametrizations.weight.original0`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import PydanticCustomError

from compiler.diagnostics.diagnostic import suggest
from compiler.op.errors import OpError
from compiler.op.op import Op, Shape, product
from compiler.symbolic.dims import Dim

PREFIX: Final = "parametrizations."
"""What the names of the tensors begin with that a weight is computed from."""

Tensors = dict[str, Shape]
_ONE = Dim.of(1)


@dataclass(frozen=True, slots=True)
class Parametrization:
    """`{weight_norm: {dim: 0}}`: a function of torch.nn.utils.parametrizations, the tensor, and its arguments."""

    kind: str
    tensor: str = "weight"
    arguments: tuple[tuple[str, int | float], ...] = ()

    @property
    def function(self) -> str:
        """The function as generated code names it."""
        return f"parametrizations.{self.kind}"

    def dim(self, op: Op) -> int:
        """The dimension whose slices are normalised each, or form the rows of the matrix."""
        transposed = self.kind == "spectral_norm" and "Transpose" in op.module
        return int(dict(self.arguments).get("dim", 1 if transposed else 0))


def apply(
    given: Parametrization, op: Op, weights: Tensors, buffers: Tensors
) -> tuple[Tensors, Tensors]:
    """The learned tensors and buffers of a layer whose tensor is parametrized.

    Raises:
        OpError: where the layer has no such tensor, or one that cannot be parametrized so.
    """
    _require_tensor(given, op, weights)
    shape = weights[given.tensor]
    dim = given.dim(op)
    if not 0 <= dim < len(shape):
        message = f"{given.tensor} has {len(shape)} dimensions, and dim is {dim}"
        raise _fault(message)
    learned, fixed = _KINDS[given.kind].tensors(f"{PREFIX}{given.tensor}", shape, dim)
    rest = {name: size for name, size in weights.items() if name != given.tensor}
    return rest | learned, buffers | fixed


def refuse(block: str) -> OpError:
    """A block has no tensors of its own."""
    help = "`parametrize` stands at the layers inside"
    return _fault(f"{block} is a block: it has no tensors of its own", help)


def _require_tensor(
    given: Parametrization, op: Op, weights: Mapping[str, Shape]
) -> None:
    if not op.module.startswith("nn."):
        message = f"{op.name} is no module of torch's own, whose tensors {given.kind} could take"
        raise _fault(message)
    if given.tensor not in weights:
        help = suggest(given.tensor, weights) or f"its tensors are {', '.join(weights)}"
        raise _fault(f"{op.name} has no tensor {given.tensor}", help)
    if len(weights[given.tensor]) < 2:
        raise _fault(
            f"{given.kind} is for matrices and kernels, and {given.tensor} has one dimension"
        )


def _fault(message: str, help: str = "") -> OpError:
    return OpError("bad-parametrization", message, argument="parametrize", help=help)


def _weight_norm(name: str, shape: Shape, dim: int) -> tuple[Tensors, Tensors]:
    """Length and direction of each slice (Salimans and Kingma, 2016)."""
    lengths = tuple(size if axis == dim else _ONE for axis, size in enumerate(shape))
    return {f"{name}.original0": lengths, f"{name}.original1": shape}, {}


def _spectral_norm(name: str, shape: Shape, dim: int) -> tuple[Tensors, Tensors]:
    """The weight, and the singular vectors as they were last estimated (Miyato et al., 2018)."""
    rest = product(size for axis, size in enumerate(shape) if axis != dim)
    vectors: Tensors = {f"{name}.0._u": (shape[dim],), f"{name}.0._v": (rest,)}
    return {f"{name}.original": shape}, vectors


@dataclass(frozen=True, slots=True)
class _Kind:
    tensors: Callable[[str, Shape, int], tuple[Tensors, Tensors]]
    arguments: tuple[str, ...]


_KINDS: Final = {
    "weight_norm": _Kind(_weight_norm, ("dim",)),
    "spectral_norm": _Kind(_spectral_norm, ("n_power_iterations", "eps", "dim")),
}
KINDS: Final = {kind: found.arguments for kind, found in _KINDS.items()}
"""Name (torch's) -> arguments (torch's own, besides `name`, the tensor)."""


def parse_parametrization(value: Any) -> Parametrization:
    """Read `weight_norm`, or `{spectral_norm: {name: weight, n_power_iterations: 2}}`."""
    if isinstance(value, str):
        value = {value: {}}
    if not isinstance(value, dict) or len(value) != 1:
        example = "{spectral_norm: {n_power_iterations: 2}}"
        raise _wrong(
            f"parametrize is a name, or one name with its arguments: {example}"
        )
    ((kind, given),) = value.items()
    if kind not in KINDS:
        help = suggest(kind, KINDS) or f"known are {', '.join(KINDS)}"
        raise _wrong(f"{kind} is not a parametrization", help=help)
    if not isinstance(given, dict):
        raise _wrong(f"{kind} takes named arguments", kind)
    tensor = given.get("name", "weight")
    if not isinstance(tensor, str):
        raise _wrong("name is the name of a tensor", kind, "name")
    numbers = (
        (key, _number(kind, key, one)) for key, one in given.items() if key != "name"
    )
    return Parametrization(kind, tensor, tuple(numbers))


def _number(kind: str, key: str, value: Any) -> int | float:
    if key not in KINDS[kind]:
        takes = ", ".join(("name", *KINDS[kind]))
        raise _wrong(
            f"{kind} has no argument {key}", kind, help=f"{kind} takes {takes}"
        )
    if isinstance(value, bool) or not isinstance(value, float if key == "eps" else int):
        number = "a number" if key == "eps" else "an integer"
        raise _wrong(f"{key} must be {number}", kind, key)
    if key != "dim" and value <= 0:
        raise _wrong(f"{key} must be positive", kind, key)
    return value


def _wrong(message: str, *at: str, help: str = "") -> PydanticCustomError:
    context = {"message": message, "at": at, "help": help}
    return PydanticCustomError("bad-parametrization", "{message}", context)
