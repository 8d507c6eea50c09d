"""Networks that run in pieces, with random weights and inputs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn

from compiler.lower.step_flows import stream
from compiler.program import Program
from runtime.load import build_networks
from tests.programs import FOLDER, SPECS


def _text(name: str) -> str:
    """What a spec says, with what the spec says that it extends."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    base = re.search(r"^extends: (\w+)\.yaml$", text, re.MULTILINE)
    return text + (_text(base[1]) if base else "")


TEXTS = {name: _text(name) for name in SPECS}
STEPPED = [name for name, text in TEXTS.items() if "\nstep:" in text]
LENGTH = 11


class Stepped:
    """A network with random weights, and inputs: those that it needs, and some of the optional ones."""

    def __init__(self, program: Program, optional: Collection[str] = ()) -> None:
        ((_, instance),) = program.typed.networks.items()
        self.network: Any
        found = stream(program.typed, program.typed.graph.spec.step)
        assert found is not None
        self.axes, self.instance = found.axes, instance
        torch.manual_seed(0)
        (self.network,) = build_networks(program).values()
        self.network.double().eval()
        for parameter in self.network.parameters():
            nn.init.normal_(parameter, std=0.3)
        self.inputs = {
            name: self._input(name)
            for name, kind in instance.inputs.items()
            if kind is not None
            and (name in optional or not instance.scope.inputs[name].optional)
        }

    def _input(self, name: str) -> Tensor:
        kind = self.instance.inputs[name]
        assert kind is not None
        shape = []
        for size in kind.shape:
            value = self.instance.context.value(size)
            constant = value.constant
            shape.append(3 if constant is None else constant)
        for axis in [self.axes[name]] if name in self.axes else []:
            shape[axis] = LENGTH
        if kind.kind == "float":
            return torch.randn(shape, dtype=torch.float64)
        if kind.kind == "bool":
            return torch.ones(shape, dtype=torch.bool)
        return torch.randint(2, 7, shape)

    def whole(self) -> Tensor:
        return first(self.network(**self.inputs))

    def begin(self, max_length: int | None) -> Any:
        taken = inspect.signature(self.network.init_state).parameters
        static = {n: x for n, x in self.inputs.items() if n in taken}
        return self.network.init_state(**static, max_length=max_length)

    def pieces(self, sizes: list[int], state: Any) -> Tensor:
        found, start = [], 0
        for size in sizes:
            found.append(
                first(self.network.step(**self.part(start, size), state=state))
            )
            start += size
        return torch.cat(found, 1)

    def part(self, start: int, size: int) -> dict[str, Tensor]:
        """The inputs that come in pieces, at some positions."""
        return {
            name: self.inputs[name].narrow(axis, start, size)
            for name, axis in self.axes.items()
            if name in self.inputs
        }


def first(result: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The only output, or the first."""
    return result[0] if isinstance(result, tuple) else result
