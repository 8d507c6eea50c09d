"""The export target that a file's suffix names: a module of `runtime.export.targets`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from compiler.diagnostics.extras import needs_extra
from compiler.op.find_modules import named_by_suffix

if TYPE_CHECKING:  # imports torch
    from runtime.export.export_source import ExportSource

_PACKAGE: Final = "runtime.export.targets"
ExportTarget: TypeAlias = "Callable[[ExportSource], bytes]"
"""Makes the content of a file. Raises what `find_target` says."""


def target_name(file: Path) -> str:
    """The name of the target for a file: its suffix without the dot.

    Raises:
        RequestError: if no target has this suffix.

    >>> target_name(Path("net.ONNX"))
    'onnx'
    """
    return named_by_suffix(_PACKAGE, file)


def find_target(name: str) -> ExportTarget:
    """The function `serialize` of a target's module, which names the extra that it needs as `EXTRA`.

    It raises:
        SpecError: if torch cannot export the network, or the weights do not fit.
        RequestError: if the source has several networks and the target takes one.
        MissingExtraError: if a package is missing.
    """
    with needs_extra("torch"):
        module = import_module(f"{_PACKAGE}.{name}")
    target: ExportTarget = needs_extra(module.EXTRA)(module.serialize)
    return target
