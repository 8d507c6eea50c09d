"""Angles, hyperbolas and their inverses, of each element."""

from __future__ import annotations

from compiler.op.op import ANY, Port
from compiler.op.registry import register
from compiler.ops.arithmetic import BinaryOp
from compiler.ops.pointwise import ToFloat
from compiler.symbolic.tensor import Kind


@register("asin", torch="torch.asin")
class Asin(ToFloat):
    """The arc whose sine is x, no number beyond ±1: number[...] -> float[...]."""

    function = "torch.asin"


@register("acos", torch="torch.acos")
class Acos(ToFloat):
    """The arc whose cosine is x, no number beyond ±1: number[...] -> float[...]."""

    function = "torch.acos"


@register("atan", torch="torch.atan")
class Atan(ToFloat):
    """The arc whose tangent is x: number[...] -> float[...]."""

    function = "torch.atan"


@register("atan2", torch="torch.atan2")
class Atan2(BinaryOp):
    """The angle of the point (other, input), from -π to π: number[...], number[...] -> float[...]."""

    function = "torch.atan2"
    inputs = (Port("input", ANY), Port("other", ANY))

    def kind(self, left: Kind, right: Kind) -> Kind:
        return "float"


@register("sinh", torch="torch.sinh")
class Sinh(ToFloat):
    """The hyperbolic sine: number[...] -> float[...]."""

    function = "torch.sinh"


@register("cosh", torch="torch.cosh")
class Cosh(ToFloat):
    """The hyperbolic cosine: number[...] -> float[...]."""

    function = "torch.cosh"


@register("asinh", torch="torch.asinh")
class Asinh(ToFloat):
    """The inverse hyperbolic sine: number[...] -> float[...]."""

    function = "torch.asinh"


@register("acosh", torch="torch.acosh")
class Acosh(ToFloat):
    """The inverse hyperbolic cosine, no number below 1: number[...] -> float[...]."""

    function = "torch.acosh"


@register("atanh", torch="torch.atanh")
class Atanh(ToFloat):
    """The inverse hyperbolic tangent, no number beyond ±1: number[...] -> float[...]."""

    function = "torch.atanh"


@register("sinc", torch="torch.sinc")
class Sinc(ToFloat):
    """sin(πx) / (πx), and 1 at 0: number[...] -> float[...]."""

    function = "torch.sinc"
