"""The losses that a task may name: those of torch.nn.functional, with its arguments and defaults."""

from typing import ClassVar

from compiler.language.choice import Choice
from compiler.tasks.data_facts import Answer
from compiler.tasks.formulas import NotNegative, Positive


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


class CrossEntropy(Loss):
    """Cross-entropy of one of several classes (`torch.nn.functional.cross_entropy`)."""

    name: ClassVar[str] = "cross_entropy"
    answer: ClassVar[Answer] = "classes"


class BinaryCrossEntropy(Loss):
    """Binary cross-entropy of each label (`binary_cross_entropy_with_logits`)."""

    name: ClassVar[str] = "bce"
    answer: ClassVar[Answer] = "labels"


class SquaredError(Loss):
    """Mean squared error (`mse_loss`)."""

    name: ClassVar[str] = "mse"
    answer: ClassVar[Answer] = "numbers"


class AbsoluteError(Loss):
    """Mean absolute error (`l1_loss`)."""

    name: ClassVar[str] = "mae"
    answer: ClassVar[Answer] = "numbers"


class HuberLoss(Loss):
    """Squared error below `delta`, absolute error above (`huber_loss`; Huber, 1964).

    Attributes:
        delta: the error from which the loss grows linearly.
    """

    name: ClassVar[str] = "huber"
    answer: ClassVar[Answer] = "numbers"

    delta: Positive = 1.0
