"""From a built file, or a compiled program, to live torch modules."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from compiler import Program
from compiler.ir.typed import Instance


def load_file(path: str | Path) -> ModuleType:
    """Import a generated file as a module of its own, whatever its name.

    Raises:
        ImportError: where the file is none of Python.
    """
    file = Path(path)
    name = f"layergraph_built_{file.stem}_{abs(hash(file.resolve()))}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load_program(program: Program) -> dict[str, type[nn.Module]]:
    """The classes of a program's networks, by the names of the networks ("" for one)."""
    with tempfile.TemporaryDirectory(prefix="layergraph-") as folder:
        file = Path(folder) / f"{program.name}.py"
        file.write_text(program.python, encoding="utf-8")
        module = load_file(file)
    networks = program.typed.networks
    return {key: getattr(module, net.scope.name) for key, net in networks.items()}


def build_networks(program: Program) -> dict[str, nn.Module]:
    """The networks of a program as live modules, weights as the spec's `init` and torch's random state give them."""
    return {
        name: network(**constructor_arguments(network, program.typed.networks[name]))
        for name, network in load_program(program).items()
    }


def constructor_arguments(
    network: type[nn.Module], instance: Instance
) -> dict[str, Any]:
    """The params of the network that its class takes, with the values compiled."""
    taken = inspect.signature(network).parameters
    return {name: instance.params[name] for name in taken if name in instance.params}
