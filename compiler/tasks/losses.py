"""The losses that a task may name: those of torch.nn.functional, with its arguments and defaults."""

from typing import ClassVar

from compiler.language.choice import Choice
from compiler.tasks.data_facts import Answer
from compiler.tasks.formulas import NotNegative, Positive
from compiler.tasks.list_options import Names, names_of


class Loss(Choice):
    """One loss.

    Attributes:
        answer: what outputs are compared with.
        weight: factor of the loss in the sum of all losses.
    """

    noun: ClassVar[str] = "loss"
    example: ClassVar[str] = "loss: huber, or loss: {huber: {delta: 0.5}}"
    by_param: ClassVar[bool] = True

    answer: ClassVar[Answer]

    weight: NotNegative = 1.0

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the numbers that it compares; empty: all."""
        return names_of(getattr(self, "target", ()))


class _OfNumbers(Loss):
    """A loss of numbers.

    Attributes:
        target: names of the numbers that the output predicts; default: all.
    """

    answer: ClassVar[Answer] = "numbers"

    target: Names = ()


class CrossEntropy(Loss):
    """Cross-entropy of one of several classes (`torch.nn.functional.cross_entropy`)."""

    name: ClassVar[str] = "cross_entropy"
    answer: ClassVar[Answer] = "classes"


class BinaryCrossEntropy(Loss):
    """Binary cross-entropy of each label (`binary_cross_entropy_with_logits`)."""

    name: ClassVar[str] = "bce"
    answer: ClassVar[Answer] = "labels"


class SquaredError(_OfNumbers):
    """Mean squared error (`mse_loss`)."""

    name: ClassVar[str] = "mse"


class AbsoluteError(_OfNumbers):
    """Mean absolute error (`l1_loss`)."""

    name: ClassVar[str] = "mae"


class HuberLoss(_OfNumbers):
    """Squared error below `delta`, absolute error above (`huber_loss`; Huber, 1964).

    Attributes:
        delta: the error from which the loss grows linearly.
    """

    name: ClassVar[str] = "huber"

    delta: Positive = 1.0
