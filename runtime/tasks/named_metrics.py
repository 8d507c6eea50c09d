"""The metrics that tasks name, by torchmetrics."""

from __future__ import annotations

import warnings
from typing import Any, Final

from torch import Tensor

from compiler.tasks.data_facts import Answer
from compiler.tasks.metrics import Metric

_KINDS: Final = {"classes": "multiclass", "labels": "multilabel"}
_COUNTS: Final = {"classes": "num_classes", "labels": "num_labels"}


def measure(
    metric: Metric,
    answer: Answer,
    output: Tensor,
    truth: Tensor,
    threshold: float = 0.5,
) -> float:
    """The value of a metric.

    Args:
        metric: the metric with its arguments.
        answer: what is predicted.
        output: logits [N, classes] or [N, labels], or numbers [N, targets] in their own units.
        truth: class int[N], or labels or numbers as in `output`.
        threshold: probability from which a label is predicted.
    """
    compute = getattr(metric, "compute", None)  # of a plug-in
    if compute is not None:
        return float(compute(output, truth))
    with warnings.catch_warnings():  # a class without examples counts as 0
        warnings.simplefilter("ignore")
        if answer == "numbers":
            return _of_numbers(metric, output, truth)
        return _of_classes(metric, answer, output, truth, threshold)


def _of_numbers(metric: Metric, output: Tensor, truth: Tensor) -> float:
    """The mean of a metric over the numbers."""
    from torchmetrics.functional import regression

    function = getattr(regression, metric.function)
    values = [
        float(function(output[:, i].contiguous(), truth[:, i].contiguous()))
        for i in range(truth.shape[1])
    ]
    return sum(values) / len(values)


def _of_classes(
    metric: Metric, answer: Answer, output: Tensor, truth: Tensor, threshold: float
) -> float:
    from torchmetrics.functional import classification

    function = getattr(classification, f"{_KINDS[answer]}_{metric.function}")
    arguments: dict[str, Any] = {_COUNTS[answer]: output.shape[1], **metric.arguments}
    if hasattr(metric, "top_k"):  # of more than there are, all are right
        arguments |= {"top_k": min(metric.top_k, output.shape[1]), "average": "micro"}
    if answer == "labels":
        scores = output.sigmoid()
        predicted = scores if metric.ranks else (scores > threshold).long()
        return float(function(predicted, truth.long(), **arguments))
    return float(function(output.softmax(-1), truth, **arguments))
