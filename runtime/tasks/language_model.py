"""Language modelling: predict the next token of a text, and generate text token by token."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby, islice
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.symbolic.domain import Constraint
from compiler.tasks.kinds.language_model import LanguageModel
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.data.tokenizer import Tokenizer
from runtime.decode import NextLogits, Sampling, Stepper, beam_search, sample
from runtime.tasks.learner import GenerationRequest, Learner
from runtime.tasks.sequence_lengths import check_length, lengths, longest, shortest
from runtime.tasks.stepping import stepper

_SAMPLE: Final = Sampling(max_new_tokens=200, temperature=0.8)
_TOGETHER: Final = 32
"""Largest number of prompts that are continued together."""
_SAMPLE_PROMPT: Final = 32
"""Number of tokens of held-out text that a sample continues."""


class LanguageModelLearner(Learner[LanguageModel]):
    """Trains a network to predict the next token.

    Examples are tokens int[B, L + 1]: each of the last L is predicted from those before it.
    """

    def setup(self, data: DataSplits) -> None:
        """Check that the network accepts the data's length; metrics are by the characters of its held-out part.

        Raises:
            SpecError: if it does not.
        """
        tokens = data.train.__getitems__([0])["tokens"][:, :-1]
        check_length(self.instances[""], self._port, tokens.shape[1], "tokens")
        self.metadata = data.metadata

    def num_items(self, batch: Batch) -> int:
        """The number of tokens to predict."""
        return batch["tokens"][:, 1:].numel()

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        logits = self.logits(batch["tokens"][:, :-1])
        target = batch["tokens"][:, 1:]
        return F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="sum")

    def logits(self, tokens: Tensor) -> Tensor:
        """The logits [B, T, vocab] of the token after each of tokens int[B, T]; float32."""
        return self.output("", "logits", tokens=tokens).float()

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """Cross-entropy of a token in nats, perplexity of a token, and bits per character."""
        total, count = 0.0, 0
        for batch in batches:
            total += float(self.loss("", batch, 1.0))
            count += self.num_items(batch)
        loss = total / count
        bits = loss / math.log(2) / self.metadata.get("characters_per_token", 1.0)
        perplexity = float(torch.tensor(loss, dtype=torch.float64).exp())
        return {"loss": loss, "perplexity": perplexity, "bits_per_character": bits}

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """The start of a held-out text and its continuation."""
        prompt = next(iter(batches))["tokens"][0, :_SAMPLE_PROMPT].tolist()
        (continuation,) = self._continue([prompt], _SAMPLE)
        text = self.tokenizer.decode([*prompt, *continuation])
        return {f"epoch-{epoch:03}.txt": f"{text}\n"}

    @torch.inference_mode()
    def generate(self, request: GenerationRequest) -> str:
        return self.continue_text(request.prompt, *_settings(request))

    @torch.inference_mode()
    def generate_all(self, requests: Sequence[GenerationRequest]) -> list[str | bytes]:
        """What `generate` gives; prompts of as many tokens are continued together if their settings are the same."""
        settings = {(one.beam, *sorted(one.sampling.items())) for one in requests}
        if len(settings) > 1:
            return super().generate_all(requests)
        prompts = [request.prompt for request in requests]
        found = self.continue_texts(prompts, *_settings(requests[0])) if prompts else []
        return [*found]

    def continue_text(
        self, prompt: str, sampling: Sampling, beam: int | None = None
    ) -> str:
        """The prompt and its continuation: sampled, or with a beam width found by beam search.

        Raises:
            RequestError: if the tokenizer has no token for a part of the prompt.
        """
        (text,) = self.continue_texts([prompt], sampling, beam)
        return text

    def continue_texts(
        self, prompts: Sequence[str], sampling: Sampling, beam: int | None = None
    ) -> list[str]:
        """What `continue_text` gives for each prompt; those of as many tokens are continued together."""
        ids = [self._encoded(prompt) for prompt in prompts]
        order = iter(sorted(range(len(ids)), key=lambda n: len(ids[n])))
        texts = [""] * len(prompts)
        for _, rows in groupby(order, key=lambda n: len(ids[n])):
            while some := list(islice(rows, _TOGETHER)):
                found = self._continue([ids[n] for n in some], sampling, beam)
                for n, following in zip(some, found, strict=True):
                    start = ids[n] if prompts[n] else []
                    texts[n] = self.tokenizer.decode([*start, *following])
        return texts

    def _encoded(self, prompt: str) -> list[int]:
        """The ids of a prompt, at least one.

        Raises:
            RequestError: if the tokenizer has no token for a part of it.
        """
        unknown = self.tokenizer.unknown(prompt)
        if unknown:
            pieces = ", ".join(map(repr, unknown[:10]))
            message = f"the vocabulary has no {pieces}: the training text has none"
            raise RequestError(message)
        return self.tokenizer.encode(prompt) or self._empty_prompt()

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the training text."""
        return Tokenizer.from_json(self.metadata["tokenizer"])

    @cached_property
    def context(self) -> int:
        """Maximum number of tokens that the network gets: its limit, or the length of training examples."""
        return longest(self._allowed_lengths, self.task.facts().length)

    @property
    def _port(self) -> str:
        return bound(self.instances[""].scope.inputs, "tokens", self.task.ports)

    @cached_property
    def _allowed_lengths(self) -> Constraint:
        return lengths(self.instances[""], self._port)

    def _empty_prompt(self) -> list[int]:
        """The tokens before a text without a prompt: a line break, or else the first token that is not special."""
        tokenizer = self.tokenizer
        line_break = [] if tokenizer.unknown("\n") else tokenizer.encode("\n")
        return line_break or [len(tokenizer.specials)]

    def _continue(
        self,
        prompts: Sequence[list[int]],
        sampling: Sampling,
        beam: int | None = None,
    ) -> list[list[int]]:
        """The ids that follow prompts of one length, of at least one token."""
        rows = torch.tensor(prompts, device=self.device)
        with torch.no_grad():
            following = self._following(rows.shape[1] + sampling.max_new_tokens)
            if beam is None:
                found = sample(following, rows, sampling, as_alone=True)
            else:
                found = beam_search(following, rows, beam, sampling.max_new_tokens)
        ids: list[list[int]] = found.tolist()
        return ids

    def _following(self, length: int) -> NextLogits:
        """The logits of the next token, from a state as long as the network takes the whole text."""
        stepped = stepper(self, "tokens", min(length, self.context))
        if stepped is None:
            return self._next_logits
        if not stepped.state.grows and self._allowed_lengths.max is None:
            return _WithoutUnknown(
                stepped, self.tokenizer.unk, length, self._next_logits
            )
        return _WithoutUnknown(
            stepped, self.tokenizer.unk, self.context, self._next_logits
        )

    def _next_logits(self, tokens: Tensor) -> Tensor:
        """The logits [B, vocab] of the token after int[B, t]; -inf for `<unk>`, which is not text."""
        tokens = tokens[:, -self.context :]
        last = tokens.shape[1] - 1
        # Padding up to an allowed length changes nothing: the network is causal.
        padding = shortest(self._allowed_lengths, last + 1) - last - 1
        logits = self.logits(F.pad(tokens, (0, padding)))[:, last]
        logits[:, self.tokenizer.unk] = -math.inf
        return logits


def _settings(request: GenerationRequest) -> tuple[Sampling, int | None]:
    """How a request is sampled, and its beam width.

    Raises:
        RequestError: if a value is out of range, or beam search does not take it.
    """
    invalid = request.options_besides("max_new_tokens")
    if request.beam is not None and invalid:
        raise RequestError(f"beam search does not take {invalid}")
    return Sampling(**request.sampling), request.beam


class _WithoutUnknown(Stepper):
    """The logits of the next token; -inf for `<unk>`. Texts longer than `most` are run by `longer`."""

    def __init__(
        self, stepped: Stepper, unknown: int, most: int, longer: NextLogits
    ) -> None:
        super().__init__(stepped.step, stepped.state)
        self.unknown, self.most, self.longer = unknown, most, longer

    def __call__(self, tokens: Tensor) -> Tensor:
        if tokens.shape[1] > self.most:
            return self.longer(tokens)
        logits = super().__call__(tokens).float()
        return logits.index_fill(1, tokens.new_tensor([self.unknown]), -math.inf)
