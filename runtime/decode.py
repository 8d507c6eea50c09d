"""Decode whole sequences with a network that predicts the next token: by sampling or beam search.

Independent of tasks. Prompts are int[B, t] without padding. Results are int[B, n] without
the prompt; a row ends with its first `eos` and is filled with `pad` after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from runtime.direct_calls import direct_calls

NextLogits = Callable[[Tensor], Tensor]
"""Tokens int[N, t] -> logits float[N, vocab] of the next token."""

_MIN_TEMPERATURE: Final = 1e-30  # a float32 above 0


class Stepper:
    """The logits of the next token from a state: each call runs only the tokens that are new.

    Args:
        step: runs new tokens int[N, n] and changes the state; returns logits float[N, n, vocab].
        state: what a generated class keeps between pieces (`init_state`).
        network: what `step` runs, whose layers are called directly while tokens are generated.
    """

    def __init__(
        self,
        step: Callable[[Tensor, Any], Tensor],
        state: Any,
        network: nn.Module | None = None,
    ) -> None:
        self.step, self.state, self.done = step, state, 0
        self.network = network

    def __call__(self, tokens: Tensor) -> Tensor:
        """Tokens int[N, t], which go on from those of the call before -> logits float[N, vocab]."""
        logits = self.step(tokens[:, self.done :], self.state)[:, -1]
        self.done = tokens.shape[1]
        return logits

    def select(self, rows: Tensor) -> None:
        """Go on with these rows, int[N]."""
        self.state = self.state.select(rows)


@dataclass(frozen=True)
class Sampling:
    """How tokens are sampled.

    Attributes:
        max_new_tokens: maximum number of tokens to generate.
        temperature: divisor of the logits; 0 takes the most probable token and ignores the filters.
        top_k: number of most probable tokens to sample from, and those tied with the last of
            them; 0: all (Fan et al., 2018).
        top_p: probability mass to sample from: the fewest most probable tokens that reach it
            (Holtzman et al., 2020).
        repetition_penalty: divisor of the positive logits, and factor of the negative ones, of
            tokens that occur in the prompt or in what was generated (Keskar et al., 2019).
        seed: random seed; samples are the same on every device.

    Raises:
        RequestError: if a value is out of range.
    """

    max_new_tokens: int = 200
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.max_new_tokens >= 0, "the number of tokens must be at least 0")
        finite = 0 <= self.temperature < math.inf
        _require(finite, "temperature must be finite and at least 0")
        _require(self.top_k >= 0, "top-k must be at least 0; 0 means all tokens")
        _require(0 < self.top_p <= 1, "top-p must be above 0 and at most 1")
        finite = 0 < self.repetition_penalty < math.inf
        _require(finite, "repetition penalty must be finite and above 0")
        _require(0 <= self.seed < 2**63, "seed must be at least 0 and below 2**63")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise RequestError(message)


def sample(
    next_logits: NextLogits,
    prompt: Tensor,
    sampling: Sampling,
    eos: int | None = None,
    pad: int = 0,
    as_alone: bool = False,
) -> Tensor:
    """Continue prompts by sampling: int[B, t] -> int[B, n], n at most `sampling.max_new_tokens`.

    With `as_alone`, each row has random numbers of its own, as if it were the only one.

    Raises:
        RequestError: if logits are NaN or infinite.
    """
    seeds = range(len(prompt) if as_alone else 1)
    generators = [torch.Generator().manual_seed(sampling.seed) for _ in seeds]
    tokens, finished = prompt, prompt.new_zeros(len(prompt), dtype=torch.bool)
    with direct_calls(_network(next_logits)):
        for _ in range(sampling.max_new_tokens if len(prompt) else 0):
            logits = _checked_logits(next_logits, tokens)
            logits = penalise_repetition(logits, tokens, sampling)
            token = sample_token(logits, sampling, generators)
            if eos is not None:
                token = torch.where(finished, pad, token)
            tokens = torch.cat([tokens, token[:, None]], 1)
            if eos is not None:
                finished = finished | (token == eos)
                if finished.all():
                    break
    return tokens[:, prompt.shape[1] :]


def _network(next_logits: NextLogits) -> nn.Module | None:
    """The network whose logits these are, if it is stepped."""
    return next_logits.network if isinstance(next_logits, Stepper) else None


def penalise_repetition(logits: Tensor, tokens: Tensor, sampling: Sampling) -> Tensor:
    """Logits [B, vocab] with those of the tokens int[B, t] made smaller."""
    penalty = sampling.repetition_penalty
    if penalty == 1 or not tokens.shape[1]:
        return logits
    found = logits.gather(1, tokens)
    smaller = torch.where(found < 0, found * penalty, found / penalty)
    return logits.scatter(1, tokens, smaller)


def sample_token(
    logits: Tensor, sampling: Sampling, generators: Sequence[torch.Generator]
) -> Tensor:
    """One token for each row of logits [B, vocab], by a generator for each row or one for all: int[B]."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    # The generators are on the CPU, so that a seed gives the same samples on every device.
    probabilities = filter_logits(logits, sampling).softmax(-1).cpu()
    parts = probabilities.chunk(len(generators))
    tokens = [
        torch.multinomial(part, 1, generator=generator)[:, 0]
        for part, generator in zip(parts, generators, strict=True)
    ]
    return torch.cat(tokens).to(logits.device)


def filter_logits(logits: Tensor, sampling: Sampling) -> Tensor:
    """Logits [B, vocab] divided by the temperature, -inf for tokens that top-k and then top-p exclude.

    The most probable token always stays. As `TopKLogitsWarper` and `TopPLogitsWarper` in transformers.
    """
    # Relative to the largest logit, division by a small temperature cannot overflow.
    temperature = max(sampling.temperature, _MIN_TEMPERATURE)
    logits = (logits - logits.amax(-1, keepdim=True)) / temperature
    if sampling.top_k:
        smallest = logits.topk(min(sampling.top_k, logits.shape[-1])).values[:, -1:]
        logits = logits.masked_fill(logits < smallest, -math.inf)
    if sampling.top_p < 1:
        ascending, order = logits.sort(-1)
        excluded = ascending.softmax(-1).cumsum(-1) <= 1 - sampling.top_p
        excluded[:, -1] = False
        logits = logits.masked_fill(excluded.scatter(1, order, excluded), -math.inf)
    return logits


def beam_search(
    next_logits: NextLogits,
    prompt: Tensor,
    beam: int,
    max_new_tokens: int,
    eos: int | None = None,
    length_penalty: float = 1.0,
    pad: int = 0,
) -> Tensor:
    """Continue prompts by beam search: int[B, t] -> int[B, n], n at most `max_new_tokens`.

    A hypothesis of n tokens, `eos` included, scores its log-probability divided by
    `n ** length_penalty`. This score, pruning and stopping are those of transformers'
    `generate` with `early_stopping=False`, not the `((5 + n) / 6) ** alpha` of Wu et al.
    (2016). A row stops when it has `beam` finished hypotheses, and the best open one, if
    finished now, would score no better than the worst of them.

    Args:
        next_logits: called with N = B * beam rows; those of one prompt are adjacent.
        prompt: int[B, t].
        beam: beam width.
        max_new_tokens: maximum number of tokens to generate.
        eos: the token that ends a hypothesis; None: all have `max_new_tokens`.
        length_penalty: exponent of the length.
        pad: fills rows after their `eos`.

    Raises:
        RequestError: if logits are NaN or infinite, or `beam` is below 1.
    """
    _require(beam >= 1, "the beam width must be at least 1")
    search = _BeamSearch.start(prompt, beam, length_penalty, pad)
    with direct_calls(_network(next_logits)):
        for remaining in reversed(range(max_new_tokens)):
            search.step(next_logits, eos, last=remaining == 0)
            if not search.active.any():
                break
    return search.best()


@dataclass
class _BeamSearch:
    """K open and K finished hypotheses for each of B prompts.

    Attributes:
        tokens, scores: the open hypotheses int[B, K, t], and their log-probabilities [B, K].
        finished, lengths, values: the finished hypotheses int[B, K, n], their lengths int[B, K]
            and scores [B, K]; -inf where there is none.
        active: prompts whose finished hypotheses can still improve, bool[B].
    """

    tokens: Tensor
    scores: Tensor
    finished: Tensor
    lengths: Tensor
    values: Tensor
    active: Tensor
    length_penalty: float
    pad: int
    generated: int = 0

    @classmethod
    def start(
        cls, prompt: Tensor, beam: int, length_penalty: float, pad: int
    ) -> _BeamSearch:
        rows = len(prompt)
        none = torch.full((rows, beam), -math.inf, device=prompt.device)
        scores = none.clone()
        scores[:, 0] = 0  # the others are copies of the first
        return cls(
            tokens=prompt[:, None].expand(-1, beam, -1),
            scores=scores,
            finished=prompt.new_empty(rows, beam, 0),
            lengths=prompt.new_zeros(rows, beam),
            values=none,
            active=prompt.new_ones(rows, dtype=torch.bool),
            length_penalty=length_penalty,
            pad=pad,
        )

    def step(self, next_logits: NextLogits, eos: int | None, last: bool) -> None:
        """Add a token to every open hypothesis; those with `eos` finish, in the last step all."""
        beam, prompt = self.scores.shape[1], self.tokens.shape[2] - self.generated
        # Twice the beam width: even if the best half finishes, the beam stays full.
        scores, tokens, parents = self._candidates(next_logits, 2 * beam)
        self.generated += 1
        ends = tokens[..., -1] == eos if eos is not None else tokens[..., -1] < 0
        ends = ends | last
        self._finish(tokens[:, :beam, prompt:], scores[:, :beam], ends[:, :beam])
        self.scores, best = scores.masked_fill(ends, -math.inf).topk(beam)
        self.tokens = tokens.take_along_dim(best[..., None], 1)
        if isinstance(next_logits, Stepper):
            first = torch.arange(len(best), device=best.device)[:, None] * beam
            next_logits.select((first + parents.take_along_dim(best, 1)).flatten())
        best_possible = self.scores[:, 0] / self.generated**self.length_penalty
        self.active = self.active & (best_possible > self.values.amin(-1))

    def _candidates(
        self, next_logits: NextLogits, count: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The best hypotheses with one more token, and what they continue.

        Scores [B, M], descending, tokens int[B, M, t + 1] and hypotheses int[B, M].
        """
        rows, beam = self.scores.shape
        logits = _checked_logits(next_logits, self.tokens.flatten(0, 1))
        vocab = logits.shape[-1]
        log_probabilities = logits.log_softmax(-1).view(rows, beam, vocab)
        totals = (self.scores[..., None] + log_probabilities).flatten(1)
        scores, index = totals.topk(min(count, beam * vocab))
        parents = index // vocab
        prefixes = self.tokens.take_along_dim(parents[..., None], 1)
        return scores, torch.cat([prefixes, (index % vocab)[..., None]], 2), parents

    def _finish(self, tokens: Tensor, scores: Tensor, ends: Tensor) -> None:
        """Add the hypotheses int[B, K, n] that end to the finished ones, and keep the best K."""
        ends = ends & self.active[:, None]
        values = scores / self.generated**self.length_penalty
        values = values.masked_fill(~ends, -math.inf)
        lengths = torch.full_like(self.lengths, self.generated)
        finished = F.pad(self.finished, (0, 1), value=self.pad)
        self.values, best = torch.cat([self.values, values], 1).topk(len(values[0]))
        self.lengths = torch.cat([self.lengths, lengths], 1).gather(1, best)
        candidates = torch.cat([finished, tokens], 1)
        self.finished = candidates.take_along_dim(best[..., None], 1)

    def best(self) -> Tensor:
        """The best finished hypothesis of each prompt, int[B, n]."""
        longest = int(self.lengths[:, 0].max()) if len(self.lengths) else 0
        return self.finished[:, 0, :longest]


def pad_left(tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Move padding in front, so that the next tokens of all rows are in one column.

    Args:
        tokens: int[B, T].
        mask: bool[B, T], True for the tokens that are not padding, in one piece anywhere in a row.

    Returns:
        The tokens and their mask, with each row's last token in the last column.
    """
    order = mask.long().argsort(dim=1, stable=True)
    return tokens.gather(1, order), mask.gather(1, order)


def _checked_logits(next_logits: NextLogits, tokens: Tensor) -> Tensor:
    """The logits of the next token, float32 [N, vocab]; some may be -inf, not all of a row.

    Raises:
        RequestError: if they are NaN or infinite.
    """
    logits = next_logits(tokens).float()
    finite = all(map(math.isfinite, logits.amax(-1).tolist()))
    _require(finite, "the network's logits are NaN or infinite")
    return logits
