"""What every layer of a live network gives, by its path in the spec, while the network runs.

Layers with weights are modules, and have hooks. The others are calls of torch in a
`forward` of the generated file, where a statement assigns a layer to a variable of its
name: the name is read from the code that runs.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from types import CodeType, FrameType
from typing import Any, Final

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

LayerHook = Callable[[str, list[Tensor]], None]
"""Is told a path, as `h.0.attn.c_proj`, and the tensors that the layer gives."""

_RETURNED: Final = "return"
"""No variable has this name."""
_WRAPPERS: Final = {"_fsdp_wrapped_module", "_forward_module", "_orig_mod"}
"""Names that devices put into the paths of modules."""


@contextmanager
def hook_layers(network: nn.Module, saw: LayerHook) -> Iterator[None]:
    """Tell of every layer of a generated network, in the order in which they run, until the context ends.

    A layer that is several calls of torch is told of several times; one that a block returns
    as it is made is told of as the block, and "" is the network.
    """
    running: list[tuple[str, nn.Module]] = []
    with ExitStack() as hooks:
        for name, module in network.named_modules():
            path = ".".join(part for part in name.split(".") if part not in _WRAPPERS)
            for hook in _hook(path, module, running, saw):
                hooks.callback(hook.remove)
        with _Calls(running, _file(network), saw):
            yield


def _hook(
    path: str, module: nn.Module, running: list[tuple[str, nn.Module]], saw: LayerHook
) -> Iterator[Any]:
    def enter(_module: nn.Module, _inputs: object) -> None:
        running.append((path, module))

    def leave(_module: nn.Module, _inputs: object, output: object) -> None:
        running.pop()
        saw(path, list(tensors(output)))

    yield module.register_forward_pre_hook(enter)
    yield module.register_forward_hook(leave)


class _Calls(TorchFunctionMode):
    """Sees the calls of torch that stand in the `forward` of a generated class."""

    def __init__(
        self, running: list[tuple[str, nn.Module]], file: str, saw: LayerHook
    ) -> None:
        super().__init__()
        self._running, self._file, self._saw = running, file, saw

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        found = list(tensors(result))
        if found and self._running:
            path, module = self._running[-1]
            name = self._layer(module, sys._getframe(1))
            if name:
                self._saw(f"{path}.{name}" if path else name, found)
        return result

    def _layer(self, module: nn.Module, frame: FrameType | None) -> str:
        if _file(module) != self._file:
            return ""
        code = type(module).forward.__code__
        while frame is not None and frame.f_code is not code:
            frame = frame.f_back
        return assigned_variable(code, frame.f_lasti) if frame else ""


def _file(module: nn.Module) -> str:
    """The file of a module's code, which stays the same where devices put a class over its class."""
    return type(module).forward.__code__.co_filename


def assigned_variable(code: CodeType, offset: int) -> str:
    """The variable that the statement at an offset of the code gives a value; "" where it returns one.

    Names of layers that Python has for itself have an underscore there: it is taken off.
    """
    names = (name for at, name in _ends(code) if at > offset and name.strip("_"))
    found = next(names, _RETURNED)
    return "" if found == _RETURNED else found.rstrip("_")


@cache
def _ends(code: CodeType) -> tuple[tuple[int, str], ...]:
    """Where a statement gives a variable its value, or returns, with the variable."""
    ends = []
    for one in dis.get_instructions(code):
        if one.opname.startswith("STORE_FAST"):
            ends.append((one.offset, str(one.argval)))
        elif one.opname.startswith("RETURN"):
            ends.append((one.offset, _RETURNED))
    return tuple(ends)


def tensors(value: object) -> Iterator[Tensor]:
    """The tensors in what a layer gives: one, or tuples and lists of them."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from tensors(one)
