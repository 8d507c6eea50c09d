"""Classification of images, texts or sequences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.classification import Classification
from runtime.data.dataset import Batch, DataSplits
from runtime.data.tokenizer import Tokenizer
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import all_batches, check_max_length
from runtime.tasks.user_inputs import image_files, image_shape, read_as_trained

_TOP_CLASSES: Final = 5
"""Classes in a prediction, most probable first."""


class ClassificationLearner(Learner[Classification]):
    """Trains a network to classify images, texts or sequences."""

    confusion: Tensor | None = None
    """Confusion matrix of the last evaluation, int[classes, classes]: rows are the true classes."""

    def setup(self, data: DataSplits) -> None:
        """Check the lengths of texts.

        Raises:
            SpecError: if a text is longer than the network's maximum.
        """
        if data.facts.form == "labelled text":
            texts = (batch["tokens"] for batch in all_batches(data))
            check_max_length(self, "tokens", texts)

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        return F.cross_entropy(
            self.logits(batch),
            batch["label"],
            reduction="sum",
            label_smoothing=self.task.label_smoothing,
        )

    def logits(self, batch: Batch) -> Tensor:
        """The logits of the classes [B, classes]."""
        roles = {role: tensor for role, tensor in batch.items() if role != "label"}
        if "mask" not in self.instances[""].scope.inputs:
            roles.pop("mask", None)
        return self.output("", "logits", **roles)

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
        return {"loss": float(total) / count, "accuracy": float(accuracy)}

    def plots(self) -> dict[str, bytes]:
        if self.confusion is None:
            return {}
        from runtime.plots.confusion_matrix import confusion_png

        classes = self.metadata["classes"]
        return {"confusion.png": confusion_png(self.confusion, classes)}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """The most probable classes of image files, folders of them, or texts, with their probabilities.

        Raises:
            RequestError: if a file does not exist or is not an image, or a text is empty.
        """
        files = self.task.facts().form != "labelled text"
        return [
            self._predict(one) for one in (image_files(inputs) if files else inputs)
        ]

    def _predict(self, text_or_file: str) -> dict[str, Any]:
        logits = self.logits(self._batch(text_or_file))[0].double()
        classes, probabilities = self.metadata["classes"], logits.softmax(-1)
        best, indices = probabilities.topk(min(_TOP_CLASSES, len(probabilities)))
        names = [classes[i] for i in indices.tolist()]
        return {
            "input": text_or_file,
            "label": names[0],
            "probability": float(best[0]),
            "top": dict(zip(names, best.tolist(), strict=True)),
        }

    def _batch(self, text_or_file: str) -> Batch:
        """One input as a batch of one example."""
        form = self.task.facts().form
        if form == "labelled text":
            return self._text_batch(text_or_file)
        image = self._image(text_or_file).to(self.device)
        # For sequence data, an image's rows are the sequence.
        return {"image": image} if form == "images" else {"sequence": image[:, 0]}

    def _text_batch(self, text: str) -> Batch:
        """A text as tokens [1, T], truncated as the training data is."""
        ids = self._tokenizer.encode(text)[: self.task.facts().length]
        if not ids:
            raise RequestError("an empty text cannot be classified")
        tokens = torch.tensor([ids], device=self.device)
        return {"tokens": tokens, "mask": torch.ones_like(tokens, dtype=torch.bool)}

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.from_json(self.metadata["tokenizer"])

    def _image(self, file: str) -> Tensor:
        """An image file [1, C, H, W], with the size and value range of the training data."""
        facts = self.task.facts()
        if facts.form == "sequences":  # the rows of square images
            shape = [1, facts.features or 0, facts.features or 0]
        else:
            shape = image_shape(self.instances[""], self.task)
        return read_as_trained(file, shape, self.task, self.metadata)
