"""Layers: their op, inputs, repetition and other keys."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from compiler.dataclass import dataclass
from compiler.diagnostics import suggestions
from compiler.diagnostics.text import shorten
from compiler.expr.given import answered, asked_inputs
from compiler.expr.syntax import BooleanLiteral, unparse
from compiler.language import identifiers
from compiler.language.initializers import Initializer
from compiler.language.model import FormulaOr, Model, fault, formula, named
from compiler.language.parametrizations import Parametrization
from compiler.op.arg_types import Formula
from compiler.op.schema_forms import (
    FORMULA,
    OP_NAME,
    TEXT,
    Schema,
    SchemaForm,
    also_written,
    written_as,
)


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


References = Annotated[
    Any,
    BeforeValidator(_references),
    written_as(
        {
            "anyOf": [
                TEXT,
                {"type": "array", "items": TEXT, "minItems": 1},
                {
                    "type": "object",
                    "additionalProperties": {
                        "anyOf": [TEXT, {"type": "array", "items": TEXT}]
                    },
                    "minProperties": 1,
                },
            ]
        }
    ),
]


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
_COLLECT = "collect names the list of what the copies give: features, or {features: x} for their output x"
_AT = "at lists numbers of copies: [2, 5, 8]"


def _first_output(value: Any) -> Any:
    """`features` is short for the list of what each copy gives first."""
    return {value: ""} if isinstance(value, str) else value


def _numbers(value: Any) -> Any:
    """A formula that is a list, or a list of formulas."""
    if isinstance(value, list):
        return tuple(map(formula, value))
    if not isinstance(value, str):
        raise fault("bad-type", _AT)
    return formula(value)


Numbers = Annotated[
    Any,
    BeforeValidator(_numbers),
    written_as(
        {
            "anyOf": [
                FORMULA,
                {"type": "array", "items": {"anyOf": [{"type": "integer"}, FORMULA]}},
            ]
        }
    ),
]


Collect = Annotated[
    dict[Annotated[str, named(identifiers.snake_case, "a list")], str],
    _texts(_COLLECT),
    BeforeValidator(_first_output),
    also_written(TEXT),
]


class Repeat(Model):
    """`repeat: n`, or `{count: n, share: true, stack: {hidden_states: x}}`.

    Attributes:
        count: how many copies there are.
        share: whether all copies have the same weights.
        stack: outputs that are what all copies give, along a new first dimension: name -> output of a copy.
        collect: lists of what the copies give: name -> output of a copy, or the name alone for the first output.
        at: the numbers of the copies whose outputs `collect` takes; default: all.
        chain: whether each copy takes what the one before it gives; otherwise all take the inputs of the layer.
        reverse: whether the first copy takes the last item of a list that goes item by item, and so on to its first.
        routed: whether the copies are experts: each runs on the tokens sent to it, and their outputs are added.
    """

    alone: ClassVar[str] = "count"
    also_written: ClassVar[tuple[Schema, ...]] = (
        {"type": "integer", "minimum": 0},
        FORMULA,
    )

    count: FormulaOr
    share: bool = False
    stack: Annotated[
        dict[Annotated[str, named(identifiers.snake_case, "an output")], str],
        _texts(_STACK),
    ] = Field(default_factory=dict)
    collect: Collect = Field(default_factory=dict)
    at: Numbers = None
    chain: bool = True
    reverse: bool = False
    routed: bool = False

    @property
    def chained(self) -> bool:
        """Whether each copy takes what the one before it gives."""
        return self.chain and not self.routed

    @model_validator(mode="after")
    def _alone_if_routed(self) -> Repeat:
        others = self.model_fields_set - {"count", "routed"}
        if self.routed and others:
            key = min(others, key=list(type(self).model_fields).index)
            message = f"routed copies have no `{key}`: each token has the outputs of its own experts, added"
            raise fault("bad-repeat", message, at=(key,), key=True)
        return self

    @model_validator(mode="after")
    def _with_lists(self) -> Repeat:
        if self.at is not None and not self.collect:
            message = "`at` says which copies `collect` takes the outputs of, and there is no `collect`"
            raise fault("bad-repeat", message, at=("at",), key=True)
        if not self.chain and not self.collect and not self.stack:
            message = "without a chain only the last copy would be used: nothing collects or stacks the others"
            help = "name the list of what they give: collect: outputs"
            raise fault("bad-repeat", message, at=("chain",), key=True, help=help)
        return self


def _tensors(value: Any) -> Any:
    if not isinstance(value, dict):
        raise fault(
            "bad-type",
            "init maps the name of a tensor to an initialisation: {weight: {normal: {std: 0.02}}}",
        )
    return value


Initializers = Annotated[
    dict[str, Initializer],
    BeforeValidator(_tensors),
]


_CARRY = 'carry gives each state its start: {h: "zeros[B, hidden]"}, or a layer'
_TIE = "tie names the tensor that each tensor is one with: {weight: wte.weight}"


class Tie(Model):
    """`tie`: the tensors of a layer that are tied to others.

    Attributes:
        when: the condition under which they are tied; default: always.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)

    when: FormulaOr = None

    @property
    def tensors(self) -> dict[str, str]:
        """Each tensor with the path of the one that it is tied to."""
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


OPTIONAL: Final = "?"
"""What the value of an output that may be absent ends in, as the type of an input that may be does."""


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
        name = item.partition(".")[0].removesuffix(OPTIONAL)
        if name in found:
            message = f"two outputs would have the name {shorten(name)}"
            help = "name them: {first: layer.output, second: layer.hidden}"
            raise fault("duplicate-name", message, at=(position,), help=help)
        found[name] = item
    return found


Outputs = Annotated[
    dict[Annotated[str, named(identifiers.snake_case, "an output")], str],
    BeforeValidator(_outputs),
    also_written({"type": "array", "items": TEXT, "minItems": 1}),
]


@dataclass(frozen=True, slots=True)
class Key:
    """The properties of a key of a layer, besides the type of its value.

    A key is declared in `Layer` alone: its type says how it is read, checked and
    described, and which formulas it holds, and its `Key` the rest.

    Attributes:
        of: what can have the key: any layer; one that runs, but not one that is shared; a block; an op; a group.
        beside: another key that must be there too.
        reruns: whether the layer with it runs more or less than once.
        sequential: whether an item of an `nn.Sequential` can have it.
        each_use: whether a layer that shares this one has its own, or none, in place of this one's.
    """

    of: Literal["layer", "use", "block", "op", "group"] = "layer"
    beside: str = ""
    reruns: bool = False
    sequential: bool = True
    each_use: bool = False


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


def _or_list(long: Schema) -> Schema:
    """The schema of a mapping to layers, or of a list of layers."""
    items = long["additionalProperties"]
    return {"anyOf": [long, {"type": "array", "items": items, "minItems": 1}]}


_LayerName = Annotated[str, named(_layer_name, "a layer")]
_AS_MAPPING = BeforeValidator(_layers)
_OR_LIST = SchemaForm(_or_list)


def _without_keys_of_all(long: Schema) -> Schema:
    """The schema of a list of layers that lack the keys that stand beside it."""
    wrong = [{"type": "object", "required": [key]} for key in _OF_ALL]
    items = {"allOf": [long["items"], {"not": {"anyOf": wrong}}]}
    return {**long, "items": items, "minItems": 1}


_AS_ALTERNATIVES = SchemaForm(_without_keys_of_all)
_CHOICE = "choose lists what the layer may be: [{when: causal, op: A}, {op: B}]"
_OF_ALL = ("repeat", "else", "share", "choose", "scan", "carry", "reverse")
"""Keys that no alternative can have."""


def _alternatives(value: Any) -> Any:
    """`choose`: a list of layers, all but the last with a condition."""
    if not isinstance(value, list) or not value:
        raise fault("bad-type", _CHOICE)
    for number, one in enumerate(value):
        keys = one if isinstance(one, dict) else {}
        for key in _OF_ALL:
            if key in keys:
                message = f"an alternative has no `{key}`"
                help = f"write `{key}` beside `choose`"
                if key not in ("repeat", "else"):
                    help = "put it into a block or a group, which can be an alternative"
                raise fault(
                    "bad-choice", message, help=help, at=(number, key), key=True
                )
        last = number == len(value) - 1
        if last and "when" in keys:
            message = "nothing is chosen where no `when` is true"
            help = "the last alternative is what the layer is else, and has no `when`"
            raise fault("bad-choice", message, help=help, at=(number, "when"), key=True)
        if not last and "when" not in keys:
            message = "an alternative without `when` is the last: those after it are never chosen"
            raise fault("bad-choice", message, at=(number,))
    return value


NULL: Final = ""
"""What `else: null` is read as: no value takes the place of the layer's."""
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}


def _value_or_null(value: Any) -> Any:
    if value == NULL:
        raise fault("bad-type", "`else` names a value, or is null for none")
    return NULL if value is None else value


class Layer(Model):
    """A layer: an op, a block or a group, with its inputs and arguments (the extra keys).

    Attributes:
        op: the op or block that the layer runs, or `$param` for the one that a param of type op names.
        layers: the layers of a group, run in order; a list is a chain of layers without names.
        choose: what the layer may be: the first whose `when` is true, else the last, which has none.
        input: the inputs: a layer or input, `layer.output`, a list, or a mapping from port to name. Default: the output
            of the layer above.
        repeat: the number of copies, one after another, or a mapping with `count` and more.
        scan: the dimension along which the block runs, one step at a time.
        carry: the initial value of each state that a scan carries from step to step: zeros[B, hidden], or a layer.
        reverse: whether the scan runs from the last step to the first.
        when: the condition, known at compile time, under which the layer runs.
        otherwise: the value in place of the output where `when` is false; null for none at all. Default: the first
            input.
        share: the layer above whose weights this one uses again.
        tie: tensors that are one with those of other layers: {weight: wte.weight}.
        init: how the tensors of the layer are initialised: {weight: {normal: {std: 0.02}}}.
        parametrize: how a weight is computed from others: weight_norm or spectral_norm.
        outputs: the outputs of a group: a list of layers, or names for them. Default: the last layer.
        after: in a spec that extends another, the layer or input that this layer comes after.
        description: a comment for readers, which the generated code has too.
    """

    model_config = ConfigDict(extra="allow")

    also_written: ClassVar[tuple[Schema, ...]] = (OP_NAME,)
    one_of: ClassVar[tuple[str, ...]] = ("op", "layers", "share", "choose")
    nullable: ClassVar[tuple[str, ...]] = ("else",)

    op: Annotated[str, written_as(OP_NAME)] | None = None
    layers: Annotated[dict[_LayerName, Layer], _AS_MAPPING, _OR_LIST] | None = None
    choose: Annotated[
        Annotated[list[Layer], BeforeValidator(_alternatives), _AS_ALTERNATIVES] | None,
        Key(sequential=False),
    ] = None
    input: Annotated[References, Key(each_use=True)] = Field(default=None, alias="in")
    repeat: Annotated[Repeat | None, Key("use", reruns=True, sequential=False)] = None
    scan: Annotated[FormulaOr, Key("block", reruns=True, sequential=False)] = None
    carry: Annotated[
        Annotated[dict[str, str], _texts(_CARRY)] | None, Key("block", beside="scan")
    ] = None
    reverse: Annotated[bool, Key("use", beside="scan")] = False
    when: Annotated[FormulaOr, Key("use", reruns=True, sequential=False)] = None
    otherwise: Annotated[
        str | None,
        BeforeValidator(_value_or_null),
        written_as(_TEXT_OR_NULL),
        Key("use", beside="when"),
    ] = Field(default=None, alias="else")
    share: Annotated[str | None, Key(sequential=False, each_use=True)] = None
    tie: Annotated[Tie | None, Key("op", sequential=False, each_use=True)] = None
    init: Annotated[Initializers | None, Key("op", sequential=False, each_use=True)] = (
        None
    )
    parametrize: Annotated[Parametrization | None, Key("op")] = None
    outputs: Annotated[Outputs | None, Key("group")] = None
    after: str | None = None
    description: str = ""

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of its op, as written."""
        return self.model_extra or {}

    @property
    def keys(self) -> dict[str, Any]:
        """The keys that are set, by the names of the fields, with their values."""
        fields, given = type(self).model_fields, self.model_fields_set
        values = ((name, getattr(self, name)) for name in fields if name in given)
        return {n: v for n, v in values if v not in (fields[n].default, {})}

    @property
    def runs_once(self) -> bool:
        """Whether it runs exactly once: no `repeat`, `scan` or `when`."""
        return not any(KEYS[name].reruns for name in self.keys)

    @property
    def asks_given(self) -> bool:
        """Whether its condition asks for an input that may be absent."""
        return isinstance(self.when, Formula) and any(asked_inputs(self.when.expr))

    @property
    def built_when(self) -> Formula | bool | None:
        """When what it needs is built: its condition, if each input that it asks for is there, or is not, as it hopes.

        None where it always is.
        """
        if not self.asks_given:
            return self.when  # type: ignore[no-any-return]
        hopeful = answered(self.when.expr, lambda _, hoped: hoped)
        if isinstance(hopeful, BooleanLiteral):
            return None if hopeful.value else False
        return Formula(hopeful, unparse(hopeful))

    @property
    def sequential(self) -> bool:
        """Whether the layer can be an item of an `nn.Sequential`."""
        return all(KEYS[name].sequential for name in self.keys)

    def as_alternative(self, number: int) -> Layer:
        """The layer that it is where it is what one of `choose` says: with the keys of both."""
        assert self.choose is not None
        chosen = self.choose[number]
        given = {name: getattr(chosen, name) for name in chosen.keys if name != "when"}
        own = {**chosen.arguments, **given, "choose": None}
        return self.model_copy(update=own)

    def shared_by(self, other: Layer) -> Layer:
        """The layer as run by another one that shares it, with the keys of that use."""
        own = (name for name, key in KEYS.items() if key.each_use)
        return self.model_copy(update={name: getattr(other, name) for name in own})

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"op": value}
        if not isinstance(value, dict):
            raise fault(
                "bad-type",
                "a layer is the name of an op, or a mapping: {op: linear, out_features: 32}",
            )
        kinds = [key for key in cls.one_of if key in value]
        if not kinds:
            raise fault(
                "missing-key",
                "a layer needs `op` (or `layers` for a group, `share` or `choose`)",
                help=_instead_of_op(value),
            )
        if len(kinds) > 1:
            raise fault(
                "bad-value",
                f"a layer has one of `{kinds[0]}` and `{kinds[1]}`",
                at=(kinds[1],),
                key=True,
            )
        if "after" in value:  # a spec that extends another places its own
            message = "`after` is for the layers of a network that `extends` another"
            help = "elsewhere layers run in the order of the file, and of their inputs"
            raise fault("bad-value", message, at=("after",), key=True, help=help)
        _check_keys(value, kinds[0])
        if kinds[0] == "choose":
            _check_beside(value)
        return value


_OWNERS: Final[Mapping[str, Mapping[str, str]]] = {
    "op": {"group": "a group"},
    "layers": {"block": "a block", "op": "an op"},
    "choose": {"block": "an op or block in it", "group": "a group in it"},
    "share": {
        "op": "the layer whose weights are shared",
        "use": "the layer that is shared",
        "block": "the layer that is shared",
        "group": "a group",
    },
}
"""Whose keys a layer cannot have, by what it is, and in words."""


def _check_keys(value: Mapping[str, Any], what: str) -> None:
    """Keys that would have no effect are mistakes."""
    for name, key in KEYS.items():
        if name in value and key.of in _OWNERS[what]:
            who = _OWNERS[what][key.of]
            message = f"`{name}` is for {who}, and this layer has `{what}`"
            raise fault("bad-value", message, at=(name,), key=True)
    for name, key in KEYS.items():
        if name in value and key.beside and key.beside not in value:
            message = f"`{name}` goes with `{key.beside}`, and this layer has none"
            raise fault(f"bad-{key.beside}", message, at=(name,), key=True)
    if "scan" in value and "repeat" in value:
        message = "a layer has `scan` or `repeat`, not both: put one into a group"
        raise fault("bad-scan", message, at=("repeat",), key=True)


def _check_beside(value: Mapping[str, Any]) -> None:
    """Beside `choose` are keys alone, each of which no alternative has, too."""
    for key in value:
        if key not in LAYER_KEYS:
            message = f"{shorten(str(key))} stands beside `choose`: arguments are for one op or block"
            help = "write it in each alternative that takes it"
            raise fault("bad-choice", message, help=help, at=(key,), key=True)
    alternatives = value["choose"] if isinstance(value["choose"], list) else []
    for number, one in enumerate(alternatives):
        for key in one if isinstance(one, dict) else ():
            if key in value and key not in ("when", "description", *_OF_ALL):
                message = f"`{key}` is said twice: here, and beside `choose`"
                at = ("choose", number, key)
                raise fault("bad-choice", message, at=at, key=True)


def _instead_of_op(value: Mapping[str, Any]) -> str:
    for key in suggestions.LAYER_KEYS:
        if key in value:
            return f"write `op` in place of `{key}`"
    ((name, below), *more) = value.items() or [("", None)]
    if not more and (below is None or (isinstance(below, dict) and "op" not in below)):
        rest = "".join(f", {key}: ..." for key in islice(below or (), 3))
        return f"write {{op: {shorten(str(name))}{rest}}}"
    if not more and isinstance(below, str | dict):
        return f"if {shorten(str(name))} is its name: the layers of a list have none"
    return ""


Layers = Annotated[dict[_LayerName, Layer], _AS_MAPPING, _OR_LIST]
KEYS: Final[Mapping[str, Key]] = {
    name: next((one for one in field.metadata if isinstance(one, Key)), Key())
    for name, field in Layer.model_fields.items()
}
"""The keys of a layer, by the names of the fields."""

LAYER_KEYS: Final = frozenset(
    field.alias or name for name, field in Layer.model_fields.items()
)
"""The keys of a layer, as they are written."""
