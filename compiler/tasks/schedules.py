"""How the learning rate goes: factors of the optimizer's own `lr`, by the step.

Each begins with `warmup` steps in which the factor rises in a straight line. A schedule
is a function of the step alone, so a run that is taken up again goes on as it would have.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, FailFast, Field

from compiler.language.model import Model
from compiler.tasks.choices import Choice, Count, NotNegative, Positive, Whole


class Schedule(Model):
    """A schedule of `total` steps.

    Attributes:
        warmup: steps at the start in which the factor rises in a straight line.
    """

    warmup: Count = 0

    def factor(self, step: int, total: int) -> float:
        """What `lr` is multiplied by in a step, counted from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return self.after(step - self.warmup, max(total - self.warmup, 1))

    @abstractmethod
    def after(self, step: int, total: int) -> float:
        """The factor in a step after the warm-up, of `total` such steps."""


class ConstantSchedule(Schedule):
    """`lr` as it is."""

    def after(self, step: int, total: int) -> float:
        return 1.0


class LinearSchedule(Schedule):
    """Down to `end_factor` in a straight line (`torch.optim.lr_scheduler.LinearLR`).

    Attributes:
        end_factor: the factor at the end.
    """

    end_factor: NotNegative = 0.0

    def after(self, step: int, total: int) -> float:
        return 1 + (self.end_factor - 1) * min(step / total, 1)


class CosineSchedule(Schedule):
    """Down to `end_factor` along a cosine (`CosineAnnealingLR`; Loshchilov and Hutter, 2016).

    Attributes:
        end_factor: the factor at the end.
    """

    end_factor: NotNegative = 0.0

    def after(self, step: int, total: int) -> float:
        falling = (1 + math.cos(math.pi * min(step / total, 1))) / 2
        return self.end_factor + (1 - self.end_factor) * falling


class NoamSchedule(Model):
    """`width ** -0.5 * min(step ** -0.5, step * warmup ** -1.5)` (Vaswani et al., 2017).

    Attributes:
        width: the width of the model.
        warmup: the step with the largest factor.
    """

    width: Whole
    warmup: Whole = 4000

    def factor(self, step: int, total: int) -> float:
        """What `lr` is multiplied by in a step, counted from 0."""
        step += 1
        rising: float = min(step**-0.5, step * self.warmup**-1.5)
        return rising * float(self.width**-0.5)


class StepSchedule(Schedule):
    """Times `gamma` every `step_size` steps (`StepLR`).

    Attributes:
        step_size: steps with one factor.
        gamma: what the factor is multiplied by.
    """

    step_size: Whole
    gamma: Positive = 0.1

    def after(self, step: int, total: int) -> float:
        return _power(self.gamma, step // self.step_size)


class MultiStepSchedule(Schedule):
    """Times `gamma` at each of the `milestones`, which are steps (`MultiStepLR`).

    Attributes:
        milestones: the steps.
        gamma: what the factor is multiplied by.
    """

    milestones: Annotated[
        tuple[Whole, ...],
        FailFast(),
        BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v),
    ] = Field(min_length=1)
    gamma: Positive = 0.1

    def after(self, step: int, total: int) -> float:
        return _power(self.gamma, sum(step >= at for at in self.milestones))


class ExponentialSchedule(Schedule):
    """Times `gamma` every step (`ExponentialLR`).

    Attributes:
        gamma: what the factor is multiplied by.
    """

    gamma: Positive

    def after(self, step: int, total: int) -> float:
        return _power(self.gamma, step)


class PolynomialSchedule(Schedule):
    """Down to 0 as a power of what is left (`PolynomialLR`).

    Attributes:
        power: the exponent.
    """

    power: Positive = 1.0

    def after(self, step: int, total: int) -> float:
        return float((1 - min(step / total, 1)) ** self.power)


def _power(base: float, exponent: int) -> float:
    """A power that may be too large for a float, and is infinite then."""
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


class ScheduleChoice(Choice):
    """One schedule."""

    what: ClassVar[str] = "schedule"
    example: ClassVar[str] = "schedule: cosine, or schedule: {cosine: {warmup: 100}}"

    constant: ConstantSchedule | None = None
    linear: LinearSchedule | None = None
    cosine: CosineSchedule | None = None
    noam: NoamSchedule | None = None
    step: StepSchedule | None = None
    multi_step: MultiStepSchedule | None = None
    exponential: ExponentialSchedule | None = None
    polynomial: PolynomialSchedule | None = None


DEFAULT = Field(default_factory=lambda: ScheduleChoice(constant=ConstantSchedule()))
