"""The padding layers of torch.nn; the function `pad` is in `padding`."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.op import errors
from compiler.op.arg_types import Integers
from compiler.op.context import Context
from compiler.op.flow import Flow, FlowCall, flow_rule
from compiler.op.op import ANY, NUMBER, Op, Port, Shape
from compiler.op.registry import register
from compiler.ops._padding_flow import padded
from compiler.ops.padding import padded_size, require_dims
from compiler.symbolic.tensor import TensorType


class _Pad(Op):
    """Base class: `padding` is one number, or two for each dimension."""

    padding: Integers

    spatial: ClassVar[int]
    mode: ClassVar[Literal["constant", "reflect", "replicate", "circular"]]
    positional: ClassVar[tuple[str, ...]] = ("padding",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        require_dims(ctx, self.mode, input, self.spatial)
        shape, ends = list(input.shape), self.ends()
        for i in range(self.spatial):
            pair = ends[2 * i : 2 * i + 2]
            shape[-1 - i] = padded_size(ctx, self.mode, shape[-1 - i], pair, "padding")
        return input.with_shape(*shape)

    @flow_rule("paddings")
    def flow(self, call: FlowCall) -> Flow:
        """Padding by P in front: element u reads u - P; negative padding crops."""
        return padded(call, self.mode, self.ends())

    def ends(self) -> Shape:
        """The number of elements added at each end, from the last dimension on."""
        wanted, given = 2 * self.spatial, len(self.padding)
        if given == 1:
            return self.padding * wanted
        if given != wanted:
            message = f"padding needs 1 or {wanted} numbers, not {given}"
            raise errors.constraint(message, argument="padding")
        return self.padding

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return ", ".join(str(ctx.value(end)) for end in self.padding)


class _ConstantPad(_Pad):
    """Base class of the constant padding layers."""

    value: float

    family = "padding"
    mode = "constant"
    inputs = (Port("input", ANY),)
    positional = ("padding", "value")


@register("constant_pad1d", torch="torch.nn.ConstantPad1d")
class ConstantPad1d(_ConstantPad):
    """1D padding with a constant: [..., L] -> [..., L'].

    Negative padding crops.
    """

    module = "nn.ConstantPad1d"
    spatial = 1


@register("constant_pad2d", torch="torch.nn.ConstantPad2d")
class ConstantPad2d(_ConstantPad):
    """2D padding with a constant: [..., H, W] -> [..., H', W'].

    Negative padding crops.
    """

    module = "nn.ConstantPad2d"
    spatial = 2


@register("constant_pad3d", torch="torch.nn.ConstantPad3d")
class ConstantPad3d(_ConstantPad):
    """3D padding with a constant: [..., D, H, W] -> [..., D', H', W'].

    Negative padding crops.
    """

    module = "nn.ConstantPad3d"
    spatial = 3


class _ZeroPad(_Pad):
    """Base class of the zero padding layers."""

    family = "padding"
    mode = "constant"
    inputs = (Port("input", ANY),)


@register("zero_pad1d", torch="torch.nn.ZeroPad1d")
class ZeroPad1d(_ZeroPad):
    """1D padding with zeros: [..., L] -> [..., L'].

    Negative padding crops.
    """

    module = "nn.ZeroPad1d"
    spatial = 1


@register("zero_pad2d", torch="torch.nn.ZeroPad2d")
class ZeroPad2d(_ZeroPad):
    """2D padding with zeros: [..., H, W] -> [..., H', W'].

    Negative padding crops.
    """

    module = "nn.ZeroPad2d"
    spatial = 2


@register("zero_pad3d", torch="torch.nn.ZeroPad3d")
class ZeroPad3d(_ZeroPad):
    """3D padding with zeros: [..., D, H, W] -> [..., D', H', W'].

    Negative padding crops.
    """

    module = "nn.ZeroPad3d"
    spatial = 3


class _ReflectionPad(_Pad):
    """Base class of the reflection padding layers."""

    family = "padding"
    mode = "reflect"
    inputs = (Port("input", NUMBER),)


@register("reflection_pad1d", torch="torch.nn.ReflectionPad1d")
class ReflectionPad1d(_ReflectionPad):
    """1D padding with the input mirrored at its borders, without repeating the border itself.

    [N, C, L] -> [N, C, L']; N is optional.
    """

    module = "nn.ReflectionPad1d"
    spatial = 1


@register("reflection_pad2d", torch="torch.nn.ReflectionPad2d")
class ReflectionPad2d(_ReflectionPad):
    """2D padding with the input mirrored at its borders, without repeating the border itself.

    [N, C, H, W] -> [N, C, H', W']; N is optional.
    """

    module = "nn.ReflectionPad2d"
    spatial = 2


@register("reflection_pad3d", torch="torch.nn.ReflectionPad3d")
class ReflectionPad3d(_ReflectionPad):
    """3D padding with the input mirrored at its borders, without repeating the border itself.

    [N, C, D, H, W] -> [N, C, D', H', W']; N is optional.
    """

    module = "nn.ReflectionPad3d"
    spatial = 3


class _ReplicationPad(_Pad):
    """Base class of the replication padding layers."""

    family = "padding"
    mode = "replicate"
    inputs = (Port("input", NUMBER),)


@register("replication_pad1d", torch="torch.nn.ReplicationPad1d")
class ReplicationPad1d(_ReplicationPad):
    """1D padding that repeats the border: [N, C, L] -> [N, C, L'].

    N is optional.
    """

    module = "nn.ReplicationPad1d"
    spatial = 1


@register("replication_pad2d", torch="torch.nn.ReplicationPad2d")
class ReplicationPad2d(_ReplicationPad):
    """2D padding that repeats the border: [N, C, H, W] -> [N, C, H', W'].

    N is optional.
    """

    module = "nn.ReplicationPad2d"
    spatial = 2


@register("replication_pad3d", torch="torch.nn.ReplicationPad3d")
class ReplicationPad3d(_ReplicationPad):
    """3D padding that repeats the border: [N, C, D, H, W] -> [N, C, D', H', W'].

    N is optional.
    """

    module = "nn.ReplicationPad3d"
    spatial = 3


class _CircularPad(_Pad):
    """Base class of the circular padding layers."""

    family = "padding"
    mode = "circular"
    inputs = (Port("input", ANY),)


@register("circular_pad1d", torch="torch.nn.CircularPad1d")
class CircularPad1d(_CircularPad):
    """1D padding that wraps the input around: [N, C, L] -> [N, C, L'].

    N is optional.
    """

    module = "nn.CircularPad1d"
    spatial = 1


@register("circular_pad2d", torch="torch.nn.CircularPad2d")
class CircularPad2d(_CircularPad):
    """2D padding that wraps the input around: [N, C, H, W] -> [N, C, H', W'].

    N is optional.
    """

    module = "nn.CircularPad2d"
    spatial = 2


@register("circular_pad3d", torch="torch.nn.CircularPad3d")
class CircularPad3d(_CircularPad):
    """3D padding that wraps the input around: [N, C, D, H, W] -> [N, C, D', H', W'].

    N is optional.
    """

    module = "nn.CircularPad3d"
    spatial = 3
