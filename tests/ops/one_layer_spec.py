"""A network of one layer as YAML, through the whole compiler: how an argument is written must not matter."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from compiler import Program, compile_spec
from compiler.op.op import Op, arguments
from compiler.op.registry import ops
from runtime.load import constructor_arguments

Tensors = Mapping[str, Tensor | tuple[Tensor, ...]]
"""The inputs of a layer by port."""

_KINDS = {torch.int64: "int", torch.bool: "bool"}


@dataclass(frozen=True)
class Written:
    """The arguments of a layer as they are in a spec, and the params that they name."""

    form: str
    arguments: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)


def forms(op: type[Op], given: Mapping[str, Any]) -> Iterator[Written]:
    """The same arguments in every form that has their meaning.

    In place; each as a param; each as an item of a list param; a list by its items, each
    of a list param; and lists of one where a single value stands for one.
    """
    yield Written("in place", given)
    for form, write in _FORMS.items():
        params: dict[str, Any] = {}
        written = {
            key: write(f"{key}_param", value, _takes_text(op, key), params)
            for key, value in given.items()
        }
        if params:
            yield Written(form, written, params)


def _param(name: str, value: Any, text: bool, params: dict[str, Any]) -> Any:
    if not _may_be_param(value):
        return value
    is_text = isinstance(value, str)
    params[name] = {"type": "str", "default": value} if is_text else value
    return f"${name}" if text else name


def _item(name: str, value: Any, text: bool, params: dict[str, Any]) -> Any:
    if text or isinstance(value, bool | list | str) or not _may_be_param(value):
        return value
    params[name] = [value + 1, value]
    return f"{name}[1]"


def _items(name: str, value: Any, text: bool, params: dict[str, Any]) -> Any:
    if not isinstance(value, list) or not _may_be_param(value):
        return value
    params[name] = [0, *value]
    return [f"{name}[{k + 1}]" for k in range(len(value))]


_FORMS = {"param": _param, "item of a list": _item, "list of items": _items}


def _may_be_param(value: Any) -> bool:
    if isinstance(value, list):
        kinds = {type(item) for item in value}
        return len(kinds) == 1 and kinds <= {int, float}
    return isinstance(value, bool | int | float | str)


def _takes_text(op: type[Op], key: str) -> bool:
    """Whether a name alone would be text there."""
    annotation = str(arguments(op)[key][0]) if key in arguments(op) else ""
    return "str" in annotation or "Literal" in annotation


def spec_of(
    op: str,
    written: Written,
    inputs: Tensors,
    outputs: Iterable[str],
    *,
    symbolic: bool = False,
) -> str:
    """The YAML of a network whose only layer is `layer`.

    Equal sizes above 1 are one symbol where the spec is `symbolic`; the symbol is at least 2.
    """
    symbols: dict[str, Any] = {}

    def size(number: int) -> str:
        if not symbolic or number < 2:
            return str(number)
        symbols[f"D{number}"] = {"min": 2}
        return f"D{number}"

    def named(name: str, value: Tensor) -> str:
        kind = _KINDS.get(value.dtype, "float")
        types[name] = f"{kind}[{', '.join(map(size, value.shape))}]"
        return name

    types: dict[str, str] = {}
    feeds = {
        port: [named(f"{port}_{k}", one) for k, one in enumerate(value)]
        if isinstance(value, tuple)
        else named(f"{port}_in", value)
        for port, value in inputs.items()
    }
    layer: dict[str, Any] = {"op": op, **written.arguments}
    if feeds:
        variadic = any(port.variadic for port in ops()[op].inputs)
        layer["in"] = next(iter(feeds.values())) if variadic else feeds
    spec: dict[str, Any] = {
        "name": "Net",
        "params": dict(written.params),
        "dims": symbols,
        "inputs": types,
        "layers": {"layer": layer},
        "outputs": {f"o{k}": f"layer.{port}" for k, port in enumerate(outputs)},
    }
    return yaml.safe_dump({k: v for k, v in spec.items() if v}, sort_keys=False)


def program_of(spec: str) -> Program:
    """The compiled program of a text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.yaml"
        path.write_text(spec)
        return compile_spec(path)


def network_of(program: Program) -> nn.Module:
    """The network of a program, as its constructor makes it."""
    scope: dict[str, Any] = {"__name__": "generated"}
    exec(compile(program.python, "<generated>", "exec"), scope)  # noqa: S102 - made by these tests
    network = scope["Net"]
    module: nn.Module = network(
        **constructor_arguments(network, program.typed.networks[""])
    )
    return module
