"""Generated code beside code written by hand, on the same inputs."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn

from bench.hand_gpt2 import HandGPT2
from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import ROOT, Sample, Timing, alternate, cpu_ratio, measured
from compiler import compile_spec
from runtime.load import load_program

_SIZES: dict[str, tuple[dict[str, int], tuple[int, int]]] = {
    "GPT-2 small": ({}, (1, 128)),
    "narrow (width 64)": ({"width": 64, "heads": 4, "vocab": 512}, (1, 16)),
}
_WORK = {"forward": False, "forward and backward": True}


def _measure(rounds: int) -> Figures:
    torch.set_num_threads(1)
    rows, ratios = [], {}
    for size, (config, shape) in _SIZES.items():
        models = _models(config)
        vocab = int(config.get("vocab", 50257))
        tokens = torch.randint(vocab, shape)
        for work, backward in _WORK.items():
            found = _timed(models, tokens, backward, rounds)
            rows.append(_row(f"{size}, {work}", found))
            times = cpu_ratio(found["generated"], found["hand"])
            ratios[f"{size}, {work}"] = times
    return Figures(rows, ratios)


def _row(name: str, found: dict[str, Timing]) -> list[str]:
    row = [name, seconds(found["generated"].cpu)]
    for other in ("hand", "transformers"):
        times = cpu_ratio(found["generated"], found[other])
        row += [seconds(found[other].cpu), f"{times:.2f}"]
    return row


def _models(config: dict[str, int]) -> dict[str, nn.Module]:
    generated = load_program(compile_spec(ROOT / "specs/gpt2.yaml"))[""]
    models = {
        "generated": generated(**config),
        "hand": HandGPT2(**config),
        "transformers": _of_transformers(config),
    }
    counts = {sum(p.numel() for p in model.parameters()) for model in models.values()}
    assert len(counts) == 1, counts
    return models


def _of_transformers(config: dict[str, int]) -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    names = {"width": "n_embd", "heads": "n_head", "vocab": "vocab_size"}
    given: dict[str, Any] = {names[key]: value for key, value in config.items()}
    given |= {"attn_implementation": "sdpa", "use_cache": False}
    given |= {"bos_token_id": None, "eos_token_id": None}
    model: nn.Module = GPT2LMHeadModel(GPT2Config(**given))
    return model


def _timed(
    models: dict[str, nn.Module], tokens: Tensor, backward: bool, rounds: int
) -> dict[str, Timing]:
    repeats = _repeats(models["hand"], tokens, backward)

    def steps(model: nn.Module) -> Sample:
        several = measured(lambda: _steps(model, tokens, backward, repeats))
        return Sample(several.wall / repeats, several.cpu / repeats)

    jobs = {name: partial(steps, model) for name, model in models.items()}
    return alternate(jobs, rounds, warmups=2)


def _repeats(model: nn.Module, tokens: Tensor, backward: bool) -> int:
    """Steps that take some tenths of a second together."""
    _steps(model, tokens, backward, 1)
    once = measured(lambda: _steps(model, tokens, backward, 1)).wall
    return max(1, round(0.2 / once))


def _steps(model: nn.Module, tokens: Tensor, backward: bool, repeats: int) -> None:
    for _ in range(repeats):
        _step(model, tokens, backward)


def _step(model: nn.Module, tokens: Tensor, backward: bool) -> None:
    model.train(backward)
    with torch.set_grad_enabled(backward):
        found: Any = model(tokens)
    logits = found if isinstance(found, Tensor) else found.logits
    if backward:
        model.zero_grad(set_to_none=True)
        logits.sum().backward()


OF_GENERATED_CODE: Final = Benchmark(
    title="Speed of generated code",
    method="""\
Eager mode, one thread, float32, alternating, in processor time (by the clock, other work on the machine moves a ratio
by a tenth): the module that `build specs/gpt2.yaml` makes, `bench/hand_gpt2.py`, and transformers' GPT2LMHeadModel
(sdpa, no cache). Forward without gradients in eval mode; backward in training mode with dropout. The narrow network has
hardly anything to compute, so that its time is that of Python. A ratio is the time of the generated module to that of
the other; 0.1 is the noise.""",
    header=["", "generated", "by hand", "ratio", "transformers", "ratio"],
    bars={
        f"{size}, {work}": Bar(f"{size}, {work}: ratio to the one by hand", most=1.1)
        for size in _SIZES
        for work in _WORK
    },
    measure=_measure,
    rounds=21,
)
