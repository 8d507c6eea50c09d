"""What a file may say: pydantic models of the spec language, one for each kind of mapping.

A model is the meaning of its mapping, in types that the passes work on: patterns, formulas, references. A mistake is
a `PydanticCustomError` whose type is the code of the diagnostic; its location leads back to the YAML.
"""

from __future__ import annotations

from collections.abc import Callable
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

from compiler import names
from compiler.expressions import ExpressionError, parse_expression
from compiler.fields import Formula
from compiler.initializers import Initializer, parse_initializer
from compiler.tensor import TypePattern, parse_pattern


def fault(code: str, message: str, **context: Any) -> PydanticCustomError:
    """A mistake with the code of its diagnostic. `key=True` in the context blames the key, not the value."""
    return PydanticCustomError(code, "{message}", {"message": message, **context})  # type: ignore[arg-type]


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


def _named(rule: Callable[[str], str], what: str) -> Callable[[Any], Any]:
    """Check the keys of a mapping by one of the rules for names."""

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise fault("bad-type", f"{what} are a mapping: name, colon, value")
        for key in value:
            if wrong := rule(str(key)):
                raise fault(
                    "bad-name",
                    f"{key!r} cannot name {what}: {wrong}",
                    at=(key,),
                    key=True,
                )
        return value

    return check


FormulaOr = Annotated[Any, BeforeValidator(formula)]
Pattern = Annotated[Any, BeforeValidator(pattern)]


class Model(BaseModel):
    """Base of all: immutable, no unknown keys, no conversions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )


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
    default: Any = None
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
        return value | {"default": formula(value["default"])}

    @property
    def required(self) -> bool:
        return self.default is None


class DimRange(Model):
    """What a symbolic dimension may be; each bound is a number or an expression over the params."""

    min: FormulaOr = 1
    max: FormulaOr = None
    multiple_of: FormulaOr = 1


Inputs = Annotated[
    dict[str, Pattern], BeforeValidator(_named(names.snake_case, "inputs"))
]
Params = Annotated[
    dict[str, Param], BeforeValidator(_named(names.snake_case, "params"))
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


Initializers = Annotated[
    dict[str, Initializer], BeforeValidator(lambda v: _initializers(v))
]


def _initializers(value: Any) -> Any:
    if not isinstance(value, dict):
        raise fault(
            "bad-type",
            "init maps the name of a tensor to an initialisation: {weight: {normal: {std: 0.02}}}",
        )
    return {key: parse_initializer(entry, (key,)) for key, entry in value.items()}


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
            )
        if len(kinds) > 1:
            raise fault(
                "bad-value",
                f"a layer has one of `{kinds[0]}` and `{kinds[1]}`",
                at=(kinds[1],),
                key=True,
            )
        return value


def _layers(value: Any) -> Any:
    """A list of layers is a chain whose layers are numbered, as `torch.nn.Sequential` numbers its own."""
    if isinstance(value, list):
        value = {str(position): entry for position, entry in enumerate(value)}
    else:
        value = _named(names.layer_name, "layers")(value)
    if not value:
        raise fault("bad-value", "there must be at least one layer")
    return value


def _outputs(value: Any) -> Any:
    """`outputs`: a mapping from name to layer, or a list of layers that keep their names."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = {item.partition(".")[0]: item for item in value}
    value = _named(names.snake_case, "outputs")(value)
    if not value:
        raise fault("bad-value", "there must be at least one output")
    return value


Layers = Annotated[dict[str, Layer], BeforeValidator(_layers)]
Outputs = Annotated[dict[str, str], BeforeValidator(_outputs)]


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


Blocks = Annotated[
    dict[str, Block], BeforeValidator(_named(names.class_name, "blocks"))
]
Networks = Annotated[
    dict[str, Network], BeforeValidator(_named(names.snake_case, "networks"))
]
Imports = Annotated[dict[str, str], BeforeValidator(_named(names.class_name, "blocks"))]


class Expect(Model):
    """Invariants: the number of parameters, and the types of outputs and layers by their names."""

    model_config = ConfigDict(extra="allow")

    parameters: Any = None

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
        checked = {
            key: pattern(item) for key, item in value.items() if key != "parameters"
        }
        return value | checked


def _network_name(name: str) -> str:
    if wrong := names.class_name(name):
        raise fault("bad-name", f"{name!r} cannot name a network: {wrong}")
    return name


class Spec(Model):
    """A whole file."""

    name: Annotated[str, AfterValidator(_network_name)]
    description: str = ""
    reference: str = ""
    params: Params = {}
    variants: Annotated[
        dict[str, dict[str, Any]], BeforeValidator(_named(names.snake_case, "variants"))
    ] = {}
    dims: Annotated[
        dict[str, DimRange], BeforeValidator(_named(names.symbol_name, "dims"))
    ] = {}
    inputs: Inputs | None = None
    layers: Layers | None = None
    outputs: Outputs | None = None
    networks: Networks | None = None
    blocks: Blocks = {}
    imports: Imports = Field(default={}, alias="import")
    expect: Expect = Expect()
    init: Annotated[
        dict[str, Initializers], BeforeValidator(_named(names.snake_case, "ops"))
    ] = {}

    @model_validator(mode="after")
    def _one_or_several(self) -> Spec:
        if self.networks is not None:
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
