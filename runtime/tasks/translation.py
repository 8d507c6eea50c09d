"""Translation: teacher forcing to learn, and one token after the other to translate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.text import shorten
from compiler.symbolic.domain import Constraint
from compiler.tasks.data.strings import Strings
from compiler.tasks.kinds.translation import Translation
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.data.padded_texts import TextPairs
from runtime.data.tokenizer import BOS, EOS, PAD, Tokenizer
from runtime.tasks.causality import check_causal
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import (
    check_max_length,
    every_batch,
    lengths,
    shortest,
)
from runtime.tasks.translate_batches import translate
from runtime.tasks.translation_baselines import baselines, scores

_SHOWN: Final = 5
Row = tuple[Tensor, Tensor]
"""A source and a target int[T] without padding, from behind `<bos>` to `<eos>`."""


class TranslationLearner(Learner[Translation]):
    """Learns to translate."""

    task_type = Translation

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.data: DataSplits | None = None
        self.evaluations = 0
        sides = (
            Tokenizer.from_json(self.metadata[name]) for name in ("source", "target")
        )
        self.source, self.target = sides

    def setup(self, data: DataSplits) -> None:
        """Keep the data, for the baselines, and refuse what the network cannot take.

        Raises:
            SpecError: where a text is too long, or the decoder looks ahead.
        """
        self.data = data
        check_max_length(self, "source", (one["source"] for one in every_batch(data)))
        given = (one["target"][:, 1:] for one in every_batch(data))
        check_max_length(self, "target", given)
        some = data.train.__getitems__(list(range(min(4, len(data.train)))))
        source, target = (some[role].to(self.device) for role in ("source", "target"))
        check_causal(
            self, "target", target[:, :-1], lambda given: self.logits(source, given)
        )

    def state_dict(self) -> dict[str, Any]:
        return {"evaluations": self.evaluations}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.evaluations = state["evaluations"]

    # To learn.

    def num_items(self, batch: Batch) -> int:
        """How many tokens there are to tell."""
        return int((batch["target"][:, 1:] != PAD).sum())

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        source, target = batch["source"], batch["target"]
        given, truth = target[:, :-1], target[:, 1:]
        given = self.mixed(source, given, self.task.scheduled_sampling * progress)
        logits = self.logits(source, given)
        return cross_entropy(logits, truth, self.task.label_smoothing)

    def mixed(self, source: Tensor, given: Tensor, probability: float) -> Tensor:
        """Targets int[B, T] in which tokens give way, with a probability, to those that the network tells there.

        What it tells comes of a first pass over the true tokens, all at once (Mihaylova and
        Martins, 2019), without gradients. `<bos>` and padding stay.
        """
        if not probability:
            return given
        with torch.no_grad():
            told = self.logits(source, given).argmax(-1)
        own = torch.rand(given.shape, device=given.device) < probability
        own = own & (given != PAD) & (given != BOS)
        return torch.where(own, F.pad(told[:, :-1], (1, 0)), given)

    def logits(self, source: Tensor, given: Tensor) -> Tensor:
        """The scores of each next token [B, T, vocab], after sources int[B, S] and what is given of targets int[B, T].

        Both are padded to lengths that the network takes.
        """
        padded = {"source": source, "target": given}
        roles = {role: self.fitting(role, tokens) for role, tokens in padded.items()}
        return self.output("", "logits", **roles)[:, : given.shape[1]]

    def fitting(self, role: str, tokens: Tensor) -> Tensor:
        """Tokens int[B, T] with as much padding as gives them a length that the network takes."""
        length = tokens.shape[1]
        wanted = shortest(self._lengths(role), length)
        return F.pad(tokens, (0, wanted - length), value=PAD) if wanted else tokens

    # To be judged.

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        self.evaluations += 1
        total, hits, count = 0.0, 0, 0
        rows: list[Row] = []
        for batch in batches:
            source, target = batch["source"], batch["target"]
            truth = target[:, 1:]
            logits = self.logits(source, target[:, :-1]).float()
            total += float(cross_entropy(logits, truth))
            hits += int(((logits.argmax(-1) == truth) & (truth != PAD)).sum())
            count += self.num_items(batch)
            rows += _rows(batch)
        loss = total / count
        found = {"loss": loss, "perplexity": math.exp(min(loss, 700))}
        found["accuracy"] = hits / count
        if final or self._is_due():
            found |= self._translated(rows)
        return found | (self._baselines() if final else {})

    def _is_due(self) -> bool:
        """Whether an evaluation within training translates."""
        every, step = self.task.decode_every, self.task.evaluate_every
        # Epochs that are not evaluated count too.
        return bool(every) and self.evaluations * step % every < step

    def _translated(self, rows: Sequence[Row]) -> dict[str, float]:
        """Metrics of translations; the rows are in the order of the data."""
        found = self.decoded([source for source, _ in rows])
        truths = [target[:-1].tolist() for _, target in rows]
        right = sum(map(list.__eq__, found, truths))
        exact = {"exact": right / len(rows)}
        if not self._has_words:
            return exact
        texts = [self.target.decode(row) for row in found]
        return exact | scores(texts, self._wanted(truths))

    def _wanted(self, truths: Sequence[Sequence[int]]) -> list[str]:
        """The held-out targets as texts: as they were read, for tokens may have lost something."""
        held_out = self.data.held_out if self.data else None
        if isinstance(held_out, TextPairs):
            return [other for _, other in held_out.texts]
        return list(map(self.target.decode, truths))

    def _baselines(self) -> dict[str, float]:
        """What comes of no network, on the same examples."""
        if self.data is None or not self._has_words:
            return {}
        return baselines(self.data.train, self.data.held_out, self.target.size)

    @property
    def _has_words(self) -> bool:
        """Whether the tokens are of a language: others are only right or wrong."""
        return not isinstance(self.task.data.chosen, Strings)

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A few held-out pairs, short and long ones, each with its translation."""
        every = [row for batch in batches for row in _rows(batch)]
        rows = every[:: -(-len(every) // _SHOWN)]
        # A network that has learned little does not end.
        most = 2 * max(len(target) for _, target in rows)
        told = self.decoded([source for source, _ in rows], most)
        shown = [
            f"source:      {self.source.decode(source.tolist())}\n"
            f"reference:   {self.target.decode(target.tolist())}\n"
            f"translation: {self.target.decode(found)}\n"
            for (source, target), found in zip(rows, told, strict=True)
        ]
        return {f"epoch-{epoch:03}.txt": "\n".join(shown)}

    # To translate.

    def decoded(self, sources: Sequence[Tensor], most: int = 0) -> list[list[int]]:
        """Translations of sources int[S], without `<eos>`: as the task says, or of fewer tokens at most."""
        limits = (self.task.decoding.most, most, self._lengths("target").max)
        least = min(limit for limit in limits if limit)
        return translate(self.logits, sources, self.task.decoding, least)

    @torch.no_grad()
    def translations(self, texts: Sequence[str]) -> list[str]:
        """Translations of texts.

        Raises:
            RequestError: where a text is longer than the network takes.
        """
        sources = [[*self.source.encode(text), EOS] for text in texts]
        most = self._lengths("source").max
        for text, ids in zip(texts, sources, strict=True):
            if most is not None and len(ids) > most:
                message = f"{shorten(text)} has {len(ids)} tokens, and the network takes {most}"
                raise RequestError(message)
        rows = [torch.tensor(ids, device=self.device) for ids in sources]
        return [self.target.decode(row) for row in self.decoded(rows)]

    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """Translations of texts."""
        found = self.translations(inputs)
        return [
            {"source": text, "translation": told}
            for text, told in zip(inputs, found, strict=True)
        ]

    def _lengths(self, role: str) -> Constraint:
        """The lengths that the network takes."""
        instance = self.instances[""]
        return lengths(instance, bound(instance.scope.inputs, role, self.task.ports))


def cross_entropy(logits: Tensor, truth: Tensor, label_smoothing: float = 0) -> Tensor:
    """The sum over all tokens int[B, T] that are not padding; logits float[B, T, vocab]."""
    return F.cross_entropy(
        logits.flatten(0, 1),
        truth.flatten(),
        ignore_index=PAD,
        reduction="sum",
        label_smoothing=label_smoothing,
    )


def _rows(batch: Batch) -> list[Row]:
    """The pairs of a batch."""
    sides = batch["source"], batch["target"][:, 1:]
    sources, targets = ([row[row != PAD] for row in side] for side in sides)
    return list(zip(sources, targets, strict=True))
