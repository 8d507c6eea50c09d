"""Translation: trained with teacher forcing, decoded token by token."""

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
from runtime.decode import Stepper
from runtime.tasks.answer_metrics import answer_metrics
from runtime.tasks.learner import GenerationRequest, Learner
from runtime.tasks.sequence_lengths import (
    all_batches,
    check_max_length,
    lengths,
    shortest,
)
from runtime.tasks.stepping import stepper
from runtime.tasks.translate_batches import translate
from runtime.tasks.translation_baselines import baseline_metrics, translation_metrics

_SAMPLES: Final = 5
TokenPair = tuple[Tensor, Tensor]
"""A source and a target int[T] without `<bos>` and padding; both end with `<eos>`."""


class TranslationLearner(Learner[Translation]):
    """Trains a network to translate sequences of tokens."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.data: DataSplits | None = None
        self.evaluations = 0
        sides = (
            Tokenizer.from_json(self.metadata[name]) for name in ("source", "target")
        )
        self.source, self.target = sides

    def setup(self, data: DataSplits) -> None:
        """Check the lengths of texts; keep the data for the baselines.

        Raises:
            SpecError: if a text is longer than the network's maximum.
        """
        self.data = data
        sources = (batch["source"] for batch in all_batches(data))
        check_max_length(self, "source", sources)
        targets = (batch["target"][:, 1:] for batch in all_batches(data))
        check_max_length(self, "target", targets)

    def state_dict(self) -> dict[str, Any]:
        return {"evaluations": self.evaluations}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.evaluations = state["evaluations"]

    # Training.

    def num_items(self, batch: Batch) -> int:
        """The number of target tokens to predict."""
        return int((batch["target"][:, 1:] != PAD).sum())

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        source, target = batch["source"], batch["target"]
        probability = self.task.scheduled_sampling * progress
        prefix = self.scheduled_sampling(source, target[:, :-1], probability)
        logits = self.logits(source, prefix)
        return cross_entropy(logits, target[:, 1:], self.task.label_smoothing)

    def scheduled_sampling(
        self, source: Tensor, prefix: Tensor, probability: float
    ) -> Tensor:
        """Target prefixes int[B, T] in which tokens are replaced by the network's own predictions.

        Predictions are of one parallel pass over the true tokens (Mihaylova and Martins,
        2019), without gradients. `<bos>` and padding stay.

        Args:
            source: int[B, S].
            prefix: int[B, T].
            probability: of each token to be replaced.
        """
        if not probability:
            return prefix
        with torch.no_grad():
            predicted = self.logits(source, prefix).argmax(-1)
        replaced = torch.rand(prefix.shape, device=prefix.device) < probability
        replaced = replaced & (prefix != PAD) & (prefix != BOS)
        return torch.where(replaced, F.pad(predicted[:, :-1], (1, 0)), prefix)

    def logits(self, source: Tensor, prefix: Tensor) -> Tensor:
        """The logits [B, T, vocab] of each next token, for sources int[B, S] and target prefixes int[B, T]."""
        tokens = {"source": source, "target": prefix}
        inputs = {role: self.pad_to_allowed(role, ids) for role, ids in tokens.items()}
        return self.output("", "logits", **inputs)[:, : prefix.shape[1]]

    def pad_to_allowed(self, role: str, tokens: Tensor) -> Tensor:
        """Tokens int[B, T] padded to the next length that the network accepts."""
        length = tokens.shape[1]
        padded = shortest(self._allowed_lengths(role), length)
        return F.pad(tokens, (0, padded - length), value=PAD) if padded else tokens

    # Evaluation.

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """Cross-entropy, perplexity and accuracy of a token given the true ones before it.

        Every `decode_every` epochs and at the end, translations add `exact`, `bleu` and
        `chrf`; the final evaluation adds the baselines.
        """
        self.evaluations += 1
        total, correct, count = 0.0, 0, 0
        pairs: list[TokenPair] = []
        for batch in batches:
            source, target = batch["source"], batch["target"]
            expected = target[:, 1:]
            logits = self.logits(source, target[:, :-1]).float()
            total += float(cross_entropy(logits, expected))
            hits = (logits.argmax(-1) == expected) & (expected != PAD)
            correct += int(hits.sum())
            count += self.num_items(batch)
            pairs += _token_pairs(batch)
        loss = total / count
        metrics = {"loss": loss, "perplexity": math.exp(min(loss, 700))}
        metrics["accuracy"] = correct / count
        if final or self._decodes_now():
            metrics |= self._decoded_metrics(pairs)
        return metrics | (self._baselines() if final else {})

    def _decodes_now(self) -> bool:
        """Whether an evaluation during training also translates."""
        every, step = self.task.decode_every, self.task.evaluate_every
        # `decode_every` counts epochs, of which only each `evaluate_every`-th is evaluated.
        return bool(every) and self.evaluations * step % every < step

    def _decoded_metrics(self, pairs: Sequence[TokenPair]) -> dict[str, float]:
        """The metrics of translations; pairs are in the order of the held-out data."""
        found = self.decode([source for source, _ in pairs])
        expected = [target[:-1].tolist() for _, target in pairs]
        metrics = {"exact": sum(map(list.__eq__, found, expected)) / len(pairs)}
        if not self._is_language:
            return metrics
        texts = [self.target.decode(ids) for ids in found]
        references = self._references(expected)
        metrics["f1"] = answer_metrics(texts, [[one] for one in references])["f1"]
        return metrics | translation_metrics(texts, references)

    def _references(self, targets: Sequence[Sequence[int]]) -> list[str]:
        """The held-out targets as they were read if possible: decoding tokens may not restore the text."""
        held_out = self.data.held_out if self.data else None
        if isinstance(held_out, TextPairs):
            return [target for _, target in held_out.texts]
        return list(map(self.target.decode, targets))

    def _baselines(self) -> dict[str, float]:
        """The metrics of the baselines on the held-out data."""
        if self.data is None or not self._is_language:
            return {}
        return baseline_metrics(self.data.train, self.data.held_out, self.target.size)

    @property
    def _is_language(self) -> bool:
        """Whether translations are text; for random strings only exact matches count."""
        return not isinstance(self.task.data, Strings)

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A few held-out pairs of different lengths, with their translations."""
        every = [pair for batch in batches for pair in _token_pairs(batch)]
        pairs = every[:: -(-len(every) // _SAMPLES)]
        # Untrained networks do not predict `<eos>`.
        limit = 2 * max(len(target) for _, target in pairs)
        found = self.decode([source for source, _ in pairs], limit)
        texts = [
            f"source:      {self.source.decode(source.tolist())}\n"
            f"reference:   {self.target.decode(target.tolist())}\n"
            f"translation: {self.target.decode(translation)}\n"
            for (source, target), translation in zip(pairs, found, strict=True)
        ]
        return {f"epoch-{epoch:03}.txt": "\n".join(texts)}

    # Decoding.

    def decode(
        self, sources: Sequence[Tensor], max_new_tokens: int = 0
    ) -> list[list[int]]:
        """Translations of sources int[S] as ids without `<eos>`, decoded as the task says.

        Args:
            sources: ids, with `<eos>`.
            max_new_tokens: maximum length if it is below the task's and the network's; 0: theirs.
        """
        decoding = self.task.decoding
        limits = (decoding.most, max_new_tokens, self._allowed_lengths("target").max)
        limit = min(limit for limit in limits if limit)
        return translate(self.logits, sources, decoding, limit, self._begin)

    def _begin(self, source: Tensor, length: int) -> Stepper | None:
        """The next logits of targets of sources int[N, S] from a state; None if the network has no `step`."""
        return stepper(
            self, "target", length, source=self.pad_to_allowed("source", source)
        )

    @torch.no_grad()
    def translate(self, texts: Sequence[str]) -> list[str]:
        """Translations of texts.

        Raises:
            RequestError: if a text is longer than the network's maximum.
        """
        sources = [[*self.source.encode(text), EOS] for text in texts]
        limit = self._allowed_lengths("source").max
        for text, ids in zip(texts, sources, strict=True):
            if limit is not None and len(ids) > limit:
                message = f"{shorten(text)} has {len(ids)} tokens, but the network takes {limit}"
                raise RequestError(message)
        rows = [torch.tensor(ids, device=self.device) for ids in sources]
        return [self.target.decode(ids) for ids in self.decode(rows)]

    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """Translations of texts, as `translate` returns them."""
        return [
            {"source": text, "translation": translation}
            for text, translation in zip(inputs, self.translate(inputs), strict=True)
        ]

    @torch.inference_mode()
    def generate(self, request: GenerationRequest) -> str:
        invalid = request.options_besides("max_new_tokens")
        if invalid:
            raise RequestError(f"translation does not take {invalid}")
        if not request.prompt:
            raise RequestError("translation needs a prompt")
        options = {"beam": request.beam, "most": request.sampling.get("max_new_tokens")}
        chosen = {name: value for name, value in options.items() if value is not None}
        decoding = self.task.decoding.model_copy(update=chosen)
        self.task = self.task.model_copy(update={"decoding": decoding})
        return self.translate([request.prompt])[0]

    def _allowed_lengths(self, role: str) -> Constraint:
        """The lengths that the network accepts for an input."""
        instance = self.instances[""]
        return lengths(instance, bound(instance.scope.inputs, role, self.task.ports))


def cross_entropy(logits: Tensor, target: Tensor, label_smoothing: float = 0) -> Tensor:
    """The cross-entropy of logits [B, T, vocab], summed over target tokens int[B, T] that are not padding."""
    return F.cross_entropy(
        logits.flatten(0, 1),
        target.flatten(),
        ignore_index=PAD,
        reduction="sum",
        label_smoothing=label_smoothing,
    )


def _token_pairs(batch: Batch) -> list[TokenPair]:
    """The pairs of a batch, without `<bos>` and padding."""
    sides = batch["source"], batch["target"][:, 1:]
    sources, targets = ([row[row != PAD] for row in side] for side in sides)
    return list(zip(sources, targets, strict=True))
