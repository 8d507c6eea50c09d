"""Initialisation: the functions that a spec may name, most of them in torch.nn.init, with their arguments."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import WrapValidator

from compiler.language.choice import Choice
from compiler.language.model import formula
from compiler.op.arg_types import Formula
from compiler.op.schema_forms import FORMULA, Schema, written_as


def _check(value: Any, check: Callable[[Any], float]) -> Any:
    read = formula(value)
    if not isinstance(read, Formula):
        check(read)
    return read


Number = Annotated[
    float,
    WrapValidator(_check),
    written_as({"anyOf": [{"type": "number"}, FORMULA]}),
]
"""A number, which stays as it is written: 1 and 1.0 are two. Or a formula for it."""
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

    @property
    def given(self) -> dict[str, Any]:
        """The arguments that the spec gives, formulas as they are, in the order in which they are declared."""
        fields = type(self).model_fields
        return {n: getattr(self, n) for n in fields if n in self.model_fields_set}

    @property
    def formulas(self) -> dict[str, Formula]:
        """The arguments that are formulas."""
        given = self.given.items()
        return {name: one for name, one in given if isinstance(one, Formula)}

    def wrong(self, numbers: Mapping[str, float]) -> str:
        """Why torch would refuse these values of the arguments; "" if it takes them."""
        return ""


def _empty_range(numbers: Mapping[str, float]) -> str:
    a, b = numbers["a"], numbers["b"]
    return f"values are from a to b, and a = {a:g} is above b = {b:g}" if a > b else ""


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
    also_written: ClassVar[tuple[Schema, ...]] = ({"type": "number"}, FORMULA)

    val: Number


class UniformInit(Initializer):
    """`torch.nn.init.uniform_`."""

    name: ClassVar[str] = "uniform"

    a: Number = 0.0
    b: Number = 1.0

    def wrong(self, numbers: Mapping[str, float]) -> str:
        return _empty_range(numbers)


class NormalInit(Initializer):
    """`torch.nn.init.normal_`."""

    name: ClassVar[str] = "normal"

    mean: Number = 0.0
    std: Number = 1.0

    def wrong(self, numbers: Mapping[str, float]) -> str:
        std = numbers["std"]
        return f"std is at least 0, and is {std:g}" if std < 0 else ""


class TruncNormalInit(NormalInit):
    """`torch.nn.init.trunc_normal_`."""

    name: ClassVar[str] = "trunc_normal"

    a: Number = -2.0
    b: Number = 2.0

    def wrong(self, numbers: Mapping[str, float]) -> str:
        return super().wrong(numbers) or _empty_range(numbers)


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
