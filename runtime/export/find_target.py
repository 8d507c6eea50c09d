"""The export target that a file's suffix names: a module of `runtime.export.targets`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, TypeAlias

import runtime.export.targets
from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra

if TYPE_CHECKING:  # imports torch
    from runtime.export.export_source import ExportSource

ExportTarget: TypeAlias = "Callable[[ExportSource], bytes]"
"""Makes the content of a file. Raises what `find_target` says."""


def target_name(file: Path) -> str:
    """The name of the target for a file: its suffix without the dot.

    Raises:
        RequestError: if no target has this suffix.

    >>> target_name(Path("net.ONNX"))
    'onnx'
    """
    names = sorted(one.name for one in iter_modules(runtime.export.targets.__path__))
    name = file.suffix.lower().removeprefix(".")
    if name not in names:
        suffixes = ", ".join(f".{name}" for name in names)
        raise RequestError(f"{file} must end in one of {suffixes}")
    return name


def find_target(name: str) -> ExportTarget:
    """The function `serialize` of a target's module, which names the extra that it needs as `EXTRA`.

    It raises:
        SpecError: if torch cannot export the network, or the weights do not fit.
        RequestError: if the source has several networks and the target takes one.
        MissingExtraError: if a package is missing.
    """
    with needs_extra("torch"):
        module = import_module(f"runtime.export.targets.{name}")
    target: ExportTarget = needs_extra(module.EXTRA)(module.serialize)
    return target
