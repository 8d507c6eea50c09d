"""The optimizers of torch.optim that a task may name, by torch's own arguments and defaults."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from compiler.language.model import Model, fault
from compiler.tasks.choices import Choice, Flag, NotNegative, Positive, Real, Share


def _pair(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise fault("bad-type", "betas are two numbers, such as [0.9, 0.999]")
    return tuple(value)


Betas = Annotated[tuple[Share, Share], BeforeValidator(_pair)]


class Adam(Model):
    """`torch.optim.Adam` (Kingma and Ba, 2014)."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    amsgrad: Flag = False


class AdamW(Model):
    """`torch.optim.AdamW` (Loshchilov and Hutter, 2017)."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 1e-2
    amsgrad: Flag = False


class NAdam(Model):
    """`torch.optim.NAdam` (Dozat, 2016)."""

    lr: Positive = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum_decay: NotNegative = 4e-3


class RAdam(Model):
    """`torch.optim.RAdam` (Liu et al., 2019)."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0


class Adagrad(Model):
    """`torch.optim.Adagrad` (Duchi et al., 2011)."""

    lr: Positive = 1e-2
    lr_decay: NotNegative = 0.0
    weight_decay: NotNegative = 0.0
    initial_accumulator_value: NotNegative = 0.0
    eps: NotNegative = 1e-10


class RMSprop(Model):
    """`torch.optim.RMSprop` (Hinton, 2012)."""

    lr: Positive = 1e-2
    alpha: Share = 0.99
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum: NotNegative = 0.0
    centered: Flag = False


class SGD(Model):
    """`torch.optim.SGD`."""

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


class Optimizer(Choice):
    """One optimizer of torch."""

    what: ClassVar[str] = "optimizer"
    example: ClassVar[str] = "optimizer: adamw, or optimizer: {adamw: {lr: 3e-4}}"

    adam: Adam | None = None
    adamw: AdamW | None = None
    nadam: NAdam | None = None
    radam: RAdam | None = None
    adagrad: Adagrad | None = None
    rmsprop: RMSprop | None = None
    sgd: SGD | None = None


DEFAULT = Field(default_factory=lambda: Optimizer(adamw=AdamW()))
