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
from runtime.data.chat import DialogueExamples, encode_prompt, show_dialogue
from runtime.data.dataset import Batch, DataSplits
from runtime.data.running_text import TokenWindows
from runtime.data.tokenizer import EOS, Tokenizer
from runtime.decode import NextLogits, Sampling, Stepper, beam_search, sample
from runtime.tasks.learner import GenerationRequest, Learner
from runtime.tasks.sequence_lengths import (
    all_batches,
    check_length,
    check_max_length,
    lengths,
    longest,
    shortest,
)
from runtime.tasks.stepping import stepper
from runtime.tasks.translation_baselines import unigram_loss

_SAMPLE: Final = Sampling(max_new_tokens=200, temperature=0.8)
_TOGETHER: Final = 32
"""Largest number of prompts that are continued together."""
_REPLIES: Final = 200
"""Largest number of replies that are compared with those expected."""
_SAMPLE_PROMPT: Final = 32
"""Number of tokens of held-out text that a sample continues."""


class LanguageModelLearner(Learner[LanguageModel]):
    """Trains a network to predict the next token.

    Examples are tokens int[B, L + 1]: each of the last L is predicted from those before it. Of dialogues only
    tokens of replies are, which `scored` bool[B, L] tells.
    """

    _data: DataSplits | None = None

    def setup(self, data: DataSplits) -> None:
        """Check that the network accepts the data's length; metrics are by the characters of its held-out part.

        Raises:
            SpecError: if it does not.
        """
        self._data, self.metadata = data, data.metadata
        if self._is_dialogue:
            rows = (batch["tokens"][:, :-1] for batch in all_batches(data))
            check_max_length(self, "tokens", rows)
            return
        tokens = data.train.__getitems__([0])["tokens"][:, :-1]
        check_length(self.instances[""], self._port, tokens.shape[1], "tokens")

    @property
    def _is_dialogue(self) -> bool:
        """Whether the data is dialogues, of which replies are learned."""
        return self.task.facts().form == "dialogues"

    def num_items(self, batch: Batch) -> int:
        """The number of tokens to predict."""
        scored = batch.get("scored")
        return batch["tokens"][:, 1:].numel() if scored is None else int(scored.sum())

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        logits = self.logits(batch["tokens"][:, :-1])
        target = batch["tokens"][:, 1:]
        if "scored" in batch:
            logits, target = logits[batch["scored"]][None], target[batch["scored"]]
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
        metrics = {"loss": loss, "perplexity": perplexity, "bits_per_character": bits}
        if not final:
            return metrics
        return metrics | (
            self._reply_metrics() if self._is_dialogue else self._unigram()
        )

    def _unigram(self) -> dict[str, float]:
        """The loss of the frequencies of tokens in the training text."""
        if self._data is None:
            return {}
        train, held_out = self._data.train, self._data.held_out
        if not isinstance(train, TokenWindows):
            return {}
        assert isinstance(held_out, TokenWindows)
        streams = [train.stream], [held_out.stream]
        return {"loss.unigram": unigram_loss(*streams, self.tokenizer.size)}

    def _reply_metrics(self) -> dict[str, float]:
        """The fraction of last replies that are exactly as expected, and the loss of the frequencies of tokens."""
        data = self._data
        if data is None:
            return {}
        train, held_out = data.train, data.held_out
        if not isinstance(train, DialogueExamples):
            return {}
        assert isinstance(held_out, DialogueExamples)
        turns = [held_out.last_turn(i) for i in range(min(len(held_out), _REPLIES))]
        turns = [(prompt, reply) for prompt, reply in turns if reply]
        most = max((len(reply) for _, reply in turns), default=0)
        greedy = Sampling(max_new_tokens=most + 1, temperature=0)
        found = self._continue_all([prompt for prompt, _ in turns], greedy)
        same = sum(
            _before_end(ids) == reply
            for ids, (_, reply) in zip(found, turns, strict=True)
        )
        size = self.tokenizer.size
        loss = unigram_loss([train.replies()], [held_out.replies()], size)
        return {"exact": same / max(1, len(turns)), "loss.unigram": loss}

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """The start of a held-out text and its continuation, or a held-out dialogue with the network's last reply."""
        if self._is_dialogue and self._data is not None:
            assert isinstance(self._data.held_out, DialogueExamples)
            asked, _ = self._data.held_out.last_turn(0)
            (said,) = self._continue([asked], _SAMPLE)
            shown = f"{show_dialogue(asked, self.tokenizer)} {self.tokenizer.decode(_before_end(said))}"
            return {f"epoch-{epoch:03}.txt": f"{shown}\n"}
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
        found = self._continue_all(ids, sampling, beam)
        if self._is_dialogue:
            return [self.tokenizer.decode(_before_end(reply)) for reply in found]
        return [
            self.tokenizer.decode([*(start if prompt else []), *following])
            for prompt, start, following in zip(prompts, ids, found, strict=True)
        ]

    def _continue_all(
        self, prompts: Sequence[list[int]], sampling: Sampling, beam: int | None = None
    ) -> list[list[int]]:
        """The ids that follow prompts; those of one length are continued together."""
        order = iter(sorted(range(len(prompts)), key=lambda n: len(prompts[n])))
        found: list[list[int]] = [[] for _ in prompts]
        for _, rows in groupby(order, key=lambda n: len(prompts[n])):
            while some := list(islice(rows, _TOGETHER)):
                parts = self._continue([prompts[n] for n in some], sampling, beam)
                for n, following in zip(some, parts, strict=True):
                    found[n] = following
        return found

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
        if self._is_dialogue:
            return encode_prompt(prompt, self.tokenizer)
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
            end = EOS if self._is_dialogue else None
            if beam is None:
                found = sample(following, rows, sampling, end, as_alone=True)
            else:
                found = beam_search(following, rows, beam, sampling.max_new_tokens, end)
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


def _before_end(ids: list[int]) -> list[int]:
    """A reply up to its end."""
    return ids[: ids.index(EOS)] if EOS in ids else ids


def _settings(request: GenerationRequest) -> tuple[Sampling, int | None]:
    """How a request is sampled, and its beam width.

    Raises:
        RequestError: if a value is out of range, or beam search does not take it.
    """
    if request.label:
        raise RequestError("text has no label: --prompt says how it begins")
    invalid = request.options_besides("max_new_tokens")
    if request.beam is not None and invalid:
        raise RequestError(f"beam search does not take {invalid}")
    return Sampling(**request.sampling), request.beam


class _WithoutUnknown(Stepper):
    """The logits of the next token; -inf for `<unk>`. Texts longer than `most` are run by `longer`."""

    def __init__(
        self, stepped: Stepper, unknown: int, most: int, longer: NextLogits
    ) -> None:
        super().__init__(stepped.step, stepped.state, stepped.network)
        self.unknown, self.most, self.longer = unknown, most, longer

    def __call__(self, tokens: Tensor) -> Tensor:
        if tokens.shape[1] > self.most:
            return self.longer(tokens)
        logits = super().__call__(tokens).float()
        return logits.index_fill(1, tokens.new_tensor([self.unknown]), -math.inf)
