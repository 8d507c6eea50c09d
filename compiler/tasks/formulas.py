"""Numbers of a task, which may be formulas over the params of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic_core import CoreSchema, core_schema

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import listed, shorten
from compiler.language.model import fault
from compiler.op.schema_forms import FORMULA, Schema
from compiler.symbolic.evaluate import ExpressionError, evaluate, parse_expression


def number(value: Any, info: ValidationInfo) -> Any:
    """Evaluate a string as a formula over the params."""
    if not isinstance(value, str):
        return value
    params: Mapping[str, Any] = (info.context or {}).get("params", {})
    try:
        return evaluate(parse_expression(value), params)
    except ExpressionError as error:
        offsets = (error.start, error.end)
        code = error.code
        name = value[slice(*offsets)] if code == "unknown-name" else ""
        help = _meant(name, params) if name else ""
        message = shorten(error.message, 120)
        raise fault(code, message, offsets=offsets, help=help, missing=name) from None


def _meant(name: str, params: Mapping[str, Any]) -> str:
    return suggest(name, params) or f"the params are: {listed(params)}"


class _OrFormula:
    """Annotates a type: a text is a formula, and stands for the value that it has."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The value of a formula is checked as one that is written."""
        return core_schema.with_info_before_validator_function(number, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Schema:
        """A value, or a formula."""
        return {"anyOf": [handler(schema), FORMULA]}


_FORMULA: Final = _OrFormula()
Count = Annotated[int, Field(ge=0), _FORMULA]
"""An integer from 0 on, or a formula over the params of the spec."""
Whole = Annotated[int, Field(ge=1), _FORMULA]
"""An integer from 1 on, or a formula over the params of the spec."""
Real = Annotated[float, Field(allow_inf_nan=False), _FORMULA]
"""A number, or a formula over the params of the spec."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), _FORMULA]
"""A number above 0, or a formula over the params of the spec."""
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), _FORMULA]
"""A number from 0 on, or a formula over the params of the spec."""
Share = Annotated[float, Field(ge=0, lt=1), _FORMULA]
"""A number from 0 to below 1, or a formula over the params of the spec."""
Flag = Annotated[bool, _FORMULA]
"""True or false, or a formula over the params of the spec."""
