"""Values that lie: of other types, of any size, with control characters, with paths that lead elsewhere."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\u202e\x00\r\n"


def lying_value(rng: random.Random, outside: Path) -> Any:
    """A value that nobody expects."""
    return rng.choice(
        [
            *(None, True, "", [], {}, -1, 0, 0.5, 2**31, 2**63, 10**30, -(10**30)),
            *(
                float("nan"),
                float("inf"),
                -float("inf"),
                1e308,
                ESCAPES,
                "NaN",
                "1e999",
            ),
            *(
                "../" * 8 + "etc/passwd",
                str(outside / "victim"),
                str(outside),
                "/dev/zero",
            ),
            *("a" * 100_000, "\ud800", {"a": {"b": []}}, [[[1]]], [None], ["a", 1]),
        ]
    )


def changed(value: Any, rng: random.Random, outside: Path) -> Any:
    """A structure with one value, chosen at random, that lies, is missing, or is there twice."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        out = dict(value)
        match rng.randrange(8):
            case 0:
                del out[key]
            case 1:
                out[rng.choice(["", "x", ESCAPES, "__class__"])] = out.pop(key)
            case _:
                out[key] = changed(value[key], rng, outside)
        return out
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        out = list(value)
        match rng.randrange(8):
            case 0:
                del out[at]
            case 1:
                out.append(out[at])
            case _:
                out[at] = changed(value[at], rng, outside)
        return out
    return lying_value(rng, outside)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bytes that are cut off, changed, mixed, empty, or nested too deep."""
    at = rng.randrange(len(data) + 1)
    some = bytes(rng.randrange(256) for _ in range(8))
    return rng.choice(
        [
            b"",
            data[:at],
            data[at:],
            data[:at] + some + data[at + 8 :],
            data + data,
            data[:at] + bytes(64) + data[at:],
            b"\xff\xfe" + data,
            b"[" * 100_000,
            b'{"a":' * 100_000,
            ESCAPES.encode() * 9,
            data.replace(b"\n", b"\r"),
            data.replace(b"1", b"9" * 400),
        ]
    )


def as_json(value: Any) -> bytes:
    """JSON, with NaN and lone surrogates, as Python writes it."""
    return json.dumps(value).encode()
