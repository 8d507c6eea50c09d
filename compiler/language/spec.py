"""The spec language as pydantic models, one for each kind of mapping.

A model is the meaning of its mapping, in types that the passes work on: patterns,
formulas, references. A mistake is a `PydanticCustomError` whose type is the code of the
diagnostic; its location leads back to the YAML.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.language import identifiers
from compiler.language.checkpoint import Checkpoint
from compiler.language.layers import LAYER_KEYS, Initializers, Layers, Outputs
from compiler.language.model import Model, Pattern, fault, mapping_of, named
from compiler.language.params import (
    DimRange,
    Inputs,
    Param,
    Params,
    Step,
    param_value,
)
from compiler.op.schema_forms import written_as
from compiler.symbolic.tensor import TypePattern


def _block_param(name: str) -> str:
    """What is wrong with the name of a block's param, which layers that use the block give beside their own keys."""
    wrong = identifiers.snake_case(name)
    return wrong or ("it is a key of a layer" if name in LAYER_KEYS else "")


BlockParams = Annotated[
    dict[Annotated[str, named(_block_param, "a block's param")], Param],
    mapping_of("params"),
]


class Block(Model):
    """A function from tensors to tensors: params, typed inputs, layers, outputs (default: the last layer).

    Attributes:
        description: what it does; the docstring of the class.
        params: compile-time values that each layer with this block gives, by name.
        inputs: the inputs with their types: {x: float[B, T, D]}.
        layers: the layers by name, in the order in which they run.
        outputs: the outputs: a list of layers, or names for them. Default: the last layer.
    """

    description: str = ""
    params: BlockParams = Field(default={})
    inputs: Annotated[Inputs, AfterValidator(lambda v: _some(v))]
    layers: Layers
    outputs: Outputs | None = None


class Network(Model):
    """One network of a file that holds several.

    Attributes:
        description: what it does; the docstring of the class.
        inputs: the inputs with their types: {tokens: int[B, T]}.
        layers: the layers by name, in the order in which they run.
        outputs: the outputs: a list of layers, or names for them. Default: the last layer.
    """

    description: str = ""
    inputs: Annotated[Inputs, AfterValidator(lambda v: _some(v))]
    layers: Layers
    outputs: Outputs | None = None


def _some(value: dict[str, TypePattern]) -> dict[str, TypePattern]:
    if not value:
        raise fault("bad-value", "there must be at least one input")
    return value


BlockName = Annotated[str, named(identifiers.class_name, "a block")]
Blocks = Annotated[dict[BlockName, Block], mapping_of("blocks")]
Networks = Annotated[
    dict[Annotated[str, named(identifiers.network_name, "a network")], Network],
    mapping_of("networks"),
]
Imports = Annotated[dict[BlockName, str], mapping_of("imports")]


class Expect(Model):
    """Invariants: the number of parameters, and the types of outputs and layers by their names.

    Attributes:
        parameters: the number of parameters, or one for each network.
    """

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, Pattern]

    parameters: Annotated[
        Any,
        AfterValidator(lambda v: _numbers(v)),
        written_as(
            {
                "anyOf": [
                    {"type": "integer"},
                    {"type": "object", "additionalProperties": {"type": "integer"}},
                ]
            }
        ),
    ] = None

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
    """A whole file.

    Attributes:
        name: the name of the network and of its class.
        extends: the spec that this one changes, as a relative path.
        description: what the network does; the docstring of its class.
        reference: the source of the architecture.
        params: compile-time values by name: {width: 768}.
        variants: sets of params by name: {medium: {width: 1024}}.
        dims: the allowed sizes of dimensions: {T: {max: context}}.
        step: the dimension along which the network runs one position at a time.
        inputs: the inputs with their types: {tokens: int[B, T]}.
        layers: the layers by name, in the order in which they run.
        outputs: the outputs: a list of layers, or names for them. Default: the last layer.
        networks: several networks by name, in place of inputs, layers and outputs.
        blocks: functions of tensors that layers can run, by name.
        imports: blocks of other files: {Block: blocks/file.yaml}.
        expect: assertions: the number of parameters, and types of outputs and layers.
        init: how tensors are initialised, by op: {linear: {weight: {normal: {std: 0.02}}}}.
        checkpoint: how the tensors of a published model become those of the network.
        task: what the network is trained for, and how.
    """

    name: Annotated[str, named(identifiers.class_name, "a network")]
    extends: str | None = None
    description: str = ""
    reference: str = ""
    params: Params = Field(default={})
    variants: Annotated[
        dict[
            Annotated[str, named(identifiers.snake_case, "a variant")],
            dict[str, Annotated[Any, AfterValidator(param_value)]],
        ],
        mapping_of("variants"),
    ] = Field(default={})
    dims: Annotated[
        dict[Annotated[str, named(identifiers.symbol_name, "a dimension")], DimRange],
        mapping_of("dims"),
    ] = Field(default={})
    step: Step | None = None
    inputs: Inputs | None = None
    layers: Layers | None = None
    outputs: Outputs | None = None
    networks: Networks | None = None
    blocks: Blocks = Field(default={})
    imports: Imports = Field(default={}, alias="import")
    expect: Expect = Field(default_factory=Expect)
    init: Annotated[
        dict[Annotated[str, named(identifiers.snake_case, "an op")], Initializers],
        mapping_of("initialisations"),
    ] = Field(default={})

    checkpoint: Checkpoint | None = None
    task: Annotated[Any, BeforeValidator(lambda v: task_mapping(v, ()))] = None

    @field_validator("variants", mode="before")
    @classmethod
    def _without_tasks(cls, value: Any) -> Any:
        """The params of each variant; what it says of the task is read with the task."""
        if not isinstance(value, dict):
            return value
        return {name: _params_of(name, entry) for name, entry in value.items()}

    @model_validator(mode="after")
    def _variants_are_clear(self) -> Spec:
        if self.variants and "task" in self.params:
            message = "beside variants, a param cannot be called task"
            help = "in a variant, `task` says how that is trained"
            at = ("params", "task")
            raise fault("bad-name", message, help=help, at=at, key=True)
        return self

    @model_validator(mode="after")
    def _checkpoint_is_of_its_networks(self) -> Spec:
        if self.checkpoint is not None:
            _check_checkpoint(self.checkpoint, self.networks)
        return self

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


def _check_checkpoint(checkpoint: Checkpoint, networks: Networks | None) -> None:
    """A file with networks has a section for each of them, or of some."""
    rules = checkpoint.model_extra or {}
    if networks is None:
        if rules:
            message = "a file with one network has one section: model, tensors, ignore"
            at = ("checkpoint", next(iter(rules)))
            raise fault("bad-value", message, at=at, key=True)
        return
    if not rules:
        example = f"checkpoint: {{{next(iter(networks))}: {{tensors: ...}}}}"
        message = "a file with networks has a section for each of them"
        help = f"write {example}"
        raise fault("bad-value", message, at=("checkpoint",), key=True, help=help)
    for name in rules:
        if name not in networks:
            message = f"there is no network {shorten(name)}"
            help = suggest(name, networks) or f"the networks are {listed(networks)}"
            raise fault(
                "unknown-network",
                message,
                at=("checkpoint", name),
                key=True,
                help=help,
                missing=name,
            )


def task_mapping(value: Any, at: tuple[str, ...]) -> Any:
    """A task is a mapping; what it says is read with the task."""
    if not isinstance(value, dict):
        help = "write task: {kind: classification, data: digits}"
        message = "a task is a mapping: its kind, its data, and how it is trained"
        raise fault("bad-type", message, at=at, help=help)
    return value


def _params_of(variant: str, entries: Any) -> Any:
    """What a variant says of params."""
    if not isinstance(entries, dict) or "task" not in entries:
        return entries
    task_mapping(entries["task"], (variant, "task"))
    return {key: value for key, value in entries.items() if key != "task"}
