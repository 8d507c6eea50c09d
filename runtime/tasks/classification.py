"""Classification of images, sequences, texts or rows of a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.kinds.classification import Classification
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch
from runtime.tasks.supervised_learner import SupervisedLearner

_TOP_CLASSES: Final = 5
"""Classes in a prediction, most probable first."""


class ClassificationLearner(SupervisedLearner[Classification]):
    """Trains a network to classify images, sequences, texts or rows of a table."""

    confusion: Tensor | None = None
    """Confusion matrix of the last evaluation, int[classes, classes]: rows are the true classes."""

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        return F.cross_entropy(
            self.logits(batch),
            batch["label"],
            reduction="sum",
            label_smoothing=self.task.label_smoothing,
        )

    def logits(self, batch: Batch) -> Tensor:
        """The logits of the classes [B, classes]."""
        outputs = self.outputs(batch)
        return outputs[bound(outputs, "logits", self.task.ports)]

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The mean cross-entropy without label smoothing, and the accuracy."""
        total, pairs = torch.zeros((), device=self.device), []
        for batch in batches:
            logits = self.logits(batch)
            total += F.cross_entropy(logits.float(), batch["label"], reduction="sum")
            pairs.append(torch.stack([batch["label"], logits.argmax(-1)], 1))
        labels, predicted = torch.cat(pairs).cpu().unbind(1)
        classes, count = int(logits.shape[-1]), len(labels)
        cells = torch.bincount(labels * classes + predicted, minlength=classes**2)
        self.confusion = cells.view(classes, classes)
        accuracy = self.confusion.diagonal().sum() / count
        metrics = {"loss": float(total) / count, "accuracy": float(accuracy)}
        return metrics | (self._baselines() if final else {})

    def _baselines(self) -> dict[str, float]:
        """The accuracies of models without a network; of tables alone."""
        if self.data is None or self.data.facts.form != "tables":
            return {}
        from runtime.tasks.table_baselines import class_predictions

        predicted = class_predictions(self.data)
        return {
            f"accuracy.{name}": float((found == label).mean())
            for name, (found, label) in predicted.items()
        }

    def plots(self) -> dict[str, bytes]:
        if self.confusion is None:
            return {}
        from runtime.plots.confusion_matrix import confusion_png

        classes = self.metadata["classes"]
        return {"confusion.png": confusion_png(self.confusion, classes)}

    def predictions(self, batch: Batch) -> list[dict[str, Any]]:
        """The most probable classes of each example, with their probabilities."""
        classes = self.metadata["classes"]
        probabilities = self.logits(batch).double().softmax(-1)
        best, indices = probabilities.topk(min(_TOP_CLASSES, len(classes)))
        return [
            _prediction([classes[i] for i in row], values)
            for row, values in zip(indices.tolist(), best.tolist(), strict=True)
        ]


def _prediction(names: list[str], probabilities: list[float]) -> dict[str, Any]:
    return {
        "label": names[0],
        "probability": probabilities[0],
        "top": dict(zip(names, probabilities, strict=True)),
    }
