"""LayerGraph's runtime: networks that live, learn and run.

The face of the package: `load`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.weights import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """Load what is public when it is asked for: most of the command line does without torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runtime import weights

    return getattr(weights, name)
