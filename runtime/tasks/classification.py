"""Classification of images, sequences, texts or rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.kinds.classification import Classification
from compiler.tasks.losses import CrossEntropy, Loss
from runtime.data.dataset import Batch, DataSplits
from runtime.tasks.class_factors import class_factors
from runtime.tasks.example_losses import example_losses
from runtime.tasks.output_metrics import class_counts
from runtime.tasks.pixel_baselines import pixel_predictions
from runtime.tasks.supervised_learner import (
    SupervisedLearner,
    accuracy_of,
    confusion_of,
)

_TOP_CLASSES: Final = 5
"""Classes in a prediction, most probable first."""


class ClassificationLearner(SupervisedLearner[Classification]):
    """Trains a network to classify images, sequences, texts or rows of a table."""

    confusion: Tensor | None = None
    """Confusion matrix of the last evaluation, int[classes, classes]: rows are the true classes."""
    teacher: ClassificationLearner | None = None
    """The network that is learned from; set by the engine, for training."""
    factors: Tensor | None = None
    """The factor of each class in the loss [classes]; set by `setup`."""

    def setup(self, data: DataSplits) -> None:
        super().setup(data)
        weights = self.task.class_weights
        if weights is not None:
            factors = class_factors(weights, self.metadata["classes"], data)
            self.factors = factors.to(self.device)

    def own_losses(self, output: Tensor, batch: Batch) -> Tensor:
        loss, teacher = self.task.loss, self.task.teacher
        own = loss.weight * self.losses_of(loss, output, batch)
        if teacher is None or self.teacher is None:
            return own
        with torch.no_grad():
            logits = self.teacher.outputs(batch)[self.teacher.port]
        divergence = distillation_losses(output, logits, teacher.temperature)
        return (1 - teacher.weight) * own + teacher.weight * divergence

    def loss_arguments(self, loss: Loss) -> Mapping[str, Any]:
        """Label smoothing and class weights, of all losses of classes."""
        if not isinstance(loss, CrossEntropy):
            return {}
        smoothing = self.task.label_smoothing
        return {"label_smoothing": smoothing, "weight": self.factors}

    def own_metrics(self, output: Tensor, answers: Batch) -> dict[str, float]:
        """The mean loss without label smoothing and class weights, and the accuracy."""
        label, own = answers["label"], self.task.loss
        self.confusion = confusion_of(output, label)
        loss = own.weight * float(example_losses(own, output, label).mean())
        return {"loss": loss, "accuracy": accuracy_of(self.confusion)}

    def baselines(self, answers: Batch) -> dict[str, float]:
        """The accuracies of models without a network; of tables, images, videos and texts."""
        if self.data is None:
            return {}
        match self.data.facts.form:
            case "tables":
                from runtime.tasks.table_baselines import class_predictions

                predictions = class_predictions(self.data)
            case "images" | "videos":
                predictions = pixel_predictions(self.data)
            case "labelled text":
                from runtime.tasks.text_baselines import text_predictions

                predictions = text_predictions(self.data)
            case _:
                return {}
        label = answers["label"].numpy()
        return {
            f"accuracy.{name}": float((found == label).mean())
            for name, found in predictions.items()
        }

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Precision, recall and F1 of each class."""
        if self.confusion is None:
            return {}
        counts = class_counts(self.confusion)
        return {"classes": counts.table(self.metadata["classes"])}

    def plots(self) -> dict[str, bytes]:
        if self.confusion is None:
            return {}
        from runtime.plots.confusion_matrix import confusion_png

        classes = self.metadata["classes"]
        return {"confusion.png": confusion_png(self.confusion, classes)}

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """The most probable classes of each example, with their probabilities."""
        classes = self.metadata["classes"]
        probabilities = output.double().softmax(-1)
        best, indices = probabilities.topk(min(_TOP_CLASSES, len(classes)))
        return [
            _prediction([classes[i] for i in row], values)
            for row, values in zip(indices.tolist(), best.tolist(), strict=True)
        ]


def distillation_losses(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """The Kullback-Leibler divergence of a student's probabilities from a teacher's, for each example [B].

    It is multiplied by temperature², so that gradients do not depend on it (Hinton et al., 2015).

    Args:
        student, teacher: logits [B, classes].
        temperature: divisor of the logits.
    """
    own = F.log_softmax(student / temperature, -1)
    theirs = F.log_softmax(teacher / temperature, -1)
    divergence = F.kl_div(own, theirs, reduction="none", log_target=True).sum(-1)
    return divergence * temperature**2


def _prediction(names: list[str], probabilities: list[float]) -> dict[str, Any]:
    return {
        "label": names[0],
        "probability": probabilities[0],
        "top": dict(zip(names, probabilities, strict=True)),
    }
