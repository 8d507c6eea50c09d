"""The networks of every file in specs/: small, with inputs of several sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from compiler import Program
from compiler.ir.typed import Instance
from compiler.symbolic.symbols import Symbol, of_networks
from runtime.load import constructor_arguments, load_program
from tests.programs import SPECS, compiled

_SMALL = Path(__file__).parents[1] / "small"

NONE: Mapping[str, int] = {}

_DTYPES = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}


TRACED: Mapping[str, tuple[str, ...]] = {
    "train": (
        "cohere",
        "dit",
        "mamba_130m",
        "pixelcnn",
        "rnn",
        "swin_t",
        "t5_small",
        "unet",
    ),
    "eval": ("dlrm", "gpt2", "transformer", "wgan_gp"),
    "traced": ("autoencoder", "detector", "elman", "llama3", "nerf", "tabular"),
    "strict": ("bloom", "forecaster", "gpt_oss", "opt", "two_heads", "vae"),
}
"""What torch traces in `make test`, compiled in training or evaluation or exported traced or strict: it takes long.

Between them they have all that is carried from compiler/library, images, sequences, scans, experts, several inputs and
several networks. A layer of torch is traced as torch itself does; what forward says in Python is what can go wrong.
"""


def these(wanted: Collection[str]) -> list[Any]:
    """Some specs; the others in `make test-deep`."""
    deep = pytest.mark.deep
    return [
        pytest.param(spec, marks=() if spec in wanted else deep, id=spec)
        for spec in SPECS
    ]


def traced(*modes: str) -> list[Any]:
    """The specs that torch traces in each mode; the others in `make test-deep`."""
    return [
        pytest.param(
            spec,
            mode,
            marks=() if spec in TRACED[mode] else pytest.mark.deep,
            id=f"{mode}-{spec}",
        )
        for spec in SPECS
        for mode in modes
    ]


@cache
def sizes(spec: str) -> Mapping[str, Any]:
    """The params that make a spec small, from tests/small; none where it is small already."""
    return _told(spec).get("params", {})


@cache
def least(spec: str) -> Mapping[str, int]:
    """Sizes of symbols from which on no image shrinks to one pixel on the way."""
    return _told(spec).get("least", {})


@cache
def exported_from(spec: str) -> Mapping[str, int]:
    """Sizes of symbols from which on torch can export a spec, where that is not from 1."""
    return _told(spec).get("exported_from", {})


def _told(spec: str) -> dict[str, Any]:
    file = _SMALL / f"{spec}.yaml"
    return yaml.safe_load(file.read_text()) if file.exists() else {}


@cache
def small(spec: str) -> Program:
    """A spec of the folder with the params that make it small."""
    return compiled(spec, settings=sizes(spec))


@dataclass(frozen=True, eq=False)
class Network:
    """A network of a small program: what inference knows, and the generated class."""

    spec: str
    instance: Instance
    kind: type[nn.Module]

    def new(self) -> nn.Module:
        """A module with the same random weights every time."""
        torch.manual_seed(0)
        return self.kind(**constructor_arguments(self.kind, self.instance))

    def sizes(self, draw: int) -> dict[str, int]:
        """Values of the symbols: all different; in draw -1 the least there are."""
        domain = self.instance.context.domain
        from_size = least(self.spec)
        chosen = {}
        for k, symbol in enumerate(self.symbols()):
            values = domain.constraint(symbol).values(128)
            place = 1 if draw == -1 else from_size.get(str(symbol), 2 + 2 * k) + draw
            chosen[str(symbol)] = values[(place - 1) % len(values)]
        return chosen

    def symbols(self) -> list[Symbol]:
        """The symbols of the inputs, in the order in which they are written."""
        value = self.instance.context.value
        found = (
            symbol
            for kind in self.instance.inputs.values()
            if kind is not None
            for size in kind.shape
            for symbol in sorted(value(size).symbols)
        )
        return list(dict.fromkeys(found))

    def inputs(self, draw: int = 0, first: Mapping[str, int] = NONE) -> list[Tensor]:
        """Random tensors; no sequence begins with padding, no mask is empty."""
        sizes = {k: max(n, first.get(k, n)) for k, n in self.sizes(draw).items()}
        torch.manual_seed(1 + draw)
        value = self.instance.context.value
        made = []
        for kind in self.instance.inputs.values():
            assert kind is not None
            shape = [value(size).evaluate(of_networks(sizes)) for size in kind.shape]
            if kind.kind == "float":
                made.append(torch.randn(shape))
                continue
            below = 2 if kind.kind == "bool" else self._entries()
            made.append(torch.randint(below, shape).to(_DTYPES[kind.kind]))
            made[-1][..., 0] = 1
        return made

    def _entries(self) -> int:
        """How many integers are an index into every table of the network."""
        tables = (m for m in self.new().modules() if isinstance(m, nn.Embedding))
        return min((table.num_embeddings for table in tables), default=2)


def networks(spec: str, *, portable: bool = False) -> Iterator[Network]:
    """The networks of a spec, small; `portable` ones for torch.compile and torch.export."""
    program = small(spec).portable() if portable else small(spec)
    classes = load_program(program)
    for name, instance in program.typed.networks.items():
        yield Network(spec, instance, classes[name])


def outputs(given: Any) -> tuple[Tensor, ...]:
    """What a network returned, as a tuple."""
    return given if isinstance(given, tuple) else (given,)


def weighted_sum(given: Any) -> Tensor:
    """A number whose gradient is different at every place of every output."""
    torch.manual_seed(7)
    return torch.stack([(t * torch.randn_like(t)).sum() for t in outputs(given)]).sum()


def gradients(module: nn.Module) -> dict[str, Tensor | None]:
    """The gradients of the parameters by name."""
    return {name: tensor.grad for name, tensor in module.named_parameters()}
