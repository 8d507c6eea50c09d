"""Max unpooling, the partial inverse of max pooling."""

from __future__ import annotations

from compiler.codegen.python import Expr, call
from compiler.op import errors
from compiler.op.arg_types import Counts, Shape
from compiler.op.context import Context
from compiler.op.flow_rules import sized_windows
from compiler.op.op import Code, Port
from compiler.op.registry import register
from compiler.ops._pool_base import WindowPool
from compiler.ops._tensor_method import list_argument
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class _MaxUnpool(WindowPool):
    """Base class of the max unpools.

    The indices are those of a max pool with `return_indices` and the same kernel size,
    stride and padding. As inputs of several sizes pool to the same size, `output_size`
    can select one; it defaults to the smallest that the windows cover.
    """

    padding: Counts = (Dim.of(0),)
    output_size: Shape | None = None

    family = "pooling"
    inputs = (Port("input"), Port("indices", ("int",)))
    positional = ("kernel_size",)
    omitted = ("output_size",)
    chains = False
    flow = sized_windows

    def infer(self, ctx: Context, input: TensorType, indices: TensorType) -> TensorType:
        extents = self.extents(ctx, input)
        message = f"{self.name} needs one index per element of the input"
        ctx.require_rank("indices", indices, input.rank)
        for given, size in zip(indices.shape, input.shape, strict=True):
            ctx.require_equal(message, given, size, "indices")
        sizes = tuple(self.size(ctx, i, size) for i, size in enumerate(extents))
        return self.with_extents(input, sizes)

    def size(self, ctx: Context, i: int, size: Dim) -> Dim:
        """The output size along spatial dimension `i`."""
        kernel = self.per_dim(self.kernel_size, "kernel_size")[i]
        stride = self.strides()[i]
        padding = self.per_dim(self.padding, "padding")[i]
        filled = (size - 1) * stride + kernel - 2 * padding
        if self.output_size is None:
            ctx.require_least("the output's size", filled, 0, "input")
            return filled
        wanted = self._wanted(i)
        for gap in (wanted - filled, filled - wanted):
            if not ctx.at_least(stride - gap, 1):
                raise errors.constraint(
                    f"output_size is {ctx.value(wanted)}, but the windows cover "
                    f"{ctx.value(filled)}: the two must differ by less than the stride",
                    argument="output_size",
                )
        ctx.require_least("output_size", wanted, 0)
        return wanted

    def _wanted(self, i: int) -> Dim:
        assert self.output_size is not None
        if len(self.output_size) != self.spatial:
            message = f"output_size needs {self.spatial} values"
            raise errors.constraint(message, argument="output_size")
        return self.output_size[i]

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        indices: TensorType | None = None,
    ) -> str:
        return super().label(ctx, outputs, input)

    def apply(self, code: Code, input: Expr, indices: Expr) -> Expr:
        options = {}
        if self.output_size is not None:
            options["output_size"] = list_argument(code, self, "output_size")
        return call(code.module(), input, indices, **options)


@register("max_unpool1d", torch="torch.nn.MaxUnpool1d")
class MaxUnpool1d(_MaxUnpool):
    """1D max unpooling: puts maxima back at their positions; other elements are zero.

    float[N, C, L], int[N, C, L] -> float[N, C, L']; N is optional. `indices` are
    those of max_pool1d with the same kernel size, stride and padding. `output_size` is
    [L'], the size before pooling, for strides that make it ambiguous.
    """

    module = "nn.MaxUnpool1d"
    spatial = 1


@register("max_unpool2d", torch="torch.nn.MaxUnpool2d")
class MaxUnpool2d(_MaxUnpool):
    """2D max unpooling: puts maxima back at their positions; other elements are zero.

    float[N, C, H, W], int[N, C, H, W] -> float[N, C, H', W']; N is optional.
    `indices` are those of max_pool2d with the same kernel size, stride and padding.
    `output_size` is [H', W'], the size before pooling, for strides that make it
    ambiguous.
    """

    module = "nn.MaxUnpool2d"
    spatial = 2


@register("max_unpool3d", torch="torch.nn.MaxUnpool3d")
class MaxUnpool3d(_MaxUnpool):
    """3D max unpooling: puts maxima back at their positions; other elements are zero.

    float[N, C, D, H, W], int[N, C, D, H, W] -> float[N, C, D', H', W']; N is
    optional. `indices` are those of max_pool3d with the same kernel size, stride and
    padding. `output_size` is [D', H', W'], the size before pooling, for strides that
    make it ambiguous.
    """

    module = "nn.MaxUnpool3d"
    spatial = 3
