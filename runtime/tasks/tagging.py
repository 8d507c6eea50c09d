"""Tagging of texts, token by token or as a conditional random field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.tagging import Tagging
from compiler.tasks.ports import bound
from runtime.crf import crf_loss, likeliest_tags
from runtime.data.dataset import Batch, DataSplits
from runtime.data.tagged_texts import TaggedTexts, TaggedWords
from runtime.data.tokenizer import Tokenizer
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import all_batches, check_max_length
from runtime.tasks.tag_metrics import most_frequent_tags, tag_metrics

_SAMPLES: Final = 8


class TaggingLearner(Learner[Tagging]):
    """Trains a network to tag the tokens of a text."""

    confusion: Tensor | None = None
    """Confusion matrix of the last evaluation, int[tags, tags]: rows are the true tags."""
    _data: DataSplits | None = None

    def setup(self, data: DataSplits) -> None:
        """Check the lengths of texts; keep the data for the baseline.

        Raises:
            SpecError: if a text is longer than the network's maximum.
        """
        self._data = data
        check_max_length(self, "tokens", (one["tokens"] for one in all_batches(data)))

    def num_items(self, batch: Batch) -> int:
        """The number of tokens."""
        return int(batch["mask"].sum())

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        """The negative log-likelihood of the tags, summed over the batch."""
        logits, transitions = self.scores(batch)
        tags, mask = batch["tags"], batch["mask"]
        if transitions is not None:
            return crf_loss(logits, tags, mask, transitions)
        return F.cross_entropy(logits[mask], tags[mask], reduction="sum")

    def scores(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The logits [B, T, tags], and the transitions [tags, tags] if the network has them; float32."""
        roles = {"tokens": batch["tokens"]}
        if self.task.has(self.instances[""].scope.inputs, "mask"):
            roles["mask"] = batch["mask"]
        outputs = self.call("", **roles)
        ports = self.task.ports
        transitions = outputs.get(ports.get("transitions", "transitions"))
        logits = outputs[bound(outputs, "logits", ports)].float()
        return logits, None if transitions is None else transitions.float()

    def tag(self, batch: Batch) -> list[list[str]]:
        """The tags of the texts of a batch."""
        logits, transitions = self.scores(batch)
        mask = batch["mask"]
        if transitions is None:
            return self._names(logits.argmax(-1), mask)
        return self._names(likeliest_tags(logits, mask, transitions), mask)

    def _names(self, numbers: Tensor, mask: Tensor) -> list[list[str]]:
        """The names of tags int[B, T], without padding."""
        names = self.metadata["tags"]
        return [
            [names[tag] for tag in row[: int(length)].tolist()]
            for row, length in zip(numbers, mask.sum(1), strict=True)
        ]

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The loss of a token in nats, accuracy, and F1; at last that of each tag, and the baseline."""
        total, count = 0.0, 0
        found: list[list[str]] = []
        expected: list[list[str]] = []
        for batch in batches:
            total += float(self.loss("", batch, 1.0))
            count += self.num_items(batch)
            found += self.tag(batch)
            expected += self._names(batch["tags"], batch["mask"])
        self.confusion = _confusion(found, expected, self.metadata["tags"])
        metrics = tag_metrics(found, expected)
        shown = metrics if final else {k: metrics[k] for k in ("accuracy", "f1")}
        return {"loss": total / count, **shown, **(self._baseline() if final else {})}

    def _baseline(self) -> dict[str, float]:
        """Accuracy and F1 of the most frequent tag of each word in the training data."""
        if self._data is None:
            return {}
        train, held_out = self._data.train, self._data.held_out
        if not (isinstance(train, TaggedTexts) and isinstance(held_out, TaggedTexts)):
            return {}
        best, other = most_frequent_tags(train.texts)
        found = [[best.get(word, other) for word, _ in text] for text in held_out.texts]
        expected = [[tag for _, tag in text] for text in held_out.texts]
        metrics = tag_metrics(found, expected)
        return {f"{name}.frequent": metrics[name] for name in ("accuracy", "f1")}

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A few held-out texts with the network's tags."""
        batch = {
            role: tensor[:_SAMPLES] for role, tensor in next(iter(batches)).items()
        }
        texts = [
            self._shown(self.tokenizer.decode(row[mask]), tags)
            for row, mask, tags in zip(
                batch["tokens"], batch["mask"], self.tag(batch), strict=True
            )
        ]
        return {f"epoch-{epoch:03}.txt": "".join(f"{text}\n" for text in texts)}

    def _shown(self, text: str, tags: Sequence[str]) -> str:
        """A text as its tags restore it, or with its tags."""
        if self._restore is not None:
            return self._restore(text, tags)
        return " ".join(
            f"{word}/{tag}" for word, tag in zip(text.split(), tags, strict=True)
        )

    def plots(self) -> dict[str, bytes]:
        if self.confusion is None:
            return {}
        from runtime.plots.confusion_matrix import confusion_png

        return {"confusion.png": confusion_png(self.confusion, self.metadata["tags"])}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """The tags of texts; tokens are separated by spaces, unless the data set has its own way.

        Raises:
            RequestError: if a text has no tokens.
        """
        return [self._predict(text) for text in inputs]

    def _predict(self, text: str) -> dict[str, Any]:
        words = self._words(text)
        if not words:
            raise RequestError("an empty text cannot be tagged")
        size, tags = self.task.facts().length, []
        for start in range(0, len(words), size):  # as long as texts in training
            part = " ".join(words[start : start + size])
            tokens = torch.tensor([self.tokenizer.encode(part)], device=self.device)
            mask = torch.ones_like(tokens, dtype=torch.bool)
            tags += self.tag({"tokens": tokens, "mask": mask})[0]
        shown = self._shown(text, tags)
        return {"input": text, "tags": " ".join(tags), "tagged": shown}

    def _words(self, text: str) -> list[str]:
        """The tokens of a text, as those of the training data."""
        if self._tagged is not None:
            return [word for word, _ in self._tagged(text)]
        words = text.split()
        lower = getattr(self.task.data, "lower", False)
        return [word.lower() for word in words] if lower else words

    @property
    def _restore(self) -> Callable[[str, Sequence[str]], str] | None:
        """What restores a text from its tags, if the data set took something away."""
        return getattr(self._module, "restored", None)

    @property
    def _tagged(self) -> Callable[[str], TaggedWords] | None:
        """What takes it away."""
        return getattr(self._module, "tagged", None)

    @cached_property
    def _module(self) -> Any:
        return import_module(f"runtime.data.{self.task.data.name}")

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the texts."""
        return Tokenizer.from_json(self.metadata["tokenizer"])


def _confusion(
    found: Sequence[Sequence[str]],
    expected: Sequence[Sequence[str]],
    tags: Sequence[str],
) -> Tensor:
    numbers = {tag: number for number, tag in enumerate(tags)}
    flat = (
        torch.tensor([numbers[tag] for text in texts for tag in text])
        for texts in (expected, found)
    )
    true, predicted = flat
    cells = torch.bincount(true * len(tags) + predicted, minlength=len(tags) ** 2)
    return cells.view(len(tags), len(tags))
