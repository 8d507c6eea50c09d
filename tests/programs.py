"""The shipped architectures, compiled and built once in a process: tests read these, and change none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import init
from torch.overrides import TorchFunctionMode

from compiler import Program, compile_spec
from runtime.load import constructor_arguments, load_program

FOLDER = Path(__file__).parents[1] / "specs"
SPECS = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def compiled(spec: str, variant: str = "") -> Program:
    """A spec of the folder, by its stem, at its full size."""
    return compile_spec(FOLDER / f"{spec}.yaml", variant=variant)


@cache
def classes(spec: str, variant: str = "") -> Mapping[str, type[nn.Module]]:
    """The generated class of each of its networks."""
    return MappingProxyType(load_program(compiled(spec, variant)))


@cache
def on_meta(spec: str, network: str = "", variant: str = "") -> nn.Module:
    """One of its networks at full size, in eval mode, from the values that were compiled in."""
    kind = classes(spec, variant)[network]
    instance = compiled(spec, variant).typed.networks[network]
    return shapes_of(kind, **constructor_arguments(kind, instance)).eval()


def shapes_of(kind: Callable[..., nn.Module], **arguments: Any) -> nn.Module:
    """A module on the meta device, whose tensors have shapes and were never initialised."""
    with torch.device("meta"), _Uninitialised():
        return kind(**arguments)


class _Uninitialised(TorchFunctionMode):
    """Skips initialisers: on meta they compute nothing, in half of the time that a module takes to build."""

    def __torch_function__(
        self,
        func: Any,
        types: Collection[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in _INITIALISERS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


_INITIALISERS = {
    *(init.kaiming_normal_, init.kaiming_uniform_),
    *(Tensor.normal_, Tensor.uniform_, Tensor.fill_, Tensor.zero_),
}
