"""Load generated code: a file as a Python module, a program as live torch modules."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import init
from torch.overrides import TorchFunctionMode

from compiler import Program
from compiler.codegen.namespace import fresh_names
from compiler.diagnostics.diagnostic import RequestError
from compiler.ir.typed import Instance

BUILT: Final = "layergraph_built_"
"""What the names of generated modules start with in `sys.modules`."""


def load_file(path: str | Path) -> ModuleType:
    """Import a generated file; its name need not be an identifier.

    Raises:
        ImportError: if it is not a Python file.
    """
    file = Path(path)
    name = f"{BUILT}{file.stem}_{abs(hash(file.resolve()))}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load_program(program: Program) -> dict[str, type[nn.Module]]:
    """The classes of a program's networks by name; "" is the name of the only one."""
    with tempfile.TemporaryDirectory(prefix="layergraph-") as folder:
        file = Path(folder) / f"{program.name}.py"
        file.write_text(program.python, encoding="utf-8")
        module = load_file(file)
    networks = program.typed.networks
    return {
        name: getattr(module, instance.scope.name)
        for name, instance in networks.items()
    }


def build_networks(program: Program) -> dict[str, nn.Module]:
    """The networks of a program as live modules by name.

    Weights are initialised as the spec says, with torch's global random state.

    Raises:
        RequestError: if there is not enough memory for them.
    """
    networks = {}
    for name, network in load_program(program).items():
        arguments = constructor_arguments(network, program.typed.networks[name])
        try:
            networks[name] = network(**arguments)
        except (MemoryError, RuntimeError) as error:
            if not _is_memory_error(error):
                raise
            what = f"the network {name}" if name else "the network"
            message = f"there is not enough memory for {what} of {program.name}"
            raise RequestError(message) from None
    return networks


def _is_memory_error(error: Exception) -> bool:
    """Whether memory could not be allocated: torch raises a RuntimeError, on CPUs without a type of its own."""
    own = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return own or "allocate memory" in str(error)


def build_on_meta(
    kind: Callable[..., nn.Module], *args: Any, **arguments: Any
) -> nn.Module:
    """A module on the meta device: its tensors have shapes and dtypes, and are not initialised, which is slow there."""
    with torch.device("meta"), Uninitialised():
        return kind(*args, **arguments)


class Uninitialised(TorchFunctionMode):
    """Skips torch's initialisers: new tensors have any values."""

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


_INITIALISERS: Final = {
    *(init.kaiming_normal_, init.kaiming_uniform_),
    *(Tensor.normal_, Tensor.uniform_, Tensor.fill_, Tensor.zero_),
}


def accepted_params(network: type[nn.Module], instance: Instance) -> dict[str, str]:
    """The params that a generated class takes, with what its constructor calls them: `dict` is `dict_`."""
    accepted = inspect.signature(network).parameters
    names = fresh_names(instance.params)
    return {name: argument for name, argument in names.items() if argument in accepted}


def constructor_arguments(
    network: type[nn.Module], instance: Instance
) -> dict[str, Any]:
    """The arguments of a generated class: the compiled values of the params that it takes."""
    params = accepted_params(network, instance)
    return {argument: instance.params[name] for name, argument in params.items()}


def tied_names(module: nn.Module) -> set[str]:
    """The names of tied parameters except their first."""
    names = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    return names - {name for name, _ in module.named_parameters()}
