"""The optimizers of torch.optim that a task may name: classes, arguments and defaults are torch's."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from compiler.language.choice import Choice
from compiler.language.model import fault
from compiler.tasks.formulas import Flag, NotNegative, Positive, Real, Share


def _pair(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise fault("bad-type", "betas are two numbers, such as [0.9, 0.999]")
    return tuple(value)


Betas = Annotated[tuple[Share, Share], BeforeValidator(_pair)]


class Optimizer(Choice):
    """One optimizer of torch."""

    noun: ClassVar[str] = "optimizer"
    example: ClassVar[str] = "optimizer: adamw, or optimizer: {adamw: {lr: 3e-4}}"
    by_param: ClassVar[bool] = True

    lr: Positive = 1e-3


class Adam(Optimizer):
    """`torch.optim.Adam` (Kingma and Ba, 2014)."""

    name: ClassVar[str] = "adam"

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    amsgrad: Flag = False


class AdamW(Optimizer):
    """`torch.optim.AdamW` (Loshchilov and Hutter, 2017)."""

    name: ClassVar[str] = "adamw"

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 1e-2
    amsgrad: Flag = False


class NAdam(Optimizer):
    """`torch.optim.NAdam` (Dozat, 2016)."""

    name: ClassVar[str] = "nadam"

    lr: Positive = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum_decay: NotNegative = 4e-3


class RAdam(Optimizer):
    """`torch.optim.RAdam` (Liu et al., 2019)."""

    name: ClassVar[str] = "radam"

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0


class Adagrad(Optimizer):
    """`torch.optim.Adagrad` (Duchi et al., 2011)."""

    name: ClassVar[str] = "adagrad"

    lr: Positive = 1e-2
    lr_decay: NotNegative = 0.0
    weight_decay: NotNegative = 0.0
    initial_accumulator_value: NotNegative = 0.0
    eps: NotNegative = 1e-10


class RMSprop(Optimizer):
    """`torch.optim.RMSprop` (Hinton, 2012)."""

    name: ClassVar[str] = "rmsprop"

    lr: Positive = 1e-2
    alpha: Share = 0.99
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum: NotNegative = 0.0
    centered: Flag = False


class SGD(Optimizer):
    """`torch.optim.SGD`."""

    name: ClassVar[str] = "sgd"

    lr: Positive = 1e-3
    momentum: NotNegative = 0.0
    dampening: Real = 0.0
    weight_decay: NotNegative = 0.0
    nesterov: Flag = False

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and (not self.momentum or self.dampening):
            message = "nesterov needs a momentum above 0, and no dampening"
            raise fault("bad-value", message, at=("nesterov",))
        return self


DEFAULT = Field(default_factory=AdamW)
"""The optimizer of a task that names none."""
