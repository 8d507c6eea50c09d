"""Layers: what one may say of where it comes from, how often it runs, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from compiler.diagnostics import suggestions
from compiler.diagnostics.text import shorten
from compiler.language import identifiers
from compiler.language.initializers import Initializer, parse_initializer
from compiler.language.model import FormulaOr, Model, fault, named
from compiler.language.parametrizations import Parametrization, parse_parametrization


def _references(value: Any) -> Any:
    """`in`: a name, a list of names, or a mapping from port to name (or list of names)."""
    entries = (
        value
        if isinstance(value, list)
        else list(value.values())
        if isinstance(value, dict)
        else [value]
    )
    if [] in entries:
        raise fault("bad-value", "a list of inputs names at least one")
    for entry in entries:
        for name in (
            entry if isinstance(entry, list) and isinstance(value, dict) else [entry]
        ):
            if not isinstance(name, str):
                raise fault(
                    "bad-type",
                    "an input is the name of a layer or input, or layer.port",
                )
    if not entries:
        raise fault("bad-value", "`in` names at least one input")
    return value


def _texts(message: str) -> BeforeValidator:
    """A mapping from names to texts."""

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise fault("bad-type", message)
        for key, entry in value.items():
            if not isinstance(entry, str):
                raise fault("bad-type", message, at=(key,))
        return value

    return BeforeValidator(check)


_STACK = "stack names outputs of a copy to put together: {hidden_states: x}"


class Repeat(Model):
    """`repeat: n`, or `{count: n, share: true, stack: {hidden_states: x}}`."""

    count: FormulaOr
    share: bool = False
    stack: Annotated[
        dict[Annotated[str, named(identifiers.snake_case, "an output")], str],
        _texts(_STACK),
    ] = Field(default_factory=dict)
    """Outputs that are what all copies give, along a new first dimension: name -> output of a copy."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"count": value}


def _tensors(value: Any) -> Any:
    if not isinstance(value, dict):
        raise fault(
            "bad-type",
            "init maps the name of a tensor to an initialisation: {weight: {normal: {std: 0.02}}}",
        )
    return value


Initializers = Annotated[
    dict[str, Annotated[Initializer, BeforeValidator(parse_initializer)]],
    BeforeValidator(_tensors),
]


_CARRY = 'carry gives each state its start: {h: "zeros[B, hidden]"}, or a layer'
_TIE = "tie names the tensor that each tensor is one with: {weight: wte.weight}"


class Tie(Model):
    """`tie`: the tensors of a layer that are one with others, and where that is so."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)

    when: FormulaOr = None

    @property
    def tensors(self) -> dict[str, str]:
        """Each tensor with the path of the one that it is."""
        return self.model_extra or {}

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise fault("bad-type", _TIE)
        for key, entry in value.items():
            if key != "when" and not isinstance(entry, str):
                raise fault("bad-type", _TIE, at=(key,))
        return value


class Layer(Model):
    """One layer: an op, a block or a group, where its inputs come from, and its arguments (the extra keys)."""

    model_config = ConfigDict(extra="allow")

    op: str | None = None
    layers: Layers | None = None
    input: Annotated[Any, BeforeValidator(_references)] = Field(
        default=None, alias="in"
    )
    repeat: Repeat | None = None
    scan: FormulaOr = None
    carry: Annotated[dict[str, str], _texts(_CARRY)] | None = None
    reverse: bool = False
    when: FormulaOr = None
    share: str | None = None
    tie: Tie | None = None
    init: Initializers | None = None
    parametrize: (
        Annotated[Parametrization, BeforeValidator(parse_parametrization)] | None
    ) = None
    outputs: Outputs | None = None
    description: str = ""

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of its op, as written."""
        return self.model_extra or {}

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"op": value}
        if not isinstance(value, dict):
            raise fault(
                "bad-type", "a layer is the name of an op, or a mapping with `op`"
            )
        kinds = [key for key in ("op", "layers", "share") if key in value]
        if not kinds:
            raise fault(
                "missing-key",
                "a layer needs `op` (or `layers` for a group, or `share`)",
                help=_instead_of_op(value),
            )
        if len(kinds) > 1:
            raise fault(
                "bad-value",
                f"a layer has one of `{kinds[0]}` and `{kinds[1]}`",
                at=(kinds[1],),
                key=True,
            )
        _check_keys(value, kinds[0])
        return value


_MEANINGLESS = {
    "op": {"outputs": "a group"},
    "layers": {
        "scan": "a block",
        "carry": "a block",
        "init": "an op",
        "tie": "an op",
        "parametrize": "an op",
    },
    "share": {
        **dict.fromkeys(
            ("init", "tie", "parametrize"), "the layer whose weights are shared"
        ),
        **dict.fromkeys(
            ("when", "repeat", "scan", "carry", "reverse"), "the layer that is shared"
        ),
        "outputs": "a group",
    },
}
"""What a layer of one kind cannot have, and which one can."""


def _check_keys(value: Mapping[str, Any], kind: str) -> None:
    """Keys that would have no effect are mistakes."""
    for key, who in _MEANINGLESS[kind].items():
        if key in value:
            message = f"`{key}` is for {who}, and this layer has `{kind}`"
            raise fault("bad-value", message, at=(key,), key=True)
    for key in ("carry", "reverse"):
        if key in value and "scan" not in value:
            message = f"`{key}` goes with `scan`, and this layer has none"
            raise fault("bad-scan", message, at=(key,), key=True)
    if "scan" in value and "repeat" in value:
        message = "a layer has `scan` or `repeat`, not both: put one into a group"
        raise fault("bad-scan", message, at=("repeat",), key=True)


def _instead_of_op(value: Mapping[str, Any]) -> str:
    for key in suggestions.LAYER_KEYS:
        if key in value:
            return f"write `op` in place of `{key}`"
    ((name, below), *more) = value.items() or [("", None)]
    if not more and isinstance(below, str | dict):
        return f"if {shorten(str(name))} is its name: the layers of a list have none"
    return ""


def _layers(value: Any) -> Any:
    """A list of layers is a chain whose layers are numbered, as `torch.nn.Sequential` numbers its own."""
    if isinstance(value, list):
        value = {str(position): entry for position, entry in enumerate(value)}
    elif not isinstance(value, dict):
        raise fault("bad-type", "layers are a mapping: name, colon, op")
    elif number := next((key for key in value if str(key).isdigit()), None):
        message = f"{number} cannot be the name of a layer: layers by number are a list"
        raise fault("bad-name", message, at=(number,), key=True)
    if not value:
        raise fault("bad-value", "there must be at least one layer")
    return value


def _layer_name(name: str) -> str:
    """The rule for layers, whose numbers in a list are names too."""
    return "" if name.isdecimal() and name.isascii() else identifiers.layer_name(name)


def _outputs(value: Any) -> Any:
    """`outputs`: a mapping from name to layer, or a list of layers that keep their names."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = _named_outputs(value)
    if not isinstance(value, dict):
        message = "outputs are a list of layers, or names for them: {logits: head}"
        raise fault("bad-type", message)
    if not value:
        raise fault("bad-value", "there must be at least one output")
    return value


def _named_outputs(items: list[str]) -> dict[str, str]:
    """Layers that keep their names as outputs."""
    found: dict[str, str] = {}
    for position, item in enumerate(items):
        name = item.partition(".")[0]
        if name in found:
            message = f"two outputs would have the name {shorten(name)}"
            help = "name them: {first: layer.output, second: layer.hidden}"
            raise fault("duplicate-name", message, at=(position,), help=help)
        found[name] = item
    return found


Layers = Annotated[
    dict[Annotated[str, named(_layer_name, "a layer")], Layer], BeforeValidator(_layers)
]
Outputs = Annotated[
    dict[Annotated[str, named(identifiers.snake_case, "an output")], str],
    BeforeValidator(_outputs),
]
