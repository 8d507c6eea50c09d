"""Values as a spec writes them."""

from __future__ import annotations

from typing import Any

from compiler.symbolic.dims import Dim


def as_yaml(value: Any) -> str:
    """A value in YAML, on one line.

    >>> as_yaml((Dim.of(0),)), as_yaml(None), as_yaml(1e-05), as_yaml([True, "relu"])
    ('0', 'null', '1e-05', '[true, relu]')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], Dim):
        return str(value[0])
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(as_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{k}: {as_yaml(v)}' for k, v in value.items())}}}"
    return str(value)
