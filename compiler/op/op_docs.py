"""The reference of the ops, from the registry: what each takes, gives, stands for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from compiler.dataclass import dataclass
from compiler.op.arg_docs import Argument, takes
from compiler.op.as_yaml import as_yaml
from compiler.op.op import Op, arguments
from compiler.op.registry import ops


@dataclass(frozen=True, slots=True)
class InputPort:
    """An input of an op: `kinds` are those of its dtype."""

    name: str
    kinds: tuple[str, ...]
    optional: bool
    variadic: bool


@dataclass(frozen=True, slots=True)
class OpReference:
    """An op as its users see it. `outputs` is None where they depend on arguments."""

    name: str
    family: str
    torch: str
    text: str
    inputs: tuple[InputPort, ...]
    outputs: tuple[str, ...] | None
    arguments: tuple[Argument, ...]

    @property
    def summary(self) -> str:
        """The first sentence of the text, in one line."""
        return " ".join(self.text.partition("\n\n")[0].split())

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        found = asdict(self)
        for argument in found["arguments"]:
            argument.pop("text")
        return found


def reference() -> tuple[OpReference, ...]:
    """All ops, by name.

    >>> [one.torch for one in reference() if one.name == "linear"]
    ['torch.nn.Linear']
    """
    return tuple(map(op_reference, ops().values()))


def op_reference(op: type[Op]) -> OpReference:
    """One op."""
    ports = (InputPort(p.name, p.kinds, p.optional, p.variadic) for p in op.inputs)
    return OpReference(
        op.name,
        op.family,
        op.torch,
        inspect.getdoc(op) or "",
        tuple(ports),
        op.outputs,
        tuple(
            Argument(key, takes(kind), None if default is ... else as_yaml(default))
            for key, (kind, default) in arguments(op).items()
        ),
    )


def signature(one: OpReference) -> str:
    """`attention(query, key, value, mask?, bias?) -> output`."""
    outputs = "..." if one.outputs is None else ", ".join(one.outputs)
    return f"{one.name}({', '.join(_ports(one))}) -> {outputs}"


def _ports(one: OpReference) -> Iterator[str]:
    for port in one.inputs:
        yield f"{port.name}{'...' * port.variadic}{'?' * port.optional}"
