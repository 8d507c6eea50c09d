"""The base of the language's models: errors, names, formulas, patterns.

Here, and where many models are declared, annotations are no text (`from __future__ import annotations`): pydantic would
evaluate the text of those of a base again for each of its 60 subclasses, which took a tenth of `layergraph check`.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from compiler.diagnostics.replacement import did_you_mean
from compiler.diagnostics.text import shorten
from compiler.language import identifiers
from compiler.op import docstrings
from compiler.op.arg_types import Formula
from compiler.op.schema_forms import FORMULA, TYPE, Schema, written_as
from compiler.symbolic.evaluate import ExpressionError, parse_expression
from compiler.symbolic.tensor import TypePattern, parse_pattern


def fault(code: str, message: str, **context: Any) -> PydanticCustomError:
    """An error with the code of its diagnostic. `key=True` in the context puts it at the key, not the value."""
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


def mapping_of(what: str) -> BeforeValidator:
    """What has names, and so is a mapping."""

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise fault("bad-type", f"{what} are a mapping: name, colon, space, value")
        return value

    return BeforeValidator(check)


def named(rule: Callable[[str], str], what: str) -> AfterValidator:
    """Check a name by a rule; the error suggests a similar valid name."""

    def check(name: str) -> str:
        if wrong := rule(name):
            like = (identifiers.snake(name), identifiers.capital(name))
            good = next((one for one in like if one and not rule(one)), "")
            message = f"{shorten(name)} cannot be the name of {what}: {wrong}"
            help = did_you_mean(name, good) if good else ""
            raise fault("bad-name", message, help=help)
        return name

    return AfterValidator(check)


FormulaOr = Annotated[
    Any,
    BeforeValidator(formula),
    written_as({"anyOf": [{"type": ["number", "boolean"]}, FORMULA]}),
]
Pattern = Annotated[Any, BeforeValidator(pattern), written_as(TYPE)]


_ABOUT: Final = ("description", "title")
"""What JSON Schema says of a value in all of its forms."""
_NULL: Final[Schema] = {"type": "null"}


class Model(BaseModel):
    """Base of all: immutable, no unknown keys, no conversions.

    Attributes:
        alone: the field whose value may be written in place of the mapping.
        also_written: JSON Schema of what may be written in place of the mapping.
        one_of: keys of which the mapping has one.
        derived: fields that are no keys: a validator fills them.
        nullable: keys that may be null, which means something.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # a validator is built when one is needed: most models are parts of another
    )

    alone: ClassVar[str] = ""
    also_written: ClassVar[tuple[Schema, ...]] = ()
    one_of: ClassVar[tuple[str, ...]] = ()
    derived: ClassVar[tuple[str, ...]] = ()
    nullable: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        """The mapping, of what is written; each key of the language in it has a value."""
        if cls.alone and not isinstance(value, dict):
            value = {cls.alone: value}
        entries = value.items() if isinstance(value, dict) else ()
        for key in [key for key, entry in entries if entry is None]:
            if key not in cls.nullable and any(
                key == (f.alias or name) for name, f in cls.model_fields.items()
            ):
                raise fault("bad-type", f"`{key}` is empty", at=(key,))
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Schema:
        """The mapping, as the docstring describes it, or one of the short forms."""
        long = handler(core_schema)
        mapping = handler.resolve_ref_schema(long)
        cls._describe(mapping)
        if not cls.also_written:
            return long
        inner = dict(mapping)
        about: Schema = {key: inner.pop(key) for key in _ABOUT if key in inner}
        return {"anyOf": [*cls.also_written, inner], **about}

    @classmethod
    def _describe(cls, mapping: Schema) -> None:
        """Complete the schema of the mapping by what only the class knows of it."""
        mapping["description"] = docstrings.summary(cls)
        texts = docstrings.descriptions(cls)
        for name, field in cls.model_fields.items():
            key = field.alias or name
            form = mapping["properties"].pop(key, {})
            if name not in cls.derived:
                text = {"description": texts[name]} if name in texts else {}
                mapping["properties"][key] = _written(form) | text
        if cls.one_of:
            mapping["oneOf"] = [{"required": [key]} for key in cls.one_of]


def _written(form: Schema) -> Schema:
    """The schema of what a key has where it is written: never null."""
    form = dict(form)
    if form.get("default", 0) is None:
        del form["default"]
    forms = form.get("anyOf", [])
    if _NULL not in forms:
        return form
    kept = [one for one in forms if one != _NULL]
    del form["anyOf"]
    return form | (kept[0] if len(kept) == 1 else {"anyOf": kept})
