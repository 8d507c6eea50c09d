"""Generated networks beside those of transformers, by turns, on the same inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn

from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import ROOT, Sample, Timing, alternate, cpu_ratio, measured
from compiler import compile_spec
from runtime.load import load_program

_WORK = {"forward": False, "forward and backward": True}
Inputs = Callable[[], tuple[Tensor, ...]]


@dataclass(frozen=True)
class Pair:
    """A spec and the class of transformers that is the same network.

    Attributes:
        ours: params of the spec; theirs: the same sizes, as the configuration has them.
        inputs: what both are given, in the order of the spec's inputs.
        names: what the class calls these.
    """

    spec: str
    model: str
    inputs: Inputs
    names: tuple[str, ...]
    ours: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)


def _tokens(vocab: int, *shape: int) -> Tensor:
    return torch.randint(1, vocab, shape)


_LLAMA = {
    "vocab_size": 8192,
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
}
PAIRS: Mapping[str, Pair] = {
    "ResNet-50, 2 images of 224": Pair(
        "resnet50",
        "ResNetForImageClassification",
        lambda: (torch.randn(2, 3, 224, 224),),
        ("pixel_values",),
        theirs={"num_labels": 1000},
    ),
    "ViT-B/16, an image of 224": Pair(
        "vit",
        "ViTForImageClassification",
        lambda: (torch.randn(1, 3, 224, 224),),
        ("pixel_values",),
        theirs={"num_labels": 1000},
    ),
    "BERT-base, 128 tokens": Pair(
        "bert",
        "BertModel",
        lambda: (
            _tokens(30522, 1, 128),
            torch.zeros(1, 128, dtype=torch.int64),
            torch.ones(1, 128, dtype=torch.bool),
        ),
        ("input_ids", "token_type_ids", "attention_mask"),
    ),
    "GPT-2 small, 128 tokens": Pair(
        "gpt2", "GPT2LMHeadModel", lambda: (_tokens(50257, 1, 128),), ("input_ids",)
    ),
    "Llama of 8 layers of 512, 128 tokens": Pair(
        "llama3",
        "LlamaForCausalLM",
        lambda: (_tokens(8192, 1, 128),),
        ("input_ids",),
        ours={
            "vocab": 8192,
            "width": 512,
            "hidden": 1408,
            "depth": 8,
            "heads": 8,
            "kv_heads": 2,
        },
        theirs=_LLAMA,
    ),
    "T5-small, 64 tokens to 64": Pair(
        "t5_small",
        "T5ForConditionalGeneration",
        lambda: (
            _tokens(32128, 1, 64),
            torch.ones(1, 64, dtype=torch.bool),
            _tokens(32128, 1, 64),
            torch.ones(1, 64, dtype=torch.bool),
        ),
        ("input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask"),
        theirs={"num_layers": 6, "d_model": 512, "d_kv": 64, "num_heads": 8},
    ),
}


JOBS: Mapping[str, tuple[Pair, bool]] = {
    f"{name}, {work}": (pair, backward)
    for name, pair in PAIRS.items()
    for work, backward in _WORK.items()
}
"""Each pair twice: forward, and forward with backward."""


def _measure(rounds: int) -> Figures:
    torch.set_num_threads(1)
    rows, ratios = [], {}
    for pair in PAIRS.values():
        steps = {"generated": _generated(pair), "reference": _reference(pair)}
        for name, (one, backward) in JOBS.items():
            if one is pair:
                found = _timed(steps, backward, rounds)
                ratios[name] = cpu_ratio(found["generated"], found["reference"])
                cells = [seconds(found[job].cpu) for job in steps]
                rows.append([name, *cells, f"{ratios[name]:.2f}"])
    return Figures(rows, ratios)


def _generated(pair: Pair) -> Callable[[bool], None]:
    kind = load_program(compile_spec(ROOT / f"specs/{pair.spec}.yaml"))[""]
    model, inputs = kind(**pair.ours), pair.inputs()
    return partial(_step, model, lambda: model(*inputs))


def _reference(pair: Pair) -> Callable[[bool], None]:
    import transformers

    kind: Any = getattr(transformers, pair.model)
    config = kind.config_class(**pair.theirs)
    model, inputs = kind(config), dict(zip(pair.names, pair.inputs(), strict=True))
    cached = {"use_cache": False} if hasattr(config, "use_cache") else {}
    return partial(_step, model, lambda: model(**inputs, **cached, return_dict=False))


def _step(model: nn.Module, run: Callable[[], Any], backward: bool) -> None:
    model.train(backward)
    with torch.set_grad_enabled(backward):
        found = run()
    first: Tensor = found[0] if isinstance(found, tuple) else found
    if backward:
        model.zero_grad(set_to_none=True)
        first.sum().backward()  # type: ignore[no-untyped-call]


def _timed(
    steps: Mapping[str, Callable[[bool], None]], backward: bool, rounds: int
) -> dict[str, Timing]:
    def sample(step: Callable[[bool], None]) -> Sample:
        return measured(lambda: step(backward))

    jobs = {name: partial(sample, step) for name, step in steps.items()}
    return alternate(jobs, rounds, warmups=2)


OF_REFERENCES: Final = Benchmark(
    title="Generated networks and their references",
    method="""\
Eager mode, one thread, float32, alternating, in processor time: the module of each spec, and the class of transformers
that `make test-reference` compares it with (scaled dot product attention, no cache), of the same sizes. Forward
without gradients in eval mode; backward in training mode with the dropout of both. The ratio is the time of the
generated module to that of the other; 0.1 is the noise.""",
    header=["", "generated", "transformers", "ratio"],
    bars={name: Bar(f"{name}: ratio", most=1.1) for name in JOBS},
    measure=_measure,
    rounds=11,
)
