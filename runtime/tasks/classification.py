"""Classification: cross-entropy, accuracy, and a picture of the confusions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.classification import Classification
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.data.images import scaled
from runtime.data.tokenizer import Tokenizer
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import check_max_length, every_batch
from runtime.tasks.user_inputs import picture

_TOP: Final = 5
"""Classes that a prediction names, the most probable ones."""


class ClassificationLearner(Learner[Classification]):
    """Learns which of several classes an image, a text or a sequence is of."""

    task_type = Classification
    confusion: Tensor | None = None

    def setup(self, data: DataSplits) -> None:
        """Refuse texts that are longer than the network takes.

        Raises:
            SpecError: where there is one.
        """
        if data.facts.form == "labelled text":
            texts = (one["tokens"] for one in every_batch(data))
            check_max_length(self, "tokens", texts)

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        smoothing = self.task.label_smoothing
        logits = self.logits(batch)
        return F.cross_entropy(
            logits, batch["label"], reduction="sum", label_smoothing=smoothing
        )

    def logits(self, batch: Batch) -> Tensor:
        """The scores of the classes [B, classes]."""
        roles = {role: given for role, given in batch.items() if role != "label"}
        if "mask" not in self.instances[""].scope.inputs:
            roles.pop("mask", None)
        return self.output("", "logits", **roles)

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        total, found = torch.zeros((), device=self.device), []
        for batch in batches:
            logits = self.logits(batch)
            total += F.cross_entropy(logits.float(), batch["label"], reduction="sum")
            found.append(torch.stack([batch["label"], logits.argmax(-1)], 1))
        pairs = torch.cat(found).cpu()
        classes = int(logits.shape[-1])
        cells = torch.bincount(
            pairs[:, 0] * classes + pairs[:, 1], minlength=classes**2
        )
        self.confusion = cells.view(classes, classes)
        right = self.confusion.diagonal().sum() / len(pairs)
        return {"loss": float(total) / len(pairs), "accuracy": float(right)}

    def plots(self) -> dict[str, bytes]:
        if self.confusion is None:
            return {}
        from runtime.plots.confusion_matrix import confusion_png

        return {
            "confusion.png": confusion_png(self.confusion, self.metadata["classes"])
        }

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """The class of each input, an image file or a text, and how probable it and the next ones are.

        Raises:
            RequestError: where a file is not there, or is no image.
        """
        return [self._told(one) for one in inputs]

    def _told(self, given: str) -> dict[str, Any]:
        logits = self.logits(self._batch(given))[0].double()
        classes, shares = self.metadata["classes"], logits.softmax(-1)
        best, order = shares.topk(min(_TOP, len(shares)))
        names = [classes[i] for i in order.tolist()]
        top = dict(zip(names, best.tolist(), strict=True))
        probability = float(best[0])
        return {
            "input": given,
            "label": names[0],
            "probability": probability,
            "top": top,
        }

    def _batch(self, given: str) -> Batch:
        """One input as a batch."""
        form = self.task.facts().form
        if form == "labelled text":
            return self._text(given)
        image = self._image(given).to(self.device)
        # Where images are sequences, these are their rows.
        return {"image": image} if form == "images" else {"sequence": image[:, 0]}

    def _text(self, text: str) -> Batch:
        """A text as tokens [1, T], cut off as those of the data were."""
        ids = self._tokenizer.encode(text)[: self.task.data.chosen.length]
        if not ids:
            raise RequestError("a text with nothing in it has no class")
        tokens = torch.tensor([ids], device=self.device)
        return {"tokens": tokens, "mask": torch.ones_like(tokens, dtype=torch.bool)}

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.from_json(self.metadata["tokenizer"])

    def _image(self, file: str) -> Tensor:
        """An image file as those of the data are: [1, C, H, W]."""
        channels, *size = self._image_size()
        values = picture(file, (size[0], size[1]) if all(size) else None, channels)
        return scaled(values[None], 255, self.metadata.get("range", "0..1"))

    def _image_size(self) -> list[int]:
        """Channels, height and width of images, as far as the data or the network says; 0 is free."""
        facts = self.task.facts()
        if facts.form == "sequences":  # rows of images that are square
            return [1, facts.features or 0, facts.features or 0]
        known = facts.image or (None, None, None)
        inputs = self.instances[""].inputs
        found = inputs[bound(inputs, "image", self.task.ports)]
        assert found is not None
        sizes = [self.instances[""].context.value(size) for size in found.shape[1:]]
        return [a or b.constant or 0 for a, b in zip(known, sizes, strict=True)]
