"""Files of weights, as bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def packed(header: object, data: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def safetensors(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """A file of zeros."""
    header: dict[str, Any] = {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * math.prod(shape)
        header[name] = {
            "dtype": "F32",
            "shape": list(shape),
            "data_offsets": [start, end],
        }
    return packed(header, bytes(end))
