"""An example of each op: the simplest network with it that compiles.

It is found by trying: its required arguments from a table, its inputs from a few types.
"""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import SpecError
from compiler.op.as_yaml import as_yaml
from compiler.op.op import Op, required_arguments
from compiler.op.registry import ops
from compiler.pipeline import compile_spec
from compiler.program import Program

Config: TypeAlias = dict[str, Any]

_ARGUMENTS: Final[Config] = {
    "chunks": 2,
    "cutoffs": [2],
    "destination": 1,
    "dim": 1,
    "dim0": 1,
    "dim1": 2,
    "dims": [1],
    "downscale_factor": 2,
    "embedding_dim": 4,
    "equation": "b t d, b t d -> b t d",
    "exponent": 2,
    "factor": 2.0,
    "groups": 2,
    "height": 2,
    "hidden_features": 4,
    "hidden_size": 4,
    "index": 0,
    "k": 2,
    "kernel_size": 3,
    "mask_type": "A",
    "n_classes": 4,
    "nhead": 2,
    "norm_type": 2,
    "num_classes": 8,
    "num_embeddings": 8,
    "num_groups": 2,
    "num_heads": 2,
    "num_layers": 1,
    "out_channels": 4,
    "out_features": 4,
    "output_size": 2,
    "p": 0.5,
    "pad": [1, 1],
    "padding": 1,
    "padding_idx": 0,
    "pattern": "a ... -> a ...",
    "reduce": "sum",
    "repeats": 2,
    "sampling_ratio": 2,
    "shape": [4],
    "shifts": 1,
    "size": 2,
    "sizes": [2, 2],
    "source": 0,
    "split_size": [2, 2],
    "threshold": 0.1,
    "upscale_factor": 2,
    "value": 1.0,
    "weight": 0.5,
    "width": 2,
}
"""A value for each argument that some op requires."""

_OTHERS: Final[dict[str, Config]] = {
    "adaptive_log_softmax_with_loss": {
        "n_classes": 4,
        "cutoffs": [2],
        "log_prob": True,
    },
    "affine_grid": {"size": [3, 2, 4, 4]},
    "clamp": {"min": -0.5},
    "constant": {"value": 1.0},
    "deform_conv2d": {"out_channels": 4, "kernel_size": 3, "padding": 1},
    "eq": {"value": 1},
    "floor_divide": {"value": 2},
    "fmod": {"value": 2},
    "fractional_max_pool2d": {"kernel_size": 2, "output_size": 4},
    "fractional_max_pool3d": {"kernel_size": 2, "output_size": 4},
    "ge": {"value": 0},
    "gt": {"value": 0},
    "index_add": {"dim": 0},
    "istft": {"n_fft": 4},
    "interpolate": {"scale_factor": 2},
    "le": {"value": 0},
    "logsumexp": {"dim": 1},
    "lt": {"value": 0},
    "ne": {"value": 1},
    "pow": {"exponent": 2},
    "remainder": {"value": 2},
    "repeat_interleave": {"repeats": 2},
    "rotary_embedding": {"dim": 4},
    "stft": {"n_fft": 4},
    "to": {"dtype": "int"},
    "transformer": {
        "nhead": 2,
        "num_encoder_layers": 1,
        "num_decoder_layers": 1,
        "dim_feedforward": 4,
    },
    "upsample": {"scale_factor": 2},
    "upsampling_bilinear2d": {"scale_factor": 2},
    "upsampling_nearest2d": {"scale_factor": 2},
    "where": {"value": 0.5},
    "expand": {"shape": ["B", "T", 4]},
    "fold": {"output_size": [4, 4], "kernel_size": 2},
    "max_unpool1d": {"kernel_size": 2},
    "max_unpool2d": {"kernel_size": 2},
    "max_unpool3d": {"kernel_size": 2},
    "permute": {"dims": [0, 2, 1]},
    "repeat": {"repeats": [1, 2, 1]},
    "reshape": {"shape": ["B", -1]},
    "rotate": {"num_heads": 1},
    "tile": {"dims": [1, 2, 1]},
    "einsum": {"equation": "b t d, b t d -> b t d"},
    "unflatten": {"dim": -1},
    "split": {"dim": -1},
    "chunk": {"dim": -1},
}
"""Where the table does not fit."""

_INPUTS: Final[dict[str, dict[str, str]]] = {
    "deform_conv2d": {"input": "float[B, 4, 8, 8]", "offset": "float[B, 18, 8, 8]"},
    "istft": {
        "input": "float[B, 3, T]",
        "imag": "float[B, 3, T]",
        "window": "float[4]",
    },
    "roi_align": {"input": "float[B, 4, 8, 8]", "boxes": "float[T, 5]"},
    "stft": {"input": "float[B, T]", "window": "float[4]"},
}
"""Inputs that are not found among the shapes below."""

SHAPES: Final = (
    "B, T, 4",
    "B, 4",
    "B, 4, T",
    "B, 4, 8, 8",
    "B, 4, 8, 8, 8",
    "B, 4, 4",
    "B, T",
    "B, 2, 3",
    "B, 16, 9",
    "3, 2, 3",
    "B",
    "4, 4",
    "B, 5, 5, 2",
    "T, T",
    "1, B, 4",
)
_KINDS: Final = ("float", "int", "bool")


@dataclass(frozen=True)
class Example:
    """An op with arguments, the types of its inputs by port, and the type of its first output."""

    op: str
    arguments: tuple[tuple[str, Any], ...]
    inputs: tuple[tuple[str, str], ...]
    output: str
    weights: tuple[str, ...]
    port: str = ""
    """The name of its first output."""

    @property
    def layer(self) -> Config:
        """The op with its arguments."""
        return {"op": self.op, **dict(self.arguments)}

    @property
    def variadic(self) -> bool:
        """Whether it takes any number of inputs."""
        return any(port.variadic for port in ops()[self.op].inputs)

    def wired(self, names: dict[str, str]) -> Any:
        """`in` of the layer, its inputs being called so."""
        if not names:
            return None
        if self.variadic:
            (first, *_) = names.values()
            return [first, first]
        return names if len(names) > 1 else next(iter(names.values()))

    @property
    def keeps(self) -> bool:
        """Whether it gives what it takes, so that copies may follow one another."""
        return bool(self.inputs) and self.inputs[0][1] == self.output


@cache
def example(op: str) -> Example | None:
    """An example that compiles; None where none was found."""
    kind = ops()[op]
    given = {
        key: _OTHERS.get(op, {}).get(key, _ARGUMENTS.get(key, 1))
        for key in required_arguments(kind)
    }
    given |= _OTHERS.get(op, {})
    known = _INPUTS.get(op)
    for inputs in (known,) if known else _candidates(kind):
        draft = Example(op, tuple(given.items()), tuple(inputs.items()), "", ())
        program = compiled(_text(draft, ("B", "T"), by_port=True))
        if program is None:
            continue
        node = program.typed.networks[""].nodes["y"]
        port, output = next(iter(node.outputs.items()))
        names = tuple(name for name in node.calls[0].weights if name)
        return Example(op, draft.arguments, draft.inputs, str(output), names, port)
    return None


def _candidates(kind: type[Op]) -> Iterator[dict[str, str]]:
    ports = [port for port in kind.inputs if not port.optional]
    each = [
        [f"{k}[{shape}]" for k in _KINDS if k in port.kinds for shape in SHAPES]
        for port in ports
    ]
    if not ports:
        yield {}
        return
    alike = list(zip(*each, strict=False)) if len(ports) > 1 else []
    names = [port.name for port in ports]
    for row in itertools.islice(itertools.chain(alike, itertools.product(*each)), 3000):
        yield dict(zip(names, row, strict=True))


def example_text(op: str) -> str:
    """A spec with an op, as short as a person would write it.

    >>> print(example_text("softmax"), end="")
    name: Example
    inputs:
      x: float[B, T, 4]
    layers:
      y: {op: softmax, dim: 1}
    """
    found = example(op)
    assert found is not None, op
    for bounded in ((), ("T",), ("B",), ("B", "T")):
        for by_port in (False, True):
            text = _text(found, bounded, by_port)
            if compiled(text) is not None:
                return text
    raise AssertionError(op)


def compiled(text: str) -> Program | None:
    """The program of a spec's text; None where it has errors."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "example.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            return compile_spec(file)
        except SpecError:
            return None


def _text(found: Example, bounded: tuple[str, ...], by_port: bool) -> str:
    """A spec with the op alone.

    Args:
        bounded: symbols that are at least 4, where they occur.
        by_port: whether `in` names the ports of several inputs, rather than having them in order.
    """
    inputs = dict(found.inputs)
    if found.variadic:
        (first, *_) = inputs.values()
        inputs = {"a": first, "b": first}
    elif len(inputs) == 1:
        inputs = {"x": next(iter(inputs.values()))}
    layer = found.layer
    if len(inputs) > 1:
        named = by_port and not found.variadic
        layer["in"] = {name: name for name in inputs} if named else list(inputs)
    pairs = ", ".join(f"{key}: {_yaml(value)}" for key, value in layer.items())
    used = [name for name in bounded if name in "".join(inputs.values())]
    bounds = ", ".join(f"{name}: {{min: 4}}" for name in used)
    lines = ["name: Example", *([f"dims: {{{bounds}}}"] if bounds else []), "inputs:"]
    lines += [f"  {name}: {kind}" for name, kind in inputs.items()]
    if not inputs:
        lines.append("  x: float[B, 4]")
    lines += ["layers:", f"  y: {{{pairs}}}" if len(layer) > 1 else f"  y: {found.op}"]
    if not inputs:  # the network gives its own, too
        lines.append("outputs: {y: y, x: x}")
    return "\n".join(lines) + "\n"


def _yaml(value: object) -> str:
    """A value in YAML; text that could mean something there is quoted."""
    if isinstance(value, str) and not value.isidentifier():
        return json.dumps(value)
    return as_yaml(value)
