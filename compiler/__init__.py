"""LayerGraph's compiler: from a YAML file to a PyTorch module, a diagram and a summary.

The face of the package, loaded when it is asked for: `compile_spec`, `Program`, `SpecError`, `Diagnostic`, `Limits`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compiler.diagnostics.diagnostic import Diagnostic, SpecError
    from compiler.diagnostics.limits import UNLIMITED, Limits
    from compiler.pipeline import compile_spec
    from compiler.program import Program

__all__ = ["UNLIMITED", "Diagnostic", "Limits", "Program", "SpecError", "compile_spec"]

_HOMES = {
    "Diagnostic": "compiler.diagnostics.diagnostic",
    "Limits": "compiler.diagnostics.limits",
    "Program": "compiler.program",
    "SpecError": "compiler.diagnostics.diagnostic",
    "UNLIMITED": "compiler.diagnostics.limits",
    "compile_spec": "compiler.pipeline",
}


def __getattr__(name: str) -> Any:
    """Load a public name; importing a part of the package does not load all of it."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
