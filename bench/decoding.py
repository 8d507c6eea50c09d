"""Tokens generated from a state: beside transformers' generate with its cache, and beside running the whole prefix."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor

from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import ROOT, Timing, alternate, cpu_ratio, measured
from compiler import compile_spec
from runtime.decode import Sampling, Stepper, sample
from runtime.load import load_program

_PROMPT = 8
_SOURCE = 32
Job = Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """A spec and the class of transformers that is the same network, of the same sizes.

    Attributes:
        ours, theirs: the sizes, as the params of the spec and as the configuration has them.
        new: number of tokens after the prompt.
        least: tokens per second of ours by those of theirs that are wanted.
        encodes: whether a source is encoded first.
        repeats: runs in a row that are one measurement.
    """

    spec: str
    model: str
    least: float
    vocab: int
    ours: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)
    batch: int = 1
    new: int = 48
    encodes: bool = False
    repeats: int = 1


NOISE: Final = 1.1
"""Of the comparison of equal work, GPT-2 small's linear layers."""

_GPT2_OURS = {"vocab": 1000, "width": 128, "depth": 4, "heads": 4, "context": 256}
_GPT2_THEIRS = {
    "vocab_size": 1000,
    "n_embd": 128,
    "n_layer": 4,
    "n_head": 4,
    "n_positions": 256,
}
_LLAMA_OURS = {
    "vocab": 8192,
    "width": 512,
    "hidden": 1408,
    "depth": 8,
    "heads": 8,
    "kv_heads": 2,
}
_LLAMA_THEIRS = {
    "vocab_size": 8192,
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
}
_T5 = {"num_layers": 6, "d_model": 512, "d_kv": 64, "num_heads": 8, "d_ff": 2048}
PAIRS: Mapping[str, Pair] = {
    "GPT-2 of 4 layers of 128": Pair(
        "gpt2", "GPT2LMHeadModel", 2.5, 1000, _GPT2_OURS, _GPT2_THEIRS, repeats=2
    ),
    "GPT-2 of 4 layers of 128, 8 texts": Pair(
        "gpt2", "GPT2LMHeadModel", 2.0, 1000, _GPT2_OURS, _GPT2_THEIRS, batch=8
    ),
    "GPT-2 small": Pair("gpt2", "GPT2LMHeadModel", 1.0 / NOISE, 50257, new=16),
    "Llama of 8 layers of 512": Pair(
        "llama3", "LlamaForCausalLM", 1.0, 8192, _LLAMA_OURS, _LLAMA_THEIRS
    ),
    "T5-small": Pair(
        "t5_small",
        "T5ForConditionalGeneration",
        1.0,
        32128,
        theirs=_T5,
        new=24,
        encodes=True,
    ),
    "BART-base": Pair(
        "bart_base",
        "BartForConditionalGeneration",
        1.0,
        50265,
        theirs={
            "d_model": 768,
            "encoder_layers": 6,
            "decoder_layers": 6,
            "encoder_attention_heads": 12,
            "decoder_attention_heads": 12,
            "encoder_ffn_dim": 3072,
            "decoder_ffn_dim": 3072,
        },
        new=16,
        encodes=True,
    ),
}


def _network(spec: str, params: Mapping[str, Any]) -> Any:
    kind: Any = load_program(compile_spec(ROOT / f"specs/{spec}.yaml"))[""]
    torch.manual_seed(0)
    return kind(**params).eval()


def greedy(network: Any, prompt: Tensor, new: int) -> Tensor:
    """Tokens as `layergraph generate` makes them, from a state."""
    with torch.inference_mode():
        state = network.init_state(max_length=prompt.shape[1] + new)
        return sample(Stepper(network.step, state, network), prompt, Sampling(new, 0))


def _greedy_from(network: Any, source: Tensor, prompt: Tensor, new: int) -> Tensor:
    """The same from a source, without padding."""
    with torch.inference_mode():
        mask = torch.ones_like(source, dtype=torch.bool)
        length = prompt.shape[1] + new
        state = network.init_state(source, mask, max_length=length)

        def step(tokens: Tensor, state: Any) -> Tensor:
            found = network.step(
                tokens, torch.ones_like(tokens, dtype=torch.bool), state
            )
            logits: Tensor = found[0] if isinstance(found, tuple) else found
            return logits

        return sample(Stepper(step, state, network), prompt, Sampling(new, 0))


def jobs(pair: Pair) -> dict[str, Job]:
    """Both ways of generating the tokens of a pair."""
    prompt = torch.randint(3, pair.vocab, (pair.batch, 1 if pair.encodes else _PROMPT))
    source = torch.randint(3, pair.vocab, (pair.batch, _SOURCE))
    network = _network(pair.spec, pair.ours)
    model = _reference(pair)
    options: dict[str, Any] = {
        "max_new_tokens": pair.new,
        "min_new_tokens": pair.new,
        "do_sample": False,
        "num_beams": 1,
    }
    if pair.encodes:
        ours = partial(_greedy_from, network, source, prompt, pair.new)
        options["decoder_start_token_id"] = int(prompt[0, 0])
        theirs = partial(model.generate, source, **options)
    else:
        ours = partial(greedy, network, prompt, pair.new)
        mask = torch.ones_like(prompt)
        theirs = partial(model.generate, prompt, attention_mask=mask, **options)
    return {"generated": ours, "transformers": theirs}


def _reference(pair: Pair) -> Any:
    import transformers

    transformers.logging.set_verbosity_error()
    kind: Any = getattr(transformers, pair.model)
    return kind(kind.config_class(**pair.theirs)).eval()


def _measure_pairs(rounds: int) -> Figures:
    torch.set_num_threads(1)
    rows, ratios = [], {}
    for name, pair in PAIRS.items():
        found = _timed(jobs(pair), rounds, pair.repeats)
        ratios[name] = cpu_ratio(found["transformers"], found["generated"])
        count = pair.new * pair.batch * pair.repeats
        rates = [f"{count / one.cpu:.0f}" for one in found.values()]
        rows.append([name, *rates, f"{ratios[name]:.2f}"])
    return Figures(rows, ratios)


def _timed(jobs: Mapping[str, Job], rounds: int, repeats: int = 1) -> dict[str, Timing]:
    def several(job: Job) -> None:
        for _ in range(repeats):
            job()

    return alternate(
        {name: partial(measured, partial(several, job)) for name, job in jobs.items()},
        rounds,
    )


# Beside the whole prefix.

_NEW: Final = 256
RECURRENT: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "LSTM of 2 layers of 200": ("rnn", {"vocab": 1000, "width": 200}),
    "Mamba of 2 layers of 64": (
        "mamba_130m",
        {"vocab": 1000, "width": 64, "depth": 2, "states": 8},
    ),
}


def _prefixes(network: Any, prompt: Tensor, new: int) -> Tensor:
    """Tokens, for each of which the whole text is run."""

    def next_logits(tokens: Tensor) -> Tensor:
        logits: Tensor = network(tokens)[:, -1]
        return logits

    with torch.inference_mode():
        return sample(next_logits, prompt, Sampling(new, 0))


def _measure_prefixes(rounds: int) -> Figures:
    torch.set_num_threads(1)
    rows, ratios = [], {}
    for name, (spec, params) in RECURRENT.items():
        network, prompt = _network(spec, params), torch.randint(3, 1000, (1, 1))
        found = _timed(
            {
                "state": partial(greedy, network, prompt, _NEW),
                "prefix": partial(_prefixes, network, prompt, _NEW),
            },
            rounds,
        )
        ratios[name] = cpu_ratio(found["prefix"], found["state"])
        times = [seconds(one.cpu) for one in found.values()]
        rows.append([name, *times, f"{ratios[name]:.1f}"])
    return Figures(rows, ratios)


# The cost of a token by its position.

LENGTHS: Final = range(64, 1025, 64)
_EACH: Final = 16
"""The tokens that are run from each of the lengths on."""
GROWTH: Mapping[str, tuple[str, Mapping[str, Any], float | None]] = {
    "LSTM of 2 layers of 200": (*RECURRENT["LSTM of 2 layers of 200"], 1.15),
    "Mamba of 2 layers of 64": (*RECURRENT["Mamba of 2 layers of 64"], 1.15),
    "Mistral of 4 layers of 128, window 32": (
        "mistral",
        {
            "vocab": 1000,
            "width": 128,
            "hidden": 352,
            "depth": 4,
            "heads": 4,
            "kv_heads": 2,
            "window": 32,
        },
        1.15,
    ),
    "GPT-2 of 4 layers of 128": ("gpt2", {**_GPT2_OURS, "context": 2048}, None),
}
"""The most that a token at 1,024 may cost of one at 64, by the fitted lines; None where attention grows."""


def _by_position(network: Any, rounds: int) -> list[float]:
    """Seconds of a token from each length on: the least of rounds in which the lengths alternate."""
    token, states = torch.randint(3, 1000, (1, 1)), []
    with torch.inference_mode():
        state = network.init_state(max_length=LENGTHS[-1] + _EACH)
        for _ in LENGTHS:
            network.step(token.expand(1, LENGTHS.step), state)
            states.append(state.clone())
        found = [math.inf] * len(states)
        for _ in range(5 * rounds):
            for n, state in enumerate(states):
                going_on = state.clone()
                one = measured(partial(_tokens, network, token, going_on))
                found[n] = min(found[n], one.cpu / _EACH)
    return found


def _tokens(network: Any, token: Tensor, state: Any) -> None:
    for _ in range(_EACH):
        network.step(token, state)


def _measure_growth(rounds: int) -> Figures:
    torch.set_num_threads(1)
    rows, figures = [], {}
    for name, (spec, params, most) in GROWTH.items():
        network = _network(spec, params)
        times = _by_position(network, rounds)
        slope, start = statistics.linear_regression(list(LENGTHS), times)
        first, last = (start + slope * n for n in (LENGTHS[0], LENGTHS[-1]))
        each = f"{slope * 1e9:.0f}"
        cells = [f"{one * 1e6:.0f}" for one in (first, last)]
        rows.append([name, *cells, each, f"{last / first:.2f}"])
        if most is not None:
            figures[name] = last / first
    return Figures(rows, figures)


BESIDE_TRANSFORMERS: Final = Benchmark(
    title="Generation from a state, and transformers' generate",
    method=f"""\
Greedy, one thread, float32, alternating, in processor time; tokens per second. The generated module runs by
`runtime.decode.sample`, as in `layergraph generate`; transformers by `generate` with its cache. Prompts have {_PROMPT}
tokens, and sources of encoders {_SOURCE}.""",
    header=["", "generated", "transformers", "ratio"],
    bars={
        name: Bar(f"{name}: tokens per second", least=pair.least)
        for name, pair in PAIRS.items()
    },
    measure=_measure_pairs,
    rounds=7,
)
BESIDE_PREFIXES: Final = Benchmark(
    title="Generation from a state, and from the whole prefix",
    method=f"""\
{_NEW} tokens of one text, in processor time, by the same module: from a state, and by running `forward` over the whole
text for each.""",
    header=["", "from a state", "whole prefix", "ratio"],
    bars={name: Bar(f"{name}: ratio", least=3) for name in RECURRENT},
    measure=_measure_prefixes,
    rounds=3,
)
BY_POSITION: Final = Benchmark(
    title="The cost of a token by its position",
    method=f"""\
Microseconds of processor time of one token at position {LENGTHS[0]} and at {LENGTHS[-1]:,}, by a line that is fitted
to the least times at {len(LENGTHS)} lengths; the slope is in nanoseconds per position. Recurrences and windows
cost the same everywhere.""",
    header=["", f"at {LENGTHS[0]}", f"at {LENGTHS[-1]:,}", "slope", "ratio"],
    bars={
        name: Bar(f"{name}: ratio", most=most)
        for name, (_, _, most) in GROWTH.items()
        if most is not None
    },
    measure=_measure_growth,
    rounds=3,
)
