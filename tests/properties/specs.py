"""Random specs: mostly right, for most of them runs; some wrong for a reason that torch has, too."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from tests.properties.sketch import Config, Drawn, Sketch, Value, counter, written
from tests.properties.structures import go_on

PARAMS: Config = {"width": 8, "hidden": "2 * width", "depth": 2, "flag": True}
"""Those that a spec names are declared."""
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "width": st.sampled_from([4, 12, 16]),
    "hidden": st.sampled_from([4, 8, 24]),
    "depth": st.integers(1, 4),
    "flag": st.just(False),
}
WIDTHS = ["4", "8", "8", "width", "width", "hidden", "width + 4"]
INPUTS: dict[str, dict[str, tuple[str, Value]]] = {
    "sequence": {
        "x": ("float[B, T, 8]", Value("x", "seq", "8", "T")),
        "tokens": ("int[B, T]", Value("tokens", "tokens", "", "T")),
        "memory": ("float[B, S, 8]", Value("memory", "seq", "8", "S")),
        "z": ("float[B, T, width]", Value("z", "seq", "width", "T")),
        "context": ("float[B, hidden]", Value("context", "vec", "hidden")),
    },
    "image": {
        "image": ("float[B, 4, H, W]", Value("image", "image", "4", "H, W")),
        "other": ("float[B, 8, H, W]", Value("other", "image", "8", "H, W")),
        "square": ("float[B, 4, H, H]", Value("square", "image", "4", "H, H")),
        "small": ("float[B, 8, 8, 8]", Value("small", "image", "8", "8, 8")),
        "context": ("float[B, 8]", Value("context", "vec", "8")),
    },
}


@st.composite
def drawn_specs(draw: st.DrawFn) -> Drawn:
    """A network of one or two inputs, of a few layers, and the blocks that it uses."""
    inputs = INPUTS[draw(st.sampled_from(sorted(INPUTS)))]
    names = draw(st.lists(st.sampled_from(sorted(inputs)), min_size=1, max_size=2))
    chosen = {name: inputs[name] for name in inputs if name in names}
    sketch = Sketch(draw, {}, counter(), WIDTHS, flags=["flag"], counts=["depth"])
    sketch.values = [value for _, value in chosen.values()]
    go_on(sketch, draw(st.integers(1, 7)))
    spec: Config = {
        "inputs": {name: kind for name, (kind, _) in chosen.items()},
        "layers": sketch.layers,
        "outputs": _outputs(sketch),
        "blocks": sketch.blocks,
    }
    return _finished(draw, {key: part for key, part in spec.items() if part})


def _outputs(sketch: Sketch) -> dict[str, str]:
    made = [v.name for v in sketch.values if v.name.partition(".")[0] in sketch.layers]
    names = [made[-1], *([sketch.pick(*made)] if sketch.flip() else [])]
    return {f"y{k}": name for k, name in enumerate(dict.fromkeys(names))}


def _finished(draw: st.DrawFn, spec: Config) -> Drawn:
    network = written({k: part for k, part in spec.items() if k != "blocks"})
    used = {name for name in PARAMS if re.search(rf"\b{name}\b", network)}
    used |= {"width"} if "hidden" in used else set()
    params = {name: PARAMS[name] for name in PARAMS if name in used}
    symbols = sorted(set(re.findall(r"\b[BTSHW]\b", str(spec["inputs"]))))
    dims = {name: draw(ranges(name)) for name in symbols}
    dims = {name: bounds for name, bounds in dims.items() if bounds}
    head = {"name": "Net", "params": params, "dims": dims}
    text = written({k: part for k, part in head.items() if part} | spec)
    settings = {name: draw(st.none() | OTHERS[name]) for name in params}
    return Drawn(text, dims, {k: v for k, v in settings.items() if v is not None})


def ranges(symbol: str) -> st.SearchStrategy[dict[str, int]]:
    """What a symbol may be: images are large and even, mostly."""
    if symbol == "B":
        return st.just({})
    some: list[dict[str, int]] = [{}, {"min": 2}, {"min": 4}, {"max": 16}]
    large: list[dict[str, int]] = [{"min": 8, "multiple_of": k} for k in (2, 4, 8)]
    return st.sampled_from(some + large * (2 if symbol in "HW" else 1))
