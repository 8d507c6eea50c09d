"""`compiler` and `runtime` are imported from beside this package, whatever else bears their names."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def import_own(name: str) -> None:
    """Import one of LayerGraph's top-level packages, before a folder of that name can take its place.

    Python looks for packages in the current folder first: a `runtime/` of the user's own would
    be found in place of ours.

    Raises:
        ImportError: if another package of this name is imported already.
    """
    if name not in sys.modules:
        sys.path.insert(0, str(_ROOT))
        try:
            import_module(name)
        finally:
            sys.path.remove(str(_ROOT))
    file = getattr(sys.modules[name], "__file__", None) or "somewhere else"
    if Path(file).resolve().parent != _ROOT / name:
        message = f"another package named {name} is imported already, from {file}, and LayerGraph has one of its own"
        raise ImportError(f"{message}: import layergraph first, or rename the other")
