"""The metrics that a task may name: those of torchmetrics."""

from typing import Annotated, ClassVar, Literal

from compiler.language.choice import Choice
from compiler.tasks.data_facts import Answer
from compiler.tasks.list_options import AS_TUPLE

Better = Literal["lower", "higher"]
"""Which values of a metric are better."""


class Metric(Choice):
    """One metric of held-out examples."""

    noun: ClassVar[str] = "metric"
    example: ClassVar[str] = (
        "metrics: [f1, auroc], or metrics: [{f1: {average: micro}}]"
    )
    by_param: ClassVar[bool] = True

    answers: ClassVar[tuple[Answer, ...]] = ("classes", "labels")
    """What it compares predictions with."""
    better: ClassVar[Better] = "higher"
    ranks: ClassVar[bool] = False
    """Whether it compares scores, and not decisions."""
    function: ClassVar[str]
    """Torchmetrics' name of it; of classes and labels without its first word."""

    @property
    def label(self) -> str:
        """What its values are reported as."""
        average = getattr(self, "average", "macro")
        return self.name if average == "macro" else f"{self.name}_{average}"


class _Averaged(Metric):
    """A metric of each class.

    Attributes:
        average: mean over the classes (macro), mean weighted by their examples, or over all decisions (micro).
    """

    average: Literal["macro", "micro", "weighted"] = "macro"


class _Ranked(Metric):
    """A metric of how each class ranks the examples.

    Attributes:
        average: mean over the classes (macro), or weighted by their examples.
    """

    ranks: ClassVar[bool] = True

    average: Literal["macro", "weighted"] = "macro"


class F1(_Averaged):
    """The harmonic mean of precision and recall."""

    name: ClassVar[str] = "f1"
    function: ClassVar[str] = "f1_score"


class Precision(_Averaged):
    """The fraction of right ones among the examples that are predicted to be of a class."""

    name: ClassVar[str] = "precision"
    function: ClassVar[str] = "precision"


class Recall(_Averaged):
    """The fraction that is found of the examples of a class; the mean over the classes is the balanced accuracy."""

    name: ClassVar[str] = "recall"
    function: ClassVar[str] = "recall"


class Specificity(_Averaged):
    """The fraction that is left out of the examples that are not of a class."""

    name: ClassVar[str] = "specificity"
    function: ClassVar[str] = "specificity"


class AUROC(_Ranked):
    """The area under the ROC curve: how often an example of a class ranks above one that is not."""

    name: ClassVar[str] = "auroc"
    function: ClassVar[str] = "auroc"


class AveragePrecision(_Ranked):
    """The area under the curve of precision over recall."""

    name: ClassVar[str] = "average_precision"
    function: ClassVar[str] = "average_precision"


class Kappa(Metric):
    """Cohen's kappa: agreement beyond chance (Cohen, 1960)."""

    name: ClassVar[str] = "kappa"
    answers: ClassVar[tuple[Answer, ...]] = ("classes",)
    function: ClassVar[str] = "cohen_kappa"


class Matthews(Metric):
    """Matthews' correlation coefficient (Matthews, 1975)."""

    name: ClassVar[str] = "matthews"
    function: ClassVar[str] = "matthews_corrcoef"


class CalibrationError(Metric):
    """How far probabilities are from frequencies, on average (Guo et al., 2017)."""

    name: ClassVar[str] = "calibration_error"
    answers: ClassVar[tuple[Answer, ...]] = ("classes",)
    better: ClassVar[Better] = "lower"
    function: ClassVar[str] = "calibration_error"


class _TopAccuracy(Metric):
    """How often the true class is among the most probable ones."""

    answers: ClassVar[tuple[Answer, ...]] = ("classes",)
    function: ClassVar[str] = "accuracy"
    top_k: ClassVar[int]


class Top2(_TopAccuracy):
    """The fraction of examples whose class is among the two most probable ones."""

    name: ClassVar[str] = "top_2"
    top_k: ClassVar[int] = 2


class Top3(_TopAccuracy):
    """The fraction of examples whose class is among the three most probable ones."""

    name: ClassVar[str] = "top_3"
    top_k: ClassVar[int] = 3


class Top5(_TopAccuracy):
    """The fraction of examples whose class is among the five most probable ones."""

    name: ClassVar[str] = "top_5"
    top_k: ClassVar[int] = 5


class Top10(_TopAccuracy):
    """The fraction of examples whose class is among the ten most probable ones."""

    name: ClassVar[str] = "top_10"
    top_k: ClassVar[int] = 10


class HammingDistance(Metric):
    """The fraction of labels that are predicted wrongly."""

    name: ClassVar[str] = "hamming"
    answers: ClassVar[tuple[Answer, ...]] = ("labels",)
    better: ClassVar[Better] = "lower"
    function: ClassVar[str] = "hamming_distance"


class Pearson(Metric):
    """Pearson's correlation of predicted and true numbers."""

    name: ClassVar[str] = "pearson"
    answers: ClassVar[tuple[Answer, ...]] = ("numbers",)
    function: ClassVar[str] = "pearson_corrcoef"


class Spearman(Metric):
    """Spearman's correlation of the ranks of predicted and true numbers."""

    name: ClassVar[str] = "spearman"
    answers: ClassVar[tuple[Answer, ...]] = ("numbers",)
    function: ClassVar[str] = "spearman_corrcoef"


class RelativeError(Metric):
    """The mean absolute error relative to the true number."""

    name: ClassVar[str] = "mape"
    answers: ClassVar[tuple[Answer, ...]] = ("numbers",)
    better: ClassVar[Better] = "lower"
    function: ClassVar[str] = "mean_absolute_percentage_error"


Metrics = Annotated[
    tuple[Metric, ...],
    AS_TUPLE,
]
