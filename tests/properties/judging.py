"""What is asked of a compiled spec, and of a refused one."""

from __future__ import annotations

import itertools
import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from compiler import Program, compile_spec
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.ir.counts import ParameterCounter

Dims = Mapping[str, Mapping[str, int]]


def compiled(text: str, **options: Any) -> Program:
    """Compile a text; what is wrong is in its diagnostics."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "net.yaml")
        file.write_text(text, encoding="utf-8")
        return compile_spec(file, strict=False, **options)


def errors(program: Program) -> list[Diagnostic]:
    """What keeps a spec from being a network."""
    return [found for found in program.check() if found.severity == "error"]


def declared(diagnostics: list[Diagnostic], dims: Dims) -> dict[str, dict[str, int]]:
    """`dims` with all that the diagnostics say to declare."""
    merged = {name: dict(bounds) for name, bounds in dims.items()}
    for found in diagnostics:
        for name, bounds in _advice(found).items():
            own = merged.setdefault(name, {})
            if "multiple_of" in bounds:
                step = math.lcm(own.get("multiple_of", 1), bounds["multiple_of"])
                own["multiple_of"] = step
            if "min" in bounds:
                own["min"] = max(own.get("min", 1), bounds["min"])
            if "max" in bounds:
                own["max"] = min(own.get("max", bounds["max"]), bounds["max"])
    return merged


def _advice(diagnostic: Diagnostic) -> dict[str, dict[str, int]]:
    found = re.search(r"declare dims: (\{.*\})", diagnostic.help)
    return yaml.safe_load(found[1]) if found else {}


def advised(diagnostic: Diagnostic) -> bool:
    """Whether the message says what to declare."""
    return bool(_advice(diagnostic))


def with_dims(text: str, dims: Dims) -> str:
    """A spec with other `dims`."""
    spec = yaml.safe_load(text)
    before = {key: spec.pop(key) for key in ("name", "params") if key in spec}
    spec.pop("dims", None)
    return yaml.safe_dump({**before, "dims": dims, **spec}, sort_keys=False, width=100)


def admitted(text: str, dims: Dims, most: int) -> Iterator[dict[str, int]]:
    """Values of the symbols of a spec: small ones, and at last a large one.

    None for a spec with a scan, which must name a dimension.
    """
    if "scan:" in text:
        return
    symbols = sorted(set(re.findall(r"\b[BTSHW]\b", text)))
    values = [
        _values(dims.get(name, {}), 2 if name == "B" else most) for name in symbols
    ]
    for sizes in itertools.product(*values):
        yield dict(zip(symbols, sizes, strict=True))


def _values(bounds: Mapping[str, int], most: int) -> list[int]:
    step, last = bounds.get("multiple_of", 1), bounds.get("max", math.inf)
    first = -(-bounds.get("min", 1) // step) * step
    sizes = [*range(first, first + most * step, step), first + 32 * step]
    return [n for n in sizes if n <= last]


def fixed(text: str, sizes: Mapping[str, int]) -> str:
    """A spec with numbers for its symbols."""
    spec = yaml.safe_load(text)
    spec.pop("dims", None)
    text = yaml.safe_dump(spec, sort_keys=False, width=100)
    return re.sub(r"\b[BTSHW]\b", lambda found: str(sizes[found[0]]), text)


def parameters(program: Program) -> int:
    """How many learned values there are."""
    return sum(map(ParameterCounter().instance, program.typed.networks.values()))
