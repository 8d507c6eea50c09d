"""Learning rate schedules: factors of the optimizer's `lr` by step.

Each begins with `warmup` steps in which the factor rises linearly. A schedule
is a function of the step alone, so a run that is taken up again goes on as it would have.
"""

import math
from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import FailFast, Field

from compiler.language.choice import Choice
from compiler.tasks.formulas import Count, NotNegative, Positive, Share, Whole
from compiler.tasks.list_options import AS_TUPLE


class Schedule(Choice):
    """One schedule."""

    noun: ClassVar[str] = "schedule"
    example: ClassVar[str] = "schedule: cosine, or schedule: {cosine: {warmup: 100}}"
    by_param: ClassVar[bool] = True

    @abstractmethod
    def factor(self, step: int, total: int) -> float:
        """The factor of `lr` in a step of `total`, counted from 0."""


class _WarmUp(Schedule):
    """A schedule that begins with a warm-up.

    Attributes:
        warmup: steps at the start in which the factor rises linearly.
    """

    warmup: Count = 0

    def factor(self, step: int, total: int) -> float:
        if step < self.warmup:
            return (step + 1) / self.warmup
        return self.after(step - self.warmup, max(total - self.warmup, 1))

    @abstractmethod
    def after(self, step: int, total: int) -> float:
        """The factor in a step after the warm-up, of `total` such steps."""


class ConstantSchedule(_WarmUp):
    """Constant `lr`."""

    name: ClassVar[str] = "constant"

    def after(self, step: int, total: int) -> float:
        return 1.0


class LinearSchedule(_WarmUp):
    """Linear decay to `end_factor` (`torch.optim.lr_scheduler.LinearLR`).

    Attributes:
        end_factor: the factor at the end.
    """

    name: ClassVar[str] = "linear"

    end_factor: NotNegative = 0.0

    def after(self, step: int, total: int) -> float:
        return 1 + (self.end_factor - 1) * min(step / total, 1)


class CosineSchedule(_WarmUp):
    """Cosine decay to `end_factor` (`CosineAnnealingLR`; Loshchilov and Hutter, 2016).

    Attributes:
        end_factor: the factor at the end.
    """

    name: ClassVar[str] = "cosine"

    end_factor: NotNegative = 0.0

    def after(self, step: int, total: int) -> float:
        return _between(1.0, self.end_factor, min(step / total, 1))


class OneCycleSchedule(Schedule):
    """Up to `lr` and down to almost 0, both by a cosine (`OneCycleLR`; Smith and Topin, 2018).

    Attributes:
        rise: the fraction of all steps in which the factor rises.
        start_factor: the factor of the first step.
        end_factor: the factor at the end.
    """

    name: ClassVar[str] = "one_cycle"

    rise: Share = 0.3
    start_factor: NotNegative = 0.04
    end_factor: NotNegative = 4e-6

    def factor(self, step: int, total: int) -> float:
        top, last = self.rise * total - 1, total - 1
        if step <= top:
            part = step / top if top > 0 else 1.0
            return _between(self.start_factor, 1.0, part)
        part = min((step - top) / max(last - top, 1), 1)
        return _between(1.0, self.end_factor, part)


class WarmRestartsSchedule(_WarmUp):
    """Cosine decay to `end_factor`, again and again (`CosineAnnealingWarmRestarts`; Loshchilov and Hutter, 2016).

    Attributes:
        period: number of steps of the first decay.
        multiply: how many times as long each decay is as the one before it.
        end_factor: the factor at the end of each decay.
    """

    name: ClassVar[str] = "warm_restarts"

    period: Whole
    multiply: Whole = 1
    end_factor: NotNegative = 0.0

    def after(self, step: int, total: int) -> float:
        period = self.period
        if self.multiply == 1:
            step %= period
        while step >= period:
            step, period = step - period, period * self.multiply
        return _between(1.0, self.end_factor, step / period)


class NoamSchedule(Schedule):
    """`width ** -0.5 * min(step ** -0.5, step * warmup ** -1.5)` (Vaswani et al., 2017).

    Attributes:
        width: the width of the model.
        warmup: the step with the largest factor.
    """

    name: ClassVar[str] = "noam"

    width: Whole
    warmup: Whole = 4000

    def factor(self, step: int, total: int) -> float:
        step += 1
        rising: float = min(step**-0.5, step * self.warmup**-1.5)
        return rising * float(self.width**-0.5)


class StepSchedule(_WarmUp):
    """Multiplied by `gamma` every `step_size` steps (`StepLR`).

    Attributes:
        step_size: number of steps with the same factor.
        gamma: multiplier of the factor.
    """

    name: ClassVar[str] = "step"

    step_size: Whole
    gamma: Positive = 0.1

    def after(self, step: int, total: int) -> float:
        return _power(self.gamma, step // self.step_size)


class MultiStepSchedule(_WarmUp):
    """Multiplied by `gamma` at each of the `milestones`, which are steps (`MultiStepLR`).

    Attributes:
        milestones: the steps.
        gamma: multiplier of the factor.
    """

    name: ClassVar[str] = "multi_step"

    milestones: Annotated[
        tuple[Whole, ...],
        FailFast(),
        AS_TUPLE,
    ] = Field(min_length=1)
    gamma: Positive = 0.1

    def after(self, step: int, total: int) -> float:
        return _power(self.gamma, sum(step >= at for at in self.milestones))


class ExponentialSchedule(_WarmUp):
    """Multiplied by `gamma` every step (`ExponentialLR`).

    Attributes:
        gamma: multiplier of the factor.
    """

    name: ClassVar[str] = "exponential"

    gamma: Positive

    def after(self, step: int, total: int) -> float:
        return _power(self.gamma, step)


class PolynomialSchedule(_WarmUp):
    """Polynomial decay to 0 (`PolynomialLR`).

    Attributes:
        power: the exponent.
    """

    name: ClassVar[str] = "polynomial"

    power: Positive = 1.0

    def after(self, step: int, total: int) -> float:
        return float((1 - min(step / total, 1)) ** self.power)


def _between(start: float, end: float, part: float) -> float:
    """The value of a half cosine from `start` to `end`, after a part of it."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


def _power(base: float, exponent: int) -> float:
    """A power that may be too large for a float, and is infinite then."""
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


DEFAULT = Field(default_factory=ConstantSchedule)
"""The schedule of a task that names none."""
