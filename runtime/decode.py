"""From a network that tells the next token to whole sequences: drawn at random, or the most probable.

Nothing here knows of tasks. A network is a function from tokens int[N, t] to the logits
float[N, vocab] of the token that follows. Prompts are int[B, t] without padding; what
comes back is int[B, n], without the prompt. A row ends with its first `eos`, and is
filled up with `pad` behind that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError

NextLogits = Callable[[Tensor], Tensor]
"""Tokens int[N, t] -> logits float[N, vocab] of the token that follows."""

_COLDEST: Final = 1e-30  # a float32 that is not 0


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn.

    Attributes:
        tokens: how many, at most.
        temperature: logits are divided by it; 0 takes the most probable token, whatever the filters.
        top_k: only so many of the most probable tokens are drawn from, and those that equal
            the last of them; 0: all (Fan et al., 2018).
        top_p: only the fewest tokens that together have this probability are drawn from (Holtzman et al., 2020).
        repetition_penalty: by what the logits of tokens that are there already, in the prompt
            too, are divided, or multiplied where they are below 0 (Keskar et al., 2019).
        seed: of what is drawn; it is the same on every device.

    Raises:
        RequestError: where a value makes no sense.
    """

    tokens: int = 200
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        _want(self.tokens >= 0, "the number of tokens is 0 or more")
        _want(0 <= self.temperature < math.inf, "the temperature is 0 or more")
        _want(self.top_k >= 0, "top-k is a number of tokens, 0 for all")
        _want(0 < self.top_p <= 1, "top-p is a probability above 0, at most 1")
        penalty = self.repetition_penalty
        _want(0 < penalty < math.inf, "the repetition penalty is above 0")
        _want(0 <= self.seed < 2**63, "a seed is an integer from 0 on")


def _want(holds: bool, message: str) -> None:
    if not holds:
        raise RequestError(message)


def sample(
    next_logits: NextLogits,
    prompt: Tensor,
    sampling: Sampling,
    eos: int | None = None,
    pad: int = 0,
) -> Tensor:
    """Continue prompts token by token: int[B, t] -> int[B, n], n at most `sampling.tokens`.

    Raises:
        RequestError: where the logits are not numbers.
    """
    generator = torch.Generator().manual_seed(sampling.seed)
    tokens, ended = prompt, prompt.new_zeros(len(prompt), dtype=torch.bool)
    for _ in range(sampling.tokens):
        scores = penalised(_scores(next_logits, tokens), tokens, sampling)
        drawn = torch.where(ended, pad, draw(scores, sampling, generator))
        tokens = torch.cat([tokens, drawn[:, None]], 1)
        ended = ended | (drawn == eos) if eos is not None else ended
        if ended.all():
            break
    return tokens[:, prompt.shape[1] :]


def penalised(scores: Tensor, tokens: Tensor, sampling: Sampling) -> Tensor:
    """Scores [B, vocab], those of tokens that are there already made worse."""
    penalty = sampling.repetition_penalty
    if penalty == 1 or not tokens.shape[1]:
        return scores
    found = scores.gather(1, tokens)
    worse = torch.where(found < 0, found * penalty, found / penalty)
    return scores.scatter(1, tokens, worse)


def draw(scores: Tensor, sampling: Sampling, generator: torch.Generator) -> Tensor:
    """One token for each row of scores [B, vocab]."""
    if sampling.temperature == 0:
        return scores.argmax(-1)
    # The generator is the CPU's, so that a seed means the same on every device.
    shares = filtered(scores, sampling).softmax(-1).cpu()
    return torch.multinomial(shares, 1, generator=generator)[:, 0].to(scores.device)


def filtered(scores: Tensor, sampling: Sampling) -> Tensor:
    """Scores [B, vocab] at the temperature, -inf where top-k and then top-p leave a token out.

    The best token always stays. The definitions are those of transformers' `TopKLogitsWarper` and `TopPLogitsWarper`.
    """
    # The best is 0 at any temperature; divided as they are, scores could become infinite.
    temperature = max(sampling.temperature, _COLDEST)
    scores = (scores - scores.amax(-1, keepdim=True)) / temperature
    if sampling.top_k:
        least = scores.topk(min(sampling.top_k, scores.shape[-1])).values[:, -1:]
        scores = scores.masked_fill(scores < least, -math.inf)
    if sampling.top_p < 1:
        rising, order = scores.sort(-1)
        out = rising.softmax(-1).cumsum(-1) <= 1 - sampling.top_p
        out[:, -1] = False
        scores = scores.masked_fill(out.scatter(1, order, out), -math.inf)
    return scores


def beam_search(
    next_logits: NextLogits,
    prompt: Tensor,
    beam: int,
    most: int,
    eos: int | None = None,
    length_penalty: float = 1.0,
    pad: int = 0,
) -> Tensor:
    """The most probable continuations of prompts that a beam finds: int[B, t] -> int[B, n], n at most `most`.

    A hypothesis of n tokens, `eos` among them, scores the sum of the logarithms of its probabilities divided by
    `n ** length_penalty`. That, what is kept, and when a row ends are as in transformers' `generate` with
    `early_stopping=False`: not the `((5 + n) / 6) ** alpha` of Wu et al. (2016). A row ends when `beam` hypotheses have
    ended, and the best open one would, if it ended now, be no better than the worst of them.

    `next_logits` is asked for N = B * beam rows: those of one prompt follow one another.

    Raises:
        RequestError: where the logits are not numbers, or there is no beam.
    """
    _want(beam >= 1, "a beam has at least one hypothesis")
    search = _Search.start(prompt, beam, length_penalty, pad)
    for left in reversed(range(most)):
        search.step(next_logits, eos, last=left == 0)
        if not search.open.any():
            break
    return search.best()


@dataclass
class _Search:
    """Hypotheses: K open ones, and the best K that have ended, for each of B prompts.

    Attributes:
        tokens, scores: the open ones, int[B, K, t], and the logarithms of their probabilities [B, K].
        ended, lengths, values: those that have ended, int[B, K, n], how long they are, and their scores [B, K];
            -inf where there is none.
        open: the prompts that could still get a better one, bool[B].
    """

    tokens: Tensor
    scores: Tensor
    ended: Tensor
    lengths: Tensor
    values: Tensor
    open: Tensor
    length_penalty: float
    pad: int
    done: int = 0

    @classmethod
    def start(
        cls, prompt: Tensor, beam: int, length_penalty: float, pad: int
    ) -> _Search:
        rows = len(prompt)
        none = torch.full((rows, beam), -math.inf, device=prompt.device)
        scores = none.clone()
        scores[:, 0] = 0  # the others are the same hypothesis
        return cls(
            tokens=prompt[:, None].expand(-1, beam, -1),
            scores=scores,
            ended=prompt.new_empty(rows, beam, 0),
            lengths=prompt.new_zeros(rows, beam),
            values=none,
            open=prompt.new_ones(rows, dtype=torch.bool),
            length_penalty=length_penalty,
            pad=pad,
        )

    def step(self, next_logits: NextLogits, eos: int | None, last: bool) -> None:
        """Add a token to every open hypothesis; those that end with it are done, in the last step all."""
        beam, prompt = self.scores.shape[1], self.tokens.shape[2] - self.done
        # Twice as many as are kept: were the best all to end, as many stay open.
        scores, tokens = self._longer(next_logits, 2 * beam)
        self.done += 1
        ends = tokens[..., -1] == eos if eos is not None else tokens[..., -1] < 0
        ends = ends | last
        self._end(tokens[:, :beam, prompt:], scores[:, :beam], ends[:, :beam])
        self.scores, kept = scores.masked_fill(ends, -math.inf).topk(beam)
        self.tokens = tokens.take_along_dim(kept[..., None], 1)
        hope = self.scores[:, 0] / self.done**self.length_penalty
        self.open = self.open & (hope > self.values.amin(-1))

    def _longer(self, next_logits: NextLogits, most: int) -> tuple[Tensor, Tensor]:
        """The best hypotheses that are one token longer: scores [B, M], falling, and tokens [B, M, t + 1]."""
        rows, beam = self.scores.shape
        logits = _scores(next_logits, self.tokens.flatten(0, 1))
        vocab = logits.shape[-1]
        shares = logits.log_softmax(-1).view(rows, beam, vocab)
        every = (self.scores[..., None] + shares).flatten(1)
        scores, index = every.topk(min(most, beam * vocab))
        before = self.tokens.take_along_dim((index // vocab)[..., None], 1)
        return scores, torch.cat([before, (index % vocab)[..., None]], 2)

    def _end(self, tokens: Tensor, scores: Tensor, ends: Tensor) -> None:
        """Put hypotheses [B, K, n] that end among those that have ended, and keep the best of all."""
        ends = ends & self.open[:, None]
        values = (scores / self.done**self.length_penalty).masked_fill(~ends, -math.inf)
        lengths = torch.full_like(self.lengths, self.done)
        before = F.pad(self.ended, (0, 1), value=self.pad)
        self.values, best = torch.cat([self.values, values], 1).topk(len(values[0]))
        self.lengths = torch.cat([self.lengths, lengths], 1).gather(1, best)
        self.ended = torch.cat([before, tokens], 1).take_along_dim(best[..., None], 1)

    def best(self) -> Tensor:
        """The best that ended of each prompt, int[B, n]."""
        longest = int(self.lengths[:, 0].max()) if len(self.lengths) else 0
        return self.ended[:, 0, :longest]


def _scores(next_logits: NextLogits, tokens: Tensor) -> Tensor:
    """The logits of the next token as float32 [N, vocab].

    Raises:
        RequestError: where they are not numbers.
    """
    logits = next_logits(tokens).float()
    finite = bool(logits.amax(-1).isfinite().all())  # some may be -inf, not all
    _want(finite, "the network's logits are not numbers")
    return logits
