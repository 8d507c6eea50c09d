"""Matrix products: matmul and einsum."""

from __future__ import annotations

from typing import Final

from compiler.codegen.python import Binary, Expr, call
from compiler.op import errors
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import contraction
from compiler.op.op import Code, Colour, Op, Port, product
from compiler.op.registry import register
from compiler.ops._einsum_equation import Equation, parse_equation
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "blue"

Shape = tuple[Dim, ...]


@register("matmul", torch="torch.matmul")
class Matmul(Op):
    """Matrix product: float[..., N, K], float[..., K, M] -> float[..., N, M].

    Leading dimensions broadcast. A 1D left operand is a row, a 1D right operand a
    column; the result does not have that dimension.
    """

    inputs = (Port("input"), Port("other"))
    column_ports = None

    def infer(self, ctx: Context, input: TensorType, other: TensorType) -> TensorType:
        ctx.require_least_rank("input", input, 1)
        ctx.require_least_rank("other", other, 1)
        message = (
            "matmul needs the last size of input to equal the second-to-last of other"
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

    @flow_rule("contraction")
    def flow(self, call: FlowCall) -> Dependence:
        """Rows and columns stay; over T that is contracted, a mask of 0 must leave a window."""
        left, right = call.type("input"), call.type("other")
        batch = [f"batch {n}" for n in range(max(left.rank, right.rank) - 2, 0, -1)]
        first = [*batch[len(batch) - max(left.rank - 2, 0) :], "row", "inner"]
        second = [*batch[len(batch) - max(right.rank - 2, 0) :], "inner", "column"]
        rows = ["row"] if left.rank > 1 else []
        columns = ["column"] if right.rank > 1 else []
        labels = (tuple(first[-left.rank :]), tuple(second[: right.rank]))
        result = (*batch, *rows, *columns)
        return contraction(call, labels, result, f"{self.name} sums over T")

    def flops(
        self, outputs: tuple[TensorType, ...], input: TensorType, other: TensorType
    ) -> Dim:
        if other.rank == 1:
            return Dim.of(0)  # torch does not count matrix-vector products
        return outputs[0].numel * input.shape[-1] * 2

    def apply(self, code: Code, input: Expr, other: Expr) -> Expr:
        return Binary("@", input, other)


@register("einsum", torch="torch.einsum")
class Einsum(Op):
    """Sum of products in Einstein notation: float[...], float[...], ... -> float[...].

    In `bhid, bhjd -> bhij`, each letter is a dimension; letters that are missing on the
    right are summed over.
    """

    equation: str

    inputs = (Port("inputs", variadic=True),)
    column_ports = None

    def infer(self, ctx: Context, inputs: tuple[TensorType, ...]) -> TensorType:
        equation = parse_equation(self.equation)
        if len(equation.operands) != len(inputs):
            wanted = f"the equation has {len(equation.operands)} operands"
            message = f"{wanted}, but there are {len(inputs)} inputs"
            raise errors.constraint(message, argument="equation")
        sizes: dict[str, Dim] = {}
        for i, tensor in enumerate(inputs):
            self._collect(ctx, sizes, equation, i, tensor)
        return TensorType("float", tuple(sizes[x] for x in self._result(inputs)))

    @flow_rule("contraction")
    def flow(self, call: FlowCall) -> Dependence:
        """Names on the right stay; over T that is contracted, a mask of 0 must leave a window."""
        equation = parse_equation(self.equation)
        kinds = [kind for _, kind in call.operands()]
        labels = tuple(equation.labels(n, kind) for n, kind in enumerate(kinds))
        return contraction(
            call, labels, self._result(tuple(kinds)), "einsum sums over T"
        )

    def _collect(
        self,
        ctx: Context,
        sizes: dict[str, Dim],
        equation: Equation,
        index: int,
        tensor: TensorType,
    ) -> None:
        """Combine one operand's sizes with those of the operands before it."""
        own: dict[str, Dim] = {}
        for label, size in zip(
            equation.labels(index, tensor), tensor.shape, strict=True
        ):
            message = f"{label} has two different sizes in one input"
            ctx.require_equal(message, own.setdefault(label, size), size, str(index))
        for label, size in own.items():
            known = sizes.get(label, Dim.of(1))
            pair = {"": tensor.with_shape(known), str(index): tensor.with_shape(size)}
            (sizes[label],) = ctx.broadcast(f"einsum over {label}", pair)

    def _result(self, inputs: tuple[TensorType, ...]) -> tuple[str, ...]:
        return parse_equation(self.equation).result(inputs)

    def flops(
        self, outputs: tuple[TensorType, ...], inputs: tuple[TensorType, ...]
    ) -> Dim:
        """Operands are multiplied from left to right, as torch does without opt_einsum."""
        equation = parse_equation(self.equation)
        named = [
            dict(zip(equation.labels(i, t), t.shape, strict=True))
            for i, t in enumerate(inputs)
        ]
        total, left = Dim.of(0), named[0]
        for i, right in enumerate(named[1:], 1):
            later = {x for sizes in named[i + 1 :] for x in sizes if sizes[x] != 1}
            kept = later | set(self._result(inputs))
            total = total + _pair_flops(left, right, kept)
            left = {x: _wider(x, left, right) for x in left | right if x in kept}
        return total

    def apply(self, code: Code, inputs: tuple[Expr, ...]) -> Expr:
        return call("torch.einsum", code.argument("equation"), *inputs)


def _pair_flops(left: dict[str, Dim], right: dict[str, Dim], kept: set[str]) -> Dim:
    """The FLOPs of a batched matrix product; 0 if no shared dimension is summed over."""
    summed = [x for x in left if x in right and x not in kept]
    sizes = [left[x] for x in summed if left[x] != 1 and right[x] != 1]
    open_ = (_wider(x, left, right) for x in left | right if x in kept)
    return product(open_) * product(sizes) * 2 if sizes else Dim.of(0)


def _wider(label: str, left: dict[str, Dim], right: dict[str, Dim]) -> Dim:
    """The size of a dimension after broadcasting."""
    size = left.get(label, Dim.of(1))
    return right.get(label, size) if size == 1 else size
