"""Language modelling: cross-entropy of the next token, and text that is made token by token."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.symbolic.domain import Constraint
from compiler.tasks.kinds.language_model import LanguageModel
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.data.tokenizer import Tokenizer
from runtime.decode import Sampling, beam_search, sample
from runtime.tasks.causality import check_causal
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import check_length, lengths, longest, shortest

_SAMPLE = Sampling(tokens=200, temperature=0.8)
_PROMPT = 32
"""Tokens of a held-out text that a sample goes on from."""


class LanguageModelLearner(Learner[LanguageModel]):
    """Learns the next token of a text: of tokens int[B, L + 1], each of the last L from those before it."""

    task_type = LanguageModel

    def setup(self, data: DataSplits) -> None:
        """Hold the network against the text.

        Raises:
            SpecError: where it does not take texts of that length, or looks ahead.
        """
        tokens = data.held_out.__getitems__([0])["tokens"][:, :-1].to(self.device)
        check_length(self.instances[""], self._port, tokens.shape[1], "tokens")
        check_causal(self, "tokens", tokens, self.logits)

    def num_items(self, batch: Batch) -> int:
        return batch["tokens"][:, 1:].numel()

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        logits = self.logits(batch["tokens"][:, :-1])
        truth = batch["tokens"][:, 1:]
        return F.cross_entropy(logits.flatten(0, 1), truth.flatten(), reduction="sum")

    def logits(self, tokens: Tensor) -> Tensor:
        """The scores [B, T, vocab] of the tokens that follow those of int[B, T]."""
        return self.output("", "logits", tokens=tokens).float()

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        total, count = 0.0, 0
        for batch in batches:
            total += float(self.loss("", batch, 1.0))
            count += self.num_items(batch)
        loss = total / count
        bits = loss / math.log(2) / self.metadata.get("characters_per_token", 1.0)
        perplexity = float(torch.tensor(loss, dtype=torch.float64).exp())
        return {"loss": loss, "perplexity": perplexity, "bits_per_character": bits}

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        prompt = next(iter(batches))["tokens"][0, :_PROMPT].tolist()
        made = self._continued(prompt, _SAMPLE)
        text = self.tokenizer.decode([*prompt, *made])
        return {f"epoch-{epoch:03}.txt": f"{text}\n"}

    def generate(self, prompt: str, sampling: Sampling, beam: int | None = None) -> str:
        """A text that begins with the prompt: drawn, or with a beam the most probable that it finds.

        Raises:
            RequestError: where the prompt holds what the tokenizer has no token for.
        """
        tokenizer = self.tokenizer
        unknown = tokenizer.unknown(prompt)
        if unknown:
            shown = ", ".join(map(repr, unknown[:10]))
            raise RequestError(f"the network knows no {shown}: its text had none")
        begun = tokenizer.encode(prompt)
        made = self._continued(begun or self._start(), sampling, beam)
        return tokenizer.decode([*begun, *made])

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """What cut the text that the network learned from."""
        return Tokenizer.from_json(self.metadata["tokenizer"])

    @cached_property
    def context(self) -> int:
        """How many tokens the network is shown at most: no more than it learned with."""
        return longest(self._taken, self.task.data.chosen.length)

    @property
    def _port(self) -> str:
        return bound(self.instances[""].scope.inputs, "tokens", self.task.ports)

    @cached_property
    def _taken(self) -> Constraint:
        return lengths(self.instances[""], self._port)

    def _start(self) -> list[int]:
        """What a text without a prompt follows: the end of a line, or the first token there is."""
        tokenizer = self.tokenizer
        end = [] if tokenizer.unknown("\n") else tokenizer.encode("\n")
        return end or [len(tokenizer.specials)]

    def _continued(
        self, prompt: list[int], sampling: Sampling, beam: int | None = None
    ) -> list[int]:
        rows = torch.tensor([prompt], device=self.device)
        with torch.no_grad():
            found = (
                beam_search(self._next, rows, beam, sampling.tokens)
                if beam is not None
                else sample(self._next, rows, sampling)
            )
        made: list[int] = found[0].tolist()
        return made

    def _next(self, tokens: Tensor) -> Tensor:
        """The scores [B, vocab] of what follows tokens int[B, t]; <unk> stands for no text, and is not made."""
        tokens = tokens[:, -self.context :]
        last = tokens.shape[1] - 1
        # Where the network wants certain lengths, what is put behind changes nothing: it does not look ahead.
        behind = shortest(self._taken, last + 1) - last - 1
        scores = self.logits(F.pad(tokens, (0, behind)))[:, last]
        scores[:, self.tokenizer.unk] = -math.inf
        return scores
