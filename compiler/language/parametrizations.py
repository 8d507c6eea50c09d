"""`parametrize`: a weight that is computed from other tensors by torch.nn.utils.parametrizations.

The tensor leaves the state, and those that it is computed from take its place, by torch's
own names: `parametrizations.weight.original0`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from compiler.diagnostics.diagnostic import suggest
from compiler.language.choice import Choice
from compiler.op.errors import OpError
from compiler.op.op import Op, Shape, product
from compiler.symbolic.dims import Dim

PREFIX: Final = "parametrizations."
"""What the names of the tensors begin with that a weight is computed from."""

Tensors = dict[str, Shape]
_ONE = Dim.of(1)


class Parametrization(Choice):
    """A function of torch.nn.utils.parametrizations, the tensor that it computes, and its arguments."""

    noun: ClassVar[str] = "parametrization"
    example: ClassVar[str] = "parametrize: {spectral_norm: {n_power_iterations: 2}}"
    code: ClassVar[str] = "bad-parametrization"

    tensor: str = Field(default="weight", alias="name")

    @property
    def function(self) -> str:
        """The function's name in generated code."""
        return f"parametrizations.{self.name}"

    @property
    def options(self) -> dict[str, Any]:
        """The arguments in the spec, besides the tensor."""
        return {key: value for key, value in self.given.items() if key != "name"}

    @abstractmethod
    def axis(self, op: Op) -> int:
        """The dimension whose slices are normalised, or are the rows of the matrix."""

    @abstractmethod
    def tensors(self, name: str, shape: Shape, axis: int) -> tuple[Tensors, Tensors]:
        """The learned tensors and the buffers that a tensor of this shape is computed from."""


class WeightNorm(Parametrization):
    """Length and direction of each slice along `dim` (Salimans and Kingma, 2016)."""

    name: ClassVar[str] = "weight_norm"

    dim: int = 0

    def axis(self, op: Op) -> int:
        return self.dim

    def tensors(self, name: str, shape: Shape, axis: int) -> tuple[Tensors, Tensors]:
        lengths = tuple(size if k == axis else _ONE for k, size in enumerate(shape))
        return {f"{name}.original0": lengths, f"{name}.original1": shape}, {}


class SpectralNorm(Parametrization):
    """The weight divided by its largest singular value, estimated by power iteration (Miyato et al., 2018)."""

    name: ClassVar[str] = "spectral_norm"

    n_power_iterations: Annotated[int, Field(gt=0)] = 1
    eps: Annotated[float, Field(gt=0)] = 1e-12
    dim: int | None = None

    def axis(self, op: Op) -> int:
        return int("Transpose" in op.module) if self.dim is None else self.dim

    def tensors(self, name: str, shape: Shape, axis: int) -> tuple[Tensors, Tensors]:
        rest = product(size for k, size in enumerate(shape) if k != axis)
        vectors: Tensors = {f"{name}.0._u": (shape[axis],), f"{name}.0._v": (rest,)}
        return {f"{name}.original": shape}, vectors


def apply(
    given: Parametrization, op: Op, weights: Tensors, buffers: Tensors
) -> tuple[Tensors, Tensors]:
    """The learned tensors and buffers of a layer whose tensor is parametrized.

    Raises:
        OpError: if the layer has no such tensor, or it cannot be parametrized in this way.
    """
    _require_tensor(given, op, weights)
    shape = weights[given.tensor]
    dim = given.axis(op)
    if not 0 <= dim < len(shape):
        message = f"{given.tensor} has {len(shape)} dimensions, and dim is {dim}"
        raise _fault(message)
    learned, fixed = given.tensors(f"{PREFIX}{given.tensor}", shape, dim)
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
        message = f"{op.name} is no module of torch's own, whose tensors {given.name} could take"
        raise _fault(message)
    if given.tensor not in weights:
        help = suggest(given.tensor, weights) or f"its tensors are {', '.join(weights)}"
        raise _fault(f"{op.name} has no tensor {given.tensor}", help)
    if len(weights[given.tensor]) < 2:
        raise _fault(
            f"{given.name} is for matrices and kernels, and {given.tensor} has one dimension"
        )


def _fault(message: str, help: str = "") -> OpError:
    return OpError("bad-parametrization", message, argument="parametrize", help=help)
