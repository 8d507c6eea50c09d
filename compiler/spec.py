"""What a file may say: pydantic models of the spec language, one for each kind of mapping.

A model is the meaning of its mapping, in types that the passes work on: patterns, formulas, references. A mistake is
a `PydanticCustomError` whose type is the code of the diagnostic; its location leads back to the YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from compiler import habits, names
from compiler.expressions import ExpressionError, parse_expression
from compiler.fields import Formula
from compiler.initializers import Initializer, parse_initializer
from compiler.tensor import TypePattern, parse_pattern
from compiler.text import shorten


def fault(code: str, message: str, **context: Any) -> PydanticCustomError:
    """A mistake with the code of its diagnostic. `key=True` in the context blames the key, not the value."""
    return PydanticCustomError(code, "{message}", {"message": message, **context})


def formula(value: Any) -> Any:
    """A string becomes a formula; anything else is left as it is."""
    if not isinstance(value, str):
        return value
    try:
        return Formula(parse_expression(value), value)
    except ExpressionError as error:
        raise fault(
            "bad-expression", error.message, offsets=(error.start, error.end)
        ) from None


def pattern(value: Any) -> TypePattern:
    """`float[B, T]` becomes a pattern."""
    if not isinstance(value, str):
        raise fault("bad-type", "a type is written as text: float[B, T, D]")
    try:
        return parse_pattern(value)
    except ExpressionError as error:
        raise fault(
            "bad-expression", error.message, offsets=(error.start, error.end)
        ) from None


def _mapping(what: str) -> BeforeValidator:
    """What has names, and so is a mapping."""

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise fault("bad-type", f"{what} are a mapping: name, colon, value")
        return value

    return BeforeValidator(check)


def _name(rule: Callable[[str], str], what: str) -> AfterValidator:
    """A name, by one of the rules for names; where it is wrong, with one that is like it."""

    def check(name: str) -> str:
        if wrong := rule(name):
            like = (names.snake(name), names.capital(name))
            good = next((one for one in like if one and not rule(one)), "")
            message = f"{shorten(name)} cannot be the name of {what}: {wrong}"
            help = f"did you mean `{good}`?" if good else ""
            raise fault("bad-name", message, help=help)
        return name

    return AfterValidator(check)


FormulaOr = Annotated[Any, BeforeValidator(formula)]
Pattern = Annotated[Any, BeforeValidator(pattern)]


class Model(BaseModel):
    """Base of all: immutable, no unknown keys, no conversions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: Any) -> Any:
        """A key of the language that is written has a value."""
        entries = value.items() if isinstance(value, dict) else ()
        for key in [key for key, entry in entries if entry is None]:
            if any(key == (f.alias or name) for name, f in cls.model_fields.items()):
                raise fault("bad-type", f"`{key}` is empty", at=(key,))
        return value


TYPE_NAMES = (
    "int",
    "float",
    "bool",
    "str",
    "op",
    "int[]",
    "float[]",
    "bool[]",
    "str[]",
)


class Param(Model):
    """A compile-time value: its type, its default (None: required), and what it may be."""

    type: (
        Literal[
            "int", "float", "bool", "str", "op", "int[]", "float[]", "bool[]", "str[]"
        ]
        | None
    ) = None
    default: Annotated[Any, AfterValidator(lambda v: _param_value(v))] = None
    min: int | float | None = None
    max: int | float | None = None
    choices: list[Any] | None = None
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        """The short forms are a type's name, or a default; a default that is text is a formula, unless it is text."""
        if isinstance(value, str) and value in TYPE_NAMES:
            return {"type": value}
        if not isinstance(value, dict):
            value = {"default": value}
        if "default" not in value and "type" not in value:
            raise fault("missing-key", "a param needs a type or a default")
        if value.get("type") in ("str", "op", "str[]") or "default" not in value:
            return value
        return value | {"default": _formulas(value["default"])}

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def kind(self) -> str | None:
        """Its type: as declared, or that of a default that is written out; None where a formula decides."""
        if self.type is not None or self.default is None:
            return self.type
        if isinstance(self.default, list):
            kinds = {type(item).__name__ for item in self.default}
            known = len(kinds) == 1 and f"{min(kinds)}[]" in TYPE_NAMES
            return f"{kinds.pop()}[]" if known else None
        kind = type(self.default).__name__
        return kind if kind in TYPE_NAMES else None


def _param_value(value: Any) -> Any:
    for item in value if isinstance(value, list) else [value]:
        if item is None or isinstance(item, dict | list):
            raise fault("bad-type", "a param is a value, or a list of values")
    return value


def _formulas(value: Any) -> Any:
    """The default of a param: texts are formulas, also inside a list."""
    return [*map(formula, value)] if isinstance(value, list) else formula(value)


class DimRange(Model):
    """What a symbolic dimension may be; each bound is a number or an expression over the params."""

    min: FormulaOr = 1
    max: FormulaOr = None
    multiple_of: FormulaOr = 1


Inputs = Annotated[
    dict[Annotated[str, _name(names.snake_case, "an input")], Pattern],
    _mapping("inputs"),
]
Params = Annotated[
    dict[Annotated[str, _name(names.snake_case, "a param")], Param], _mapping("params")
]


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


class Repeat(Model):
    """`repeat: n`, or `{count: n, share: true}`."""

    count: FormulaOr
    share: bool = False

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
    carry: dict[str, str] | None = None
    reverse: bool = False
    when: FormulaOr = None
    share: str | None = None
    tie: dict[str, str] | None = None
    init: Initializers | None = None
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
    "layers": {"scan": "a block", "carry": "a block", "init": "an op", "tie": "an op"},
    "share": {
        **dict.fromkeys(("init", "tie"), "the layer whose weights are shared"),
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
    for key in habits.LAYER_KEYS:
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
    return "" if name.isdecimal() and name.isascii() else names.layer_name(name)


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
    dict[Annotated[str, _name(_layer_name, "a layer")], Layer], BeforeValidator(_layers)
]
Outputs = Annotated[
    dict[Annotated[str, _name(names.snake_case, "an output")], str],
    BeforeValidator(_outputs),
]


class Block(Model):
    """A function from tensors to tensors: params, typed inputs, layers, outputs (left out: the last layer)."""

    description: str = ""
    params: Params = {}
    inputs: Annotated[Inputs, AfterValidator(lambda v: _some(v))]
    layers: Layers
    outputs: Outputs | None = None


class Network(Model):
    """One network of a file that holds several."""

    description: str = ""
    inputs: Annotated[Inputs, AfterValidator(lambda v: _some(v))]
    layers: Layers
    outputs: Outputs | None = None


def _some(value: dict[str, TypePattern]) -> dict[str, TypePattern]:
    if not value:
        raise fault("bad-value", "there must be at least one input")
    return value


BlockName = Annotated[str, _name(names.class_name, "a block")]
Blocks = Annotated[dict[BlockName, Block], _mapping("blocks")]
Networks = Annotated[
    dict[Annotated[str, _name(names.snake_case, "a network")], Network],
    _mapping("networks"),
]
Imports = Annotated[dict[BlockName, str], _mapping("imports")]


class Expect(Model):
    """Invariants: the number of parameters, and the types of outputs and layers by their names."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, Pattern]

    parameters: Annotated[Any, AfterValidator(lambda v: _numbers(v))] = None

    @property
    def types(self) -> dict[str, Any]:
        return self.model_extra or {}

    @model_validator(mode="before")
    @classmethod
    def _check(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise fault(
                "bad-type",
                "expect is a mapping: parameters, and names with their types",
            )
        return value


def _numbers(value: Any) -> Any:
    """`parameters`: a number, or one for each network."""
    given = value if isinstance(value, dict) else {None: value}
    for name, number in given.items():
        if isinstance(number, bool) or not isinstance(number, int):
            message = "the number of parameters is an integer, such as 124439808"
            raise fault("bad-type", message, at=() if name is None else (name,))
    return value


class Spec(Model):
    """A whole file."""

    name: Annotated[str, _name(names.class_name, "a network")]
    description: str = ""
    reference: str = ""
    params: Params = {}
    variants: Annotated[
        dict[
            Annotated[str, _name(names.snake_case, "a variant")],
            dict[str, Annotated[Any, AfterValidator(_param_value)]],
        ],
        _mapping("variants"),
    ] = {}
    dims: Annotated[
        dict[Annotated[str, _name(names.symbol_name, "a dimension")], DimRange],
        _mapping("dims"),
    ] = {}
    inputs: Inputs | None = None
    layers: Layers | None = None
    outputs: Outputs | None = None
    networks: Networks | None = None
    blocks: Blocks = {}
    imports: Imports = Field(default={}, alias="import")
    expect: Expect = Expect()
    init: Annotated[
        dict[Annotated[str, _name(names.snake_case, "an op")], Initializers],
        _mapping("initialisations"),
    ] = {}

    @model_validator(mode="after")
    def _one_or_several(self) -> Spec:
        if self.networks is not None:
            if not self.networks:
                raise fault("bad-value", "there are no networks", at=("networks",))
            for key in ("inputs", "layers", "outputs"):
                if getattr(self, key) is not None:
                    raise fault(
                        "bad-value",
                        f"a file with networks has no {key} of its own",
                        at=(key,),
                        key=True,
                    )
        elif self.layers is not None and not self.inputs:
            raise fault("missing-key", "a network needs inputs: {x: float[B, D]}")
        elif self.layers is None and not self.blocks:
            raise fault(
                "missing-key",
                "there is no network here: write inputs and layers (or networks, or blocks)",
            )
        return self
