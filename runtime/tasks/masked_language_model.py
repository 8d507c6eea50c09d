"""Masked language modelling: predict the tokens of a text that were masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.masked_language_model import MaskedLanguageModel
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.data.running_text import TokenWindows
from runtime.data.tokenizer import Tokenizer
from runtime.tasks.learner import Learner
from runtime.tasks.masking import (
    MASK,
    Masked,
    encode_masked,
    encoded,
    held_out_masks,
    num_chosen,
)
from runtime.tasks.sequence_lengths import check_length, lengths
from runtime.tasks.translation_baselines import unigram_loss

_TOP: Final = 5
"""Tokens in a prediction, the likeliest first."""


class MaskedLanguageModelLearner(Learner[MaskedLanguageModel]):
    """Trains an encoder to fill in masked tokens (Devlin et al., 2018)."""

    _train: TokenWindows | None = None

    def setup(self, data: DataSplits) -> None:
        """Check that the network accepts the data's length; keep the data for the baselines.

        Raises:
            SpecError: if it does not.
        """
        tokens = _texts(data.held_out.__getitems__([0]))
        port = bound(self.instances[""].scope.inputs, "tokens", self.task.ports)
        check_length(self.instances[""], port, tokens.shape[1], "tokens")
        self._train = data.train if isinstance(data.train, TokenWindows) else None

    def num_items(self, batch: Batch) -> int:
        """The number of masked tokens."""
        texts = _texts(batch)
        return len(texts) * num_chosen(texts.shape[1], self.task.masked)

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        texts = _texts(batch)
        masked = Masked.of(texts, self.task.masked, self.tokenizer.size)
        return self._loss(texts, masked, encoded(self, "", masked.tokens))

    @staticmethod
    def _loss(texts: Tensor, masked: Masked, logits: Tensor) -> Tensor:
        """The cross-entropy of the chosen tokens, summed."""
        chosen = masked.chosen
        return F.cross_entropy(logits[chosen], texts[chosen], reduction="sum")

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """Cross-entropy of a masked token in nats, perplexity, and accuracy; at last the baselines.

        Masks are the same in every evaluation.
        """
        total, correct, truth = 0.0, 0, []
        share, vocab = self.task.masked, self.tokenizer.size
        texts_of = map(_texts, batches)
        for texts, masked in held_out_masks(texts_of, share, vocab, self.task.seed):
            logits = encoded(self, "", masked.tokens)
            total += float(self._loss(texts, masked, logits))
            truth.append(texts[masked.chosen])
            correct += int((logits[masked.chosen].argmax(-1) == truth[-1]).sum())
        expected = torch.cat(truth).cpu()
        loss = total / len(expected)
        perplexity = float(torch.tensor(loss, dtype=torch.float64).exp())
        metrics = {"loss": loss, "perplexity": perplexity}
        metrics["accuracy"] = correct / len(expected)
        return metrics | (self._baselines(expected) if final else {})

    def _baselines(self, expected: Tensor) -> dict[str, float]:
        """The accuracy of the most frequent token of the training text, and the loss of all frequencies."""
        if self._train is None:
            return {}
        stream, size = self._train.stream, self.tokenizer.size
        most = int(stream.bincount(minlength=size).argmax())
        return {
            "accuracy.frequent": float((expected == most).float().mean()),
            "loss.unigram": unigram_loss([stream], [expected], size),
        }

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """The start of the first held-out texts with masks, and filled in."""
        texts = _texts(next(iter(batches)))[:4]
        _, masked = next(
            iter(held_out_masks([texts], self.task.masked, self.tokenizer.size, 0))
        )
        found = encoded(self, "", masked.tokens)[..., : self.tokenizer.size].argmax(-1)
        filled = torch.where(masked.chosen, found, texts)
        lines = [
            f"masked: {self._with_masks(one)}\nfilled: {self.tokenizer.decode(other)}\n"
            for one, other in zip(masked.tokens, filled, strict=True)
        ]
        return {f"epoch-{epoch:03}.txt": "\n".join(lines)}

    def _with_masks(self, ids: Tensor) -> str:
        """The text of ids, `[MASK]` for masks."""
        parts: list[list[int]] = [[]]
        for id in ids.tolist():
            if id == self.tokenizer.size:
                parts.append([])
            else:
                parts[-1].append(id)
        return f" {MASK}".join(map(self.tokenizer.decode, parts))

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """Texts in which each `[MASK]` is filled in, and the likeliest tokens of each.

        Raises:
            RequestError: if a text has no `[MASK]`, or is longer than the network's maximum.
        """
        return [self._predict(text) for text in inputs]

    def _predict(self, text: str) -> dict[str, Any]:
        ids = encode_masked(text, self.tokenizer)
        places = [i for i, id in enumerate(ids) if id == self.tokenizer.size]
        if not places:
            raise RequestError(f"the text has no {MASK} to fill in")
        instance = self.instances[""]
        port = bound(instance.scope.inputs, "tokens", self.task.ports)
        allowed = lengths(instance, port)
        if not allowed.admits(len(ids)):
            raise RequestError(f"the network takes no text of {len(ids)} tokens")
        logits = encoded(self, "", torch.tensor([ids], device=self.device))[0]
        logits = logits[:, : self.tokenizer.size]
        logits[:, self.tokenizer.unk] = -torch.inf  # no text
        tops = []
        for place in places:
            best, tokens = logits[place].double().softmax(-1).topk(_TOP)
            ids[place] = int(tokens[0])
            names = [
                self.tokenizer.decode([token]).strip() for token in tokens.tolist()
            ]
            tops.append(dict(zip(names, best.tolist(), strict=True)))
        return {"input": text, "filled": self.tokenizer.decode(ids), "top": tops}

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the training text."""
        return Tokenizer.from_json(self.metadata["tokenizer"])


def _texts(batch: Batch) -> Tensor:
    """The texts int[B, T] of a batch of windows, which have one token more."""
    return batch["tokens"][:, :-1]
