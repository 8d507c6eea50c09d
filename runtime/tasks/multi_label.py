"""Multi-label classification of images, sequences, texts or rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from compiler.tasks.kinds.multi_label import MultiLabel
from compiler.tasks.losses import BinaryCrossEntropy, Loss
from runtime.data.dataset import Batch, DataSplits
from runtime.tasks.class_factors import label_factors
from runtime.tasks.example_losses import example_losses
from runtime.tasks.output_metrics import Counts, label_counts, label_metrics
from runtime.tasks.supervised_learner import SupervisedLearner


class MultiLabelLearner(SupervisedLearner[MultiLabel]):
    """Trains a network to predict which of several labels apply."""

    counts: Counts | None = None
    """The counts of each label in the last evaluation."""
    factors: Tensor | None = None
    """The factor of the loss where each label applies [labels]; set by `setup`."""

    def setup(self, data: DataSplits) -> None:
        super().setup(data)
        weights = self.task.class_weights
        if weights is not None:
            factors = label_factors(weights, self.metadata["labels"], data)
            self.factors = factors.to(self.device)

    def own_losses(self, output: Tensor, batch: Batch) -> Tensor:
        loss = self.task.loss
        return loss.weight * self.losses_of(loss, output, batch)

    def loss_arguments(self, loss: Loss) -> Mapping[str, Any]:
        """The weights of the labels, of all losses of labels."""
        if not isinstance(loss, BinaryCrossEntropy):
            return {}
        return {"pos_weight": self.factors}

    def predicted(self, output: Tensor) -> Tensor:
        """Which labels logits [N, labels] predict, bool[N, labels]."""
        return output.sigmoid() > self.task.threshold

    def own_metrics(self, output: Tensor, answers: Batch) -> dict[str, float]:
        """The mean loss without class weights, the mean F1, and the fraction of examples that are all right."""
        predicted, labels = self.predicted(output), answers["labels"] > 0
        self.counts = label_counts(predicted, labels)
        own = self.task.loss
        losses = example_losses(own, output, answers["labels"])
        return {
            "loss": own.weight * float(losses.mean()),
            **label_metrics(predicted, labels),
        }

    def baselines(self, answers: Batch) -> dict[str, float]:
        """F1 of predicting all labels, and for tables of models of scikit-learn."""
        labels = answers["labels"] > 0
        predicted = {"all": torch.ones_like(labels)}
        if self.data is not None and self.data.facts.form == "tables":
            from runtime.tasks.table_baselines import label_predictions

            found = label_predictions(self.data)
            predicted |= {name: torch.from_numpy(one) for name, one in found.items()}
        return {
            f"f1.{name}": label_metrics(one, labels)["f1"]
            for name, one in predicted.items()
        }

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Precision, recall and F1 of each label."""
        if self.counts is None:
            return {}
        return {"classes": self.counts.table(self.metadata["labels"])}

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """The labels of each example, and the probabilities of all."""
        names = self.metadata["labels"]
        rows = zip(
            self.predicted(output).tolist(),
            output.double().sigmoid().tolist(),
            strict=True,
        )
        return [
            {
                "labels": [name for name, one in zip(names, row, strict=True) if one],
                "probabilities": dict(zip(names, probabilities, strict=True)),
            }
            for row, probabilities in rows
        ]
