"""Inverse trigonometric and hyperbolic functions, elementwise."""

from __future__ import annotations

from compiler.op.op import ANY, Port
from compiler.op.registry import register
from compiler.ops.arithmetic import BinaryOp
from compiler.ops.pointwise import ToFloat
from compiler.symbolic.tensor import Kind


@register("asin", torch="torch.asin")
class Asin(ToFloat):
    """Inverse sine, NaN outside [-1, 1]: any[...] -> float[...]."""

    function = "torch.asin"


@register("acos", torch="torch.acos")
class Acos(ToFloat):
    """Inverse cosine, NaN outside [-1, 1]: any[...] -> float[...]."""

    function = "torch.acos"


@register("atan", torch="torch.atan")
class Atan(ToFloat):
    """Inverse tangent: any[...] -> float[...]."""

    function = "torch.atan"


@register("atan2", torch="torch.atan2")
class Atan2(BinaryOp):
    """Angle of the point (other, input), from -π to π: any[...], any[...] -> float[...]; shapes broadcast."""

    function = "torch.atan2"
    inputs = (Port("input", ANY), Port("other", ANY))

    def kind(self, left: Kind, right: Kind) -> Kind:
        return "float"


@register("sinh", torch="torch.sinh")
class Sinh(ToFloat):
    """Hyperbolic sine: any[...] -> float[...]."""

    function = "torch.sinh"


@register("cosh", torch="torch.cosh")
class Cosh(ToFloat):
    """Hyperbolic cosine: any[...] -> float[...]."""

    function = "torch.cosh"


@register("asinh", torch="torch.asinh")
class Asinh(ToFloat):
    """Inverse hyperbolic sine: any[...] -> float[...]."""

    function = "torch.asinh"


@register("acosh", torch="torch.acosh")
class Acosh(ToFloat):
    """Inverse hyperbolic cosine, NaN below 1: any[...] -> float[...]."""

    function = "torch.acosh"


@register("atanh", torch="torch.atanh")
class Atanh(ToFloat):
    """Inverse hyperbolic tangent, NaN outside [-1, 1]: any[...] -> float[...]."""

    function = "torch.atanh"


@register("sinc", torch="torch.sinc")
class Sinc(ToFloat):
    """sin(πx) / (πx), and 1 at 0: any[...] -> float[...]."""

    function = "torch.sinc"
