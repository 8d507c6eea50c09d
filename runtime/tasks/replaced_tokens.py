"""Replaced token detection: a generator fills in masked tokens, a discriminator finds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.replaced_tokens import ReplacedTokens
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.data.tokenizer import Tokenizer
from runtime.tasks.learner import Learner
from runtime.tasks.masking import Masked, encoded, held_out_masks
from runtime.tasks.sequence_lengths import check_length, lengths


class ReplacedTokensLearner(Learner[ReplacedTokens]):
    """Trains a generator and a discriminator as ELECTRA (Clark et al., 2020)."""

    def setup(self, data: DataSplits) -> None:
        """Check that both networks accept the data's length.

        Raises:
            SpecError: if one does not.
        """
        tokens = data.held_out.__getitems__([0])["tokens"][:, :-1]
        for instance in self.instances.values():
            port = bound(instance.scope.inputs, "tokens", self.task.ports)
            check_length(instance, port, tokens.shape[1], "tokens")

    def num_items(self, batch: Batch) -> int:
        """The number of tokens; both losses are means over them."""
        return batch["tokens"][:, :-1].numel()

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        """The loss of one network, summed over the tokens of a batch.

        The generator's is that of the masked tokens, the discriminator's that of all.
        """
        texts = batch["tokens"][:, :-1]
        masked = Masked.of(texts, self.task.masked, self.tokenizer.size)
        if network == "generator":
            return self._generator_loss(texts, masked)
        with torch.no_grad():
            written = self.replace(texts, masked)
        scores = encoded(self, "discriminator", written)
        replaced = (written != texts).float()
        loss = F.binary_cross_entropy_with_logits(scores, replaced, reduction="sum")
        return self.task.weight * loss

    def _generator_loss(self, texts: Tensor, masked: Masked) -> Tensor:
        logits = encoded(self, "generator", masked.tokens)[masked.chosen]
        loss = F.cross_entropy(logits, texts[masked.chosen], reduction="sum")
        return loss * (texts.numel() / masked.chosen.sum())

    def replace(
        self, texts: Tensor, masked: Masked, generator: torch.Generator | None = None
    ) -> Tensor:
        """Texts int[B, T] whose masked tokens the generator has sampled."""
        logits = encoded(self, "generator", masked.tokens)[masked.chosen]
        shares = logits[:, : self.tokenizer.size].softmax(-1).cpu()
        sampled = torch.multinomial(shares, 1, generator=generator)[:, 0]
        return texts.masked_scatter(masked.chosen, sampled.to(texts.device))

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The discriminator's precision, recall and F1 of replaced tokens, and both losses.

        The final evaluation adds `f1.all`: that of taking every token for replaced.
        """
        generator = torch.Generator().manual_seed(self.task.seed)
        share, vocab = self.task.masked, self.tokenizer.size
        texts_of = (batch["tokens"][:, :-1] for batch in batches)
        hits = found = there = count = 0
        losses = torch.zeros(2)
        for texts, masked in held_out_masks(texts_of, share, vocab, self.task.seed):
            written = self.replace(texts, masked, generator)
            scores, replaced = encoded(self, "discriminator", written), written != texts
            seems = scores > 0
            hits += int((seems & replaced).sum())
            found, there = found + int(seems.sum()), there + int(replaced.sum())
            count += texts.numel()
            losses[0] += F.binary_cross_entropy_with_logits(
                scores, replaced.float(), reduction="sum"
            ).cpu()
            losses[1] += self._generator_loss(texts, masked).cpu()
        means = (losses / count).tolist()
        metrics = {
            "f1": 2 * hits / max(1, found + there),
            "precision": hits / max(1, found),
            "recall": hits / max(1, there),
            "discriminator.loss": means[0],
            "generator.loss": means[1],
        }
        return metrics | ({"f1.all": 2 * there / (count + there)} if final else {})

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """The tokens of texts that seem replaced, with their probabilities.

        Raises:
            RequestError: if the network takes no text of that length.
        """
        return [self._predict(text) for text in inputs]

    def _predict(self, text: str) -> dict[str, Any]:
        ids = self.tokenizer.encode(text)
        instance = self.instances["discriminator"]
        port = bound(instance.scope.inputs, "tokens", self.task.ports)
        if not ids or not lengths(instance, port).admits(len(ids)):
            raise RequestError(f"the network takes no text of {len(ids)} tokens")
        tokens = torch.tensor([ids], device=self.device)
        shares = encoded(self, "discriminator", tokens)[0].sigmoid().tolist()
        seems = [
            (self.tokenizer.decode([id]).strip(), share)
            for id, share in zip(ids, shares, strict=True)
            if share > 0.5
        ]
        return {"input": text, "replaced": seems}

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the training text."""
        return Tokenizer.from_json(self.metadata["tokenizer"])
