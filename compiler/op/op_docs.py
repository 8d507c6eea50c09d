"""The reference of the ops, from the registry: what each takes, gives, stands for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from compiler.op.arg_docs import Alternative, alternatives
from compiler.op.op import Op, arguments
from compiler.op.registry import ops
from compiler.symbolic.dims import Dim

_WORDS = {
    "null": ("null", "null"),
    "boolean": ("true or false", "true or false"),
    "integer": ("an integer", "integers"),
    "number": ("a number", "numbers"),
    "text": ("text", "texts"),
}


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of an op; `default` is None where it is required, else as in YAML."""

    name: str
    takes: str
    default: str | None


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
        return asdict(self)


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
            Argument(key, describe(kind), None if default is ... else as_yaml(default))
            for key, (kind, default) in arguments(op).items()
        ),
    )


def describe(annotation: Any) -> str:
    """What an argument takes, in words.

    >>> describe(int | None)
    'an integer or null'
    """
    return " or ".join(dict.fromkeys(map(_described, alternatives(annotation))))


def _described(one: Alternative) -> str:
    if one.base == "choice":
        return ", ".join(map(as_yaml, one.choices[:-1])) + f" or {one.choices[-1]}"
    single, several = _WORDS[one.base]
    bounds = _bounds(one)
    if one.named:
        text = f"a mapping from names to {several}{bounds}"
    elif one.many:
        text = f"{single}{bounds}, or a list of {several}"
    else:
        text = f"{single}{bounds}"
    return f"{text} (symbols too)" if one.symbolic else text


def _bounds(one: Alternative) -> str:
    if one.above is not None:
        return f" above {one.above:g}"
    if one.least is not None and one.most is not None:
        return f" from {one.least:g} to {one.most:g}"
    return f" of at least {one.least:g}" if one.least is not None else ""


def as_yaml(value: Any) -> str:
    """A default as a spec would write it.

    >>> as_yaml((Dim.of(0),)), as_yaml(None), as_yaml(1e-05)
    ('0', 'null', '1e-05')
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


def signature(one: OpReference) -> str:
    """`attention(query, key, value, mask?, bias?) -> output`."""
    outputs = "..." if one.outputs is None else ", ".join(one.outputs)
    return f"{one.name}({', '.join(_ports(one))}) -> {outputs}"


def _ports(one: OpReference) -> Iterator[str]:
    for port in one.inputs:
        yield f"{port.name}{'...' * port.variadic}{'?' * port.optional}"
