"""Hooks on every layer of a live network, by its path in the spec.

Layers with weights are modules, and have module hooks. The others are calls of torch functions in
the `forward` of a generated class, where a statement assigns a layer's output to a variable with
its name: the name is read from the bytecode.
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
"""Called with a layer's path, such as `h.0.attn.c_proj`, and the tensors that it returned."""

_RETURNED: Final = "return"
"""Stands for a returned value; no variable can have this name."""
_WRAPPERS: Final = {"_fsdp_wrapped_module", "_forward_module", "_orig_mod"}
"""Parts of module paths that FSDP, Fabric and torch.compile add."""


@contextmanager
def hook_layers(network: nn.Module, hook: LayerHook) -> Iterator[None]:
    """Call a hook after every layer of a generated network, in the order of execution, until the context ends.

    For a layer that is several torch calls, the hook is called several times. A layer that a
    block returns without assigning it is called as the block. The network itself is "".
    """
    running: list[tuple[str, nn.Module]] = []
    with ExitStack() as stack:
        for name, module in network.named_modules():
            path = ".".join(part for part in name.split(".") if part not in _WRAPPERS)
            for handle in _hook_module(path, module, running, hook):
                stack.callback(handle.remove)
        with _FunctionHooks(running, _source_file(network), hook):
            yield


def _hook_module(
    path: str, module: nn.Module, running: list[tuple[str, nn.Module]], hook: LayerHook
) -> Iterator[Any]:
    """Register the hooks of a module; yields their handles."""

    def before(_module: nn.Module, _inputs: object) -> None:
        running.append((path, module))

    def after(_module: nn.Module, _inputs: object, output: object) -> None:
        running.pop()
        hook(path, list(tensors(output)))

    yield module.register_forward_pre_hook(before)
    yield module.register_forward_hook(after)


class _FunctionHooks(TorchFunctionMode):
    """Calls a hook for the torch functions that the `forward` of a generated class calls.

    Args:
        running: the stack of running modules with their paths.
        file: the generated file.
        hook: called with the path of the layer.
    """

    def __init__(
        self, running: list[tuple[str, nn.Module]], file: str, hook: LayerHook
    ) -> None:
        super().__init__()
        self._running, self._file, self._hook = running, file, hook

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        outputs = list(tensors(result))
        if outputs and self._running:
            path, module = self._running[-1]
            name = self._layer(module, sys._getframe(1))
            if name:
                self._hook(f"{path}.{name}" if path else name, outputs)
        return result

    def _layer(self, module: nn.Module, frame: FrameType | None) -> str:
        """The layer whose statement a module's `forward` is executing; "" if none."""
        if _source_file(module) != self._file:
            return ""
        code = type(module).forward.__code__
        while frame is not None and frame.f_code is not code:
            frame = frame.f_back
        return assigned_variable(code, frame.f_lasti) if frame else ""


def _source_file(module: nn.Module) -> str:
    """The file of a module's `forward`, also if a wrapper has replaced its class by a subclass."""
    return type(module).forward.__code__.co_filename


def assigned_variable(code: CodeType, offset: int) -> str:
    """The variable that the statement at a bytecode offset assigns; "" if it returns its value.

    A layer whose name Python reserves has a variable with a trailing underscore, which is removed.
    """
    names = (
        name for end, name in _statement_ends(code) if end > offset and name.strip("_")
    )
    name = next(names, _RETURNED)
    return "" if name == _RETURNED else name.rstrip("_")


@cache
def _statement_ends(code: CodeType) -> tuple[tuple[int, str], ...]:
    """The bytecode offsets at which a variable is assigned or a value is returned, with the variable."""
    ends = []
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith("STORE_FAST"):
            ends.append((instruction.offset, str(instruction.argval)))
        elif instruction.opname.startswith("RETURN"):
            ends.append((instruction.offset, _RETURNED))
    return tuple(ends)


def tensors(value: object) -> Iterator[Tensor]:
    """The tensors in a layer's output: a tensor, or nested tuples and lists of tensors."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors(item)
