"""Initialisation: the functions that a spec may name, most of them in torch.nn.init, with their arguments."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import WrapValidator

from compiler.language.choice import Choice
from compiler.op.schema_forms import Schema


def _check(value: Any, check: Callable[[Any], float]) -> Any:
    check(value)
    return value


Number = Annotated[float, WrapValidator(_check)]
"""A number, which stays as it is written: 1 and 1.0 are two."""
Fan = Literal["fan_in", "fan_out"]
Nonlinearity = Literal[
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "selu",
]


class Initializer(Choice):
    """An initialisation: one of the functions, and its arguments."""

    noun: ClassVar[str] = "initialisation"
    example: ClassVar[str] = "init: {weight: {normal: {std: 0.02}}}"
    code: ClassVar[str] = "bad-init"


class ZerosInit(Initializer):
    """`torch.nn.init.zeros_`."""

    name: ClassVar[str] = "zeros"


class OnesInit(Initializer):
    """`torch.nn.init.ones_`."""

    name: ClassVar[str] = "ones"


class ConstantInit(Initializer):
    """`torch.nn.init.constant_`."""

    name: ClassVar[str] = "constant"
    alone: ClassVar[str] = "val"
    also_written: ClassVar[tuple[Schema, ...]] = ({"type": "number"},)

    val: Number


class UniformInit(Initializer):
    """`torch.nn.init.uniform_`."""

    name: ClassVar[str] = "uniform"

    a: Number = 0.0
    b: Number = 1.0


class NormalInit(Initializer):
    """`torch.nn.init.normal_`."""

    name: ClassVar[str] = "normal"

    mean: Number = 0.0
    std: Number = 1.0


class TruncNormalInit(NormalInit):
    """`torch.nn.init.trunc_normal_`."""

    name: ClassVar[str] = "trunc_normal"

    a: Number = -2.0
    b: Number = 2.0


class _WithGain(Initializer):
    gain: Number = 1.0


class XavierUniformInit(_WithGain):
    """`torch.nn.init.xavier_uniform_` (Glorot and Bengio, 2010)."""

    name: ClassVar[str] = "xavier_uniform"


class XavierNormalInit(_WithGain):
    """`torch.nn.init.xavier_normal_` (Glorot and Bengio, 2010)."""

    name: ClassVar[str] = "xavier_normal"


class _Kaiming(Initializer):
    a: Number = 0
    mode: Fan = "fan_in"
    nonlinearity: Nonlinearity = "leaky_relu"


class KaimingUniformInit(_Kaiming):
    """`torch.nn.init.kaiming_uniform_` (He et al., 2015)."""

    name: ClassVar[str] = "kaiming_uniform"


class KaimingNormalInit(_Kaiming):
    """`torch.nn.init.kaiming_normal_` (He et al., 2015)."""

    name: ClassVar[str] = "kaiming_normal"


class OrthogonalInit(_WithGain):
    """`torch.nn.init.orthogonal_` (Saxe et al., 2013)."""

    name: ClassVar[str] = "orthogonal"


class DiracInit(Initializer):
    """`torch.nn.init.dirac_`."""

    name: ClassVar[str] = "dirac"

    groups: Number = 1


class LogArangeInit(Initializer):
    """log 1, log 2, ... along the last dimension, as in S4D-Real and Mamba for the decay rates (Gu et al., 2022).

    None of torch's: the values are the logarithms of the rates.
    """

    name: ClassVar[str] = "log_arange"
