"""Options that a spec chooses by name, with their arguments: `adamw`, or `{adamw: {lr: 3e-4}}`."""

from functools import cache
from importlib import import_module
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializationInfo,
    ValidationInfo,
)
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.other_names import choice
from compiler.diagnostics.replacement import did_you_mean
from compiler.diagnostics.text import listed, shorten
from compiler.language.model import Model, fault
from compiler.op import docstrings
from compiler.op.find_modules import find_modules, module_names
from compiler.op.schema_forms import PARAM_NAME, Schema


class _Written(NamedTuple):
    """A thing as a spec has it, and its arguments as they are written."""

    thing: "type[Choice]"
    arguments: Any


class Choice(Model):
    """An option that a spec chooses by name.

    A subclass with a `noun` is a family of options, and the type of a field that holds
    one of them. Its subclasses with a `name` are the things: their fields are the
    arguments, their docstrings the documentation. They are found, and listed nowhere.

    Attributes:
        noun: what the things of the family are called.
        example: how one of them is written.
        package: the package whose modules define them; "" where the family's own module does.
        by_param: whether a param may name one: `optimizer: $optimizer`.
        code: the code of the diagnostics for all that is wrong in one; "" where each mistake has its own.
        name: what a spec calls the thing; "" for a family.
    """

    noun: ClassVar[str]
    example: ClassVar[str]
    package: ClassVar[str] = ""
    by_param: ClassVar[bool] = False
    code: ClassVar[str] = ""
    name: ClassVar[str] = ""
    _members: ClassVar[dict[str, type[Any]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """A class with a noun is a new family, one with a name a thing of its family."""
        if is_family(cls):
            cls._members = {}
        elif "name" in vars(cls):
            cls._members[cls.name] = cls

    @classmethod
    def members(cls) -> dict[str, type[Self]]:
        """The options of a family, by name, in the order of its files whichever was imported first."""
        if not cls.package:
            return dict(cls._members)
        files = [module.__name__ for module in find_modules(cls.package)]
        place = {name: number for number, name in enumerate(files)}
        last = len(files)
        found = cls._members.items()
        return dict(sorted(found, key=lambda one: place.get(one[1].__module__, last)))

    @classmethod
    def member(cls, name: str) -> type[Self] | None:
        """The option of a name; if a file has that name, no other file is imported."""
        if cls.package and name in module_names(cls.package):
            import_module(f"{cls.package}.{name}")
        return cls._members.get(name) or cls.members().get(name)

    @classmethod
    def required(cls) -> list[str]:
        """The arguments that have no default."""
        fields = cls.model_fields.items()
        return [field.alias or key for key, field in fields if field.is_required()]

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments with their values, including defaults, by their names in a spec."""
        return self.model_dump(by_alias=True)

    @property
    def given(self) -> dict[str, Any]:
        """The arguments that the spec gives, in the order in which they are declared."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """A family reads one of its things; a thing reads its arguments."""
        if not is_family(cls):
            return handler(source)
        return core_schema.with_info_plain_validator_function(
            cls._chosen,
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
            serialization=core_schema.plain_serializer_function_ser_schema(
                _as_written, info_arg=True
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Schema:
        """Of a family: a name alone, or one with its arguments."""
        if not is_family(cls):
            return super().__get_pydantic_json_schema__(schema, handler)
        things = cls.members()
        return {
            "description": docstrings.summary(cls),
            "anyOf": [
                {"enum": [name for name, one in things.items() if not one.required()]},
                *[PARAM_NAME] * cls.by_param,
                {
                    "type": "object",
                    "properties": {
                        name: handler(_reading(thing)) for name, thing in things.items()
                    },
                    "additionalProperties": False,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ],
        }

    @classmethod
    def _chosen(cls, value: Any, info: ValidationInfo) -> Any:
        """The thing that is written; the validators of the others are not built."""
        read = cls._read(value)
        if isinstance(read, cls):
            return read
        return _validator(read.thing).validate_python(read, context=info.context)

    @classmethod
    def _read(cls, value: Any) -> Any:
        """The name and the arguments of what is written."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            thing = cls._known(value)
            cls._check_complete(thing)
            return _Written(thing, {})
        if not isinstance(value, dict) or len(value) != 1:
            article = "an" if cls.noun[0] in "aeiou" else "a"
            message = f"{article} {cls.noun} is a name, or a name with its arguments"
            raise cls._fault("bad-type", message, help=f"write {cls.example}")
        ((name, arguments),) = value.items()
        place: dict[str, Any] = {} if cls.code else {"at": (name,), "key": True}
        thing = cls._known(name, **place)
        if arguments is None:
            raise cls._fault("bad-type", f"`{name}` is empty", at=(name,))
        return _Written(thing, arguments)

    @classmethod
    def _known(cls, name: str, **place: Any) -> type[Self]:
        found = cls.member(name)
        if found is None:
            known = cls.members()
            meant = choice(name, known)
            like = did_you_mean(name, meant) if meant else suggest(name, known)
            help = like or f"there are {listed(known)}"
            message = f"there is no {cls.noun} {shorten(name)}"
            raise cls._fault("bad-value", message, help=help, **place)
        return found

    @classmethod
    def _check_complete(cls, thing: type[Self]) -> None:
        """A name alone will do where no argument is required."""
        if missing := thing.required():
            arguments = ", ".join(f"{key}: ..." for key in missing)
            help = f"write {{{thing.name}: {{{arguments}}}}}"
            message = f"{thing.name} needs {listed(missing)}"
            raise cls._fault("missing-key", message, help=help, key=False)

    @classmethod
    def _fault(cls, code: str, message: str, **context: Any) -> Exception:
        return fault(cls.code or code, message, **context)


def is_family(kind: Any) -> bool:
    """Whether a type is a family of options."""
    known = isinstance(kind, type) and issubclass(kind, Choice)
    return known and "noun" in vars(kind)


def _reading(thing: type[Choice]) -> CoreSchema:
    """How a thing is read that is written."""
    thing.model_rebuild()  # if it was not built yet
    arguments = thing.__pydantic_core_schema__
    return core_schema.no_info_before_validator_function(_arguments, arguments)


@cache
def _validator(thing: type[Choice]) -> SchemaValidator:
    """Reads a thing; its name is part of where an error is."""
    by_name = core_schema.tagged_union_schema({thing.name: _reading(thing)}, _name)
    return SchemaValidator(by_name)


def _name(value: _Written) -> str:
    return value.thing.name


def _arguments(value: _Written) -> Any:
    return value.arguments


def _as_written(value: Choice, info: SerializationInfo) -> dict[str, Any]:
    """The name with the arguments, as the whole is asked for."""
    arguments = value.model_dump(
        mode=info.mode, by_alias=True, exclude_none=bool(info.exclude_none)
    )
    return {value.name: arguments}
