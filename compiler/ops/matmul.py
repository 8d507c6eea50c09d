"""Products of matrices: matmul and einsum."""

from __future__ import annotations

from compiler.codegen.python import Binary, Expr, call
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.op import Code, Op, Port, product
from compiler.op.registry import register
from compiler.ops._einsum_equation import Equation, parse_equation
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

Shape = tuple[Dim, ...]


@register("matmul", torch="torch.matmul")
class Matmul(Op):
    """The product of matrices: float[..., N, K], float[..., K, M] -> float[..., N, M].

    What comes before the last two dimensions broadcasts; a vector is taken for a row
    (on the left) or a column, which the result lacks.
    """

    inputs = (Port("input"), Port("other"))

    def infer(self, ctx: Context, input: TensorType, other: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 1)
        ctx.require_least_rank("other", other, 1)
        message = (
            "matmul needs the last dimension of input as the last but one of other"
        )
        inner = other.shape[-2:][0]
        ctx.require_equal(message, input.shape[-1], inner, "other")
        batch = ctx.broadcast(
            "matmul",
            {
                "input": input.with_shape(*input.shape[:-2]),
                "other": other.with_shape(*other.shape[:-2]),
            },
        )
        rows = input.shape[-2:-1]
        columns = other.shape[-1:] if other.rank > 1 else ()
        return input.with_shape(*batch, *rows, *columns)

    def flops(
        self, outputs: tuple[TensorType, ...], input: TensorType, other: TensorType
    ) -> Dim:
        if other.rank == 1:
            return Dim.of(0)  # torch counts no products of a matrix and a vector
        return outputs[0].numel * input.shape[-1] * 2

    def apply(self, code: Code, input: Expr, other: Expr) -> Expr:
        return Binary("@", input, other)


@register("einsum", torch="torch.einsum")
class Einsum(Op):
    """Products summed as the equation says: float[...], float[...] -> float[...].

    In `bhid, bhjd -> bhij` a letter is a dimension; one missing on the right is summed.
    """

    equation: str

    inputs = (Port("inputs", variadic=True),)

    def infer(self, ctx: Context, inputs: tuple[TensorType, ...]) -> TensorType:
        equation = parse_equation(self.equation)
        if len(equation.operands) != len(inputs):
            wanted = f"the equation is for {len(equation.operands)} inputs"
            message = f"{wanted}, and there are {len(inputs)}"
            raise errors.constraint(message, argument="equation")
        sizes: dict[str, Dim] = {}
        for place, tensor in enumerate(inputs):
            self._collect(ctx, sizes, equation, place, tensor)
        return TensorType("float", tuple(sizes[x] for x in self._result(inputs)))

    def _collect(
        self,
        ctx: Context,
        sizes: dict[str, Dim],
        equation: Equation,
        place: int,
        tensor: TensorType,
    ) -> None:
        """Bring one operand's sizes together with those of the operands before it."""
        own: dict[str, Dim] = {}
        for label, size in zip(
            equation.labels(place, tensor), tensor.shape, strict=True
        ):
            message = f"{label} stands for two sizes of one input"
            ctx.require_equal(message, own.setdefault(label, size), size, str(place))
        for label, size in own.items():
            known = sizes.get(label, Dim.of(1))
            pair = {"": tensor.with_shape(known), str(place): tensor.with_shape(size)}
            (sizes[label],) = ctx.broadcast(f"einsum over {label}", pair)

    def _result(self, inputs: tuple[TensorType, ...]) -> tuple[str, ...]:
        return parse_equation(self.equation).result(inputs)

    def flops(
        self, outputs: tuple[TensorType, ...], inputs: tuple[TensorType, ...]
    ) -> Dim:
        """From left to right, as torch does where opt_einsum is not installed."""
        equation = parse_equation(self.equation)
        named = [
            dict(zip(equation.labels(i, t), t.shape, strict=True))
            for i, t in enumerate(inputs)
        ]
        total, left = Dim.of(0), named[0]
        for place, right in enumerate(named[1:], 1):
            later = {x for sizes in named[place + 1 :] for x in sizes if sizes[x] != 1}
            kept = later | set(self._result(inputs))
            total = total + _pair_flops(left, right, kept)
            left = {x: _wider(x, left, right) for x in left | right if x in kept}
        return total

    def apply(self, code: Code, inputs: tuple[Expr, ...]) -> Expr:
        return call("torch.einsum", code.argument("equation"), *inputs)


def _pair_flops(left: dict[str, Dim], right: dict[str, Dim], kept: set[str]) -> Dim:
    """A batched product of matrices; 0 where nothing is summed over that both have."""
    summed = [x for x in left if x in right and x not in kept]
    sizes = [left[x] for x in summed if left[x] != 1 and right[x] != 1]
    open_ = (_wider(x, left, right) for x in left | right if x in kept)
    return product(open_) * product(sizes) * 2 if sizes else Dim.of(0)


def _wider(label: str, left: dict[str, Dim], right: dict[str, Dim]) -> Dim:
    """The size that the other one broadcasts to."""
    size = left.get(label, Dim.of(1))
    return right.get(label, size) if size == 1 else size
