"""The tests and the messages of demands: as many numbers in a line as it has the place for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from compiler.codegen.python import (
    Call,
    Compare,
    Expr,
    Literal,
    Starred,
    Subscript,
    Unary,
    call,
    lit,
)
from compiler.codegen.traversal import placeholders
from compiler.diagnostics.text import listed
from compiler.infer.param_values import shown
from compiler.ir.module import ScopeName
from compiler.language.params import Param
from compiler.lower.class_ir import Demand
from compiler.lower.known_numbers import KnownNumbers
from compiler.lower.required import Required
from compiler.lower.scope_code import name_code, value_code
from compiler.lower.simplify_required import text_of

_LONGEST_TEST, _LONGEST_TEXT = 69, 68
"""Characters of what is compared, and of a message, which may have a line of its own."""

Number = tuple[Expr, str]
"""A number, and how a message names it."""


def demand_of(one: Required, known: KnownNumbers) -> Demand:
    """What refuses arguments that do not have what is required."""
    message = _message(one)
    if len(message) > _LONGEST_TEXT:
        message = together([one])
    return test_of(one, known), message


def test_of(one: Required, known: KnownNumbers) -> Expr:
    """The code that is true where a number is wrong, as a person would write it."""
    match one:
        case Required(Unary("-", code), Literal(int(least)), relation="least"):
            return one.test_of(Compare(">", code, lit(-least)))
        case Required(Starred() as star) if not known.may_be_empty(star):
            return one.test_of(Compare("<", call("min", star.value), one.least))
    return one.test


def _message(one: Required) -> str:
    code, least = text_of(one.code), text_of(one.least)
    if one.relation == "multiple":
        return f"{code} must be a multiple of {least}"
    if one.relation == "equal":
        return f"{code} and {least} must be equal"
    if one.relation == "not":
        return f"{code} must not be {least}"
    if one.relation == "above 0":
        return f"{code} must be above {least}"
    if one.relation == "share":
        return f"{code} must be from {least} to 1"
    match one:
        case Required(Unary("-", code_), Literal(int(number))):
            return f"{text_of(code_)} must be at most {-number}"
        case Required(Starred(items)):
            name = items.value if isinstance(items, Subscript) else items
            code = text_of(name)
    return f"{code} must be at least {least}"


def together(required: Iterable[Required]) -> str:
    """That the arguments do not go together of which something is required."""
    codes = (code for one in required for code in one.codes)
    keys = (key for code in codes for key in placeholders(code))
    names = {key.name: None for key in keys if isinstance(key, ScopeName)}
    if len(names) == 1:
        return f"{next(iter(names))} cannot have this value"
    return f"{_enumerated(names)} do not go together"


def _names(code: Expr) -> set[str]:
    return {key.name for key in placeholders(code) if isinstance(key, ScopeName)}


def _enumerated(names: Iterable[str]) -> str:
    """`a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def declared(name: str, param: Param) -> Iterator[Demand]:
    """What a param says of its values itself."""
    place = name_code(name)
    if param.min is not None:
        yield (
            Compare("<", place, lit(param.min)),
            f"{name} must be at least {param.min}",
        )
    if param.max is not None:
        yield Compare(">", place, lit(param.max)), f"{name} must be at most {param.max}"
    if param.choices is not None:
        test = Compare("not in", place, value_code(tuple(param.choices)))
        yield test, f"{name} must be one of {listed(map(shown, param.choices))}"


def at_least(
    numbers: Iterable[Number], least: Expr, counts: Collection[str]
) -> Iterator[Demand]:
    """That numbers are at least another: as many in a line as it has the place for.

    `counts` are the names of numbers of copies, which are no sizes.
    """
    line: list[Number] = []
    for number in numbers:
        columns = sum(map(_columns, [*line, number])) + len(text_of(least)) - 1
        if line and columns > _LONGEST_TEST:
            yield _in_one_line(line, least, counts)
            line = []
        line.append(number)
    if line:
        yield _in_one_line(line, least, counts)


def _columns(number: Number) -> int:
    """The columns of a number and a comma."""
    code, _ = number
    return len(text_of(code)) + 2


def _in_one_line(numbers: list[Number], least: Expr, counts: Collection[str]) -> Demand:
    """That several numbers are at least another; the message names them if it has the place."""
    codes = [code for code, _ in numbers]
    if len(codes) == 1:
        (code,) = codes
        number = call("min", code.value) if isinstance(code, Starred) else code
    else:
        number = call("min", *codes)
    message = _enumerated(dict.fromkeys(text for _, text in numbers))
    ending = f" must be at least {text_of(least)}"
    if len(message) + len(ending) > _LONGEST_TEXT:
        lengths = all(isinstance(code, Call) for code in codes)
        if len(codes) == 1 and not lengths:
            return Compare("<", number, least), together([Required(codes[0], least)])
        message = "all lengths" if lengths else "all sizes"
        if not lengths and any(_names(code) & {*counts} for code in codes):
            message = "all sizes and numbers of copies"
    return Compare("<", number, least), message + ending
