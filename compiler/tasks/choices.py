"""What the models of `task:` share: numbers that may be formulas, and choices by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.language.model import Model, fault
from compiler.op.binding import expression_code
from compiler.symbolic.evaluate import ExpressionError, evaluate, parse_expression


def number(value: Any, info: ValidationInfo) -> Any:
    """A string becomes the value of the formula over the params that it is."""
    if not isinstance(value, str):
        return value
    params: Mapping[str, Any] = (info.context or {}).get("params", {})
    try:
        return evaluate(parse_expression(value), params)
    except ExpressionError as error:
        offsets = (error.start, error.end)
        code = expression_code(error)
        help = _meant(value[slice(*offsets)], params) if code == "unknown-name" else ""
        message = shorten(error.message, 120)
        raise fault(code, message, offsets=offsets, help=help) from None


def _meant(name: str, params: Mapping[str, Any]) -> str:
    return suggest(name, params) or f"the params are: {listed(params)}"


Count = Annotated[int, Field(ge=0), BeforeValidator(number)]
"""An integer from 0 on, or a formula over the params of the spec."""
Whole = Annotated[int, Field(ge=1), BeforeValidator(number)]
"""An integer from 1 on, or a formula over the params of the spec."""
Real = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(number)]
"""A number, or a formula over the params of the spec."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(number)]
"""A number above 0, or a formula over the params of the spec."""
NotNegative = Annotated[
    float, Field(ge=0, allow_inf_nan=False), BeforeValidator(number)
]
"""A number from 0 on, or a formula over the params of the spec."""
Share = Annotated[float, Field(ge=0, lt=1), BeforeValidator(number)]
"""A number from 0 to below 1, or a formula over the params of the spec."""
Flag = Annotated[bool, BeforeValidator(number)]
"""True or false, or a formula over the params of the spec."""


class Choice(Model):
    """One of several things by name, with its arguments: `adamw`, or `{adamw: {lr: 3e-4}}`.

    Each field of a subclass is one of the things, and None unless it is the one.

    Attributes:
        what: what the things are called.
        example: how one of them is written.
    """

    what: ClassVar[str]
    example: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            cls._known(value)
            cls._complete(value)
            return {value: {}}
        if not isinstance(value, dict) or len(value) != 1:
            message = f"this is one {cls.what}: a name, or a name with its arguments"
            raise fault("bad-type", message, help=f"write {cls.example}")
        (name,) = value
        cls._known(name, at=(name,), key=True)
        return value

    @classmethod
    def _known(cls, name: str, **place: Any) -> None:
        if name not in cls.model_fields:
            known = listed(cls.model_fields)
            help = suggest(name, cls.model_fields) or f"there are {known}"
            message = f"there is no {cls.what} {shorten(name)}"
            raise fault("bad-value", message, help=help, **place)

    @classmethod
    def _complete(cls, name: str) -> None:
        """A name alone will do where no argument is required."""
        if missing := needed(choices(cls)[name]):
            arguments = ", ".join(f"{key}: ..." for key in missing)
            help = f"write {{{name}: {{{arguments}}}}}"
            message = f"{name} needs {listed(missing)}"
            raise fault("missing-key", message, help=help, key=False)

    @property
    def name(self) -> str:
        """The name of what was chosen."""
        (name,) = self.model_fields_set
        return name

    @property
    def chosen(self) -> Any:
        """What was chosen, with its arguments."""
        return getattr(self, self.name)


def choices(choice: type[Choice]) -> dict[str, type[Model]]:
    """The things that there are to choose from, by name."""
    return {
        name: next(one for one in get_args(field.annotation) if one is not NoneType)
        for name, field in choice.model_fields.items()
    }


def needed(model: type[Model]) -> list[str]:
    """The fields that have no default."""
    return [key for key, field in model.model_fields.items() if field.is_required()]
