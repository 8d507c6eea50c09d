"""From the arguments in a spec to a bound op: checked as written, evaluated in a scope, checked again as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pydantic

from compiler.diagnostics import suggestions
from compiler.diagnostics.diagnostic import closest
from compiler.diagnostics.other_names import argument
from compiler.diagnostics.replacement import did_you_mean
from compiler.diagnostics.text import shorten
from compiler.op.arg_docs import takes
from compiler.op.arg_types import Formula, sized
from compiler.op.as_yaml import as_yaml
from compiler.op.op import (
    Op,
    arguments,
    model,
    per_op,
    required_arguments,
    symbolic_arguments,
)
from compiler.parse.path_error import Path, PathError
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import ListItem, ParamNumber, Symbol


class BindingError(Exception):
    """Arguments whose values an op does not take: `errors` holds all that is wrong, by paths below the layer."""

    def __init__(self, errors: list[PathError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def check_arguments(
    op: type[Op], written: Mapping[str, Any]
) -> tuple[dict[str, Any], list[PathError]]:
    """The arguments with formulas parsed, and every mistake that can be seen without values.

    >>> from compiler.op.registry import ops
    >>> check_arguments(ops()["linear"], {"out_features": 0})[1][0].message
    'out_features must be an integer of at least 1, and is 0'
    """
    if not written and not required_arguments(op):
        return {}, []
    try:
        checked = model(op).model_validate(dict(written))
    except pydantic.ValidationError as error:
        return {}, _errors(op, error)
    given = {key: getattr(checked, key) for key in written}
    for key in given.keys() & _alone(op):
        if not isinstance(written[key], list | tuple) and isinstance(given[key], tuple):
            (given[key],) = given[key]
    return given, []


@per_op
def _alone(op: type[Op]) -> frozenset[str]:
    """The arguments of which one alone is no list of one."""
    markers = {key: sized(hint) for key, (hint, _) in arguments(op).items()}
    return frozenset(key for key, found in markers.items() if found and found.alone)


def bind(
    op: type[Op],
    given: Mapping[str, Any],
    values: Mapping[str, Value],
    names: SymbolTable,
) -> Op:
    """The op with its arguments in the scope where the layer stands.

    `values` and `names` map each name of the scope to what it stands for: its value, and its symbol. Sizes become
    `Dim`s over the symbols, everything else becomes a plain value.

    Raises:
        BindingError: where a formula has no value, or its value is not one that the op takes.
    """
    errors: list[PathError] = []
    plain = {
        key: _evaluate(value, values, (key,), errors) for key, value in given.items()
    }
    if errors:
        raise BindingError(errors)
    valid = plain
    if any(_has_formula(value) for value in given.values()):
        valid = _revalidate(op, plain)
    symbolic = symbolic_arguments(op)
    bound = {
        key: _size(op, key, _named(given[key], value, names))
        if key in symbolic
        else value
        for key, value in valid.items()
    }
    listed = (key for key, value in plain.items() if isinstance(value, tuple))
    return op(_defaults(op) | bound, frozenset(listed))


@per_op
def _defaults(op: type[Op]) -> dict[str, Any]:
    """The defaults of all arguments as the rules of an op see them; None if there is none."""
    defaults = {key: default for key, (_, default) in arguments(op).items()}
    return {
        key: None if default is ... else _size(op, key, default)
        for key, default in defaults.items()
    }


def _size(op: type[Op], key: str, value: Any) -> Any:
    """The value of an argument, with its integers as sizes if the rules see them as such."""
    sizes = _as_dims(value) if key in symbolic_arguments(op) else value
    return (sizes,) if key in _alone(op) and isinstance(sizes, Dim) else sizes


def _revalidate(op: type[Op], plain: dict[str, Any]) -> dict[str, Any]:
    try:
        checked = model(op).model_validate(
            {key: _as_list(value) for key, value in plain.items()}
        )
    except pydantic.ValidationError as error:
        raise BindingError(_errors(op, error)) from None
    bound = {key: getattr(checked, key) for key in plain}
    # Text where a number is wanted reads as a formula once more.
    texts = [key for key, value in bound.items() if _has_formula(value)]
    if texts:
        raise BindingError([_unfit(op, key, plain[key]) for key in texts])
    return bound


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _has_formula(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(isinstance(item, Formula) for item in value)
    if isinstance(value, dict):
        return any(isinstance(item, Formula) for item in value.values())
    return isinstance(value, Formula)


def _evaluate(
    value: Any,
    values: Mapping[str, Value],
    path: Path,
    errors: list[PathError],
) -> Any:
    if isinstance(value, tuple):
        return tuple(
            _evaluate(item, values, (*path, i), errors) for i, item in enumerate(value)
        )
    if isinstance(value, dict):
        return {
            name: _evaluate(item, values, (*path, name), errors)
            for name, item in value.items()
        }
    if not isinstance(value, Formula):
        return value
    try:
        return evaluate(value.expr, values)
    except ExpressionError as error:
        offsets = error.start, error.end
        errors.append(PathError(error.code, error.message, path, offsets=offsets))
        return None


def _named(source: Any, value: Any, names: SymbolTable) -> Any:
    """The value in the names of the scope where that is a polynomial, else the value itself."""
    if isinstance(source, tuple):
        return tuple(_named(s, v, names) for s, v in zip(source, value, strict=True))
    if isinstance(source, dict):
        return {name: _named(item, value[name], names) for name, item in source.items()}
    if not isinstance(source, Formula):
        return value
    named = names.size(source.expr, value)
    alone = isinstance(value, tuple) and not isinstance(named, tuple)
    return (named,) if alone else named


def named_sizes(
    symbol: ParamNumber | ListItem, written: Any, value: Any, names: SymbolTable
) -> dict[Symbol, Dim]:
    """The numbers of an argument, by what they are in the block: the param, or the items of its list."""
    if isinstance(value, tuple):
        items = (
            written
            if isinstance(written, tuple)
            else named_items(written, value, names)
        )
        found: dict[Symbol, Dim] = {}
        for position, (item, plain) in enumerate(zip(items, value, strict=True)):
            found |= named_sizes(symbol.item(position), item, plain, names)
        return found
    if isinstance(value, bool) or not isinstance(value, int | Dim):
        return {}
    named = written if isinstance(written, Dim) else _named(written, value, names)
    return {symbol: Dim.of(named)}


def named_items(
    written: Any, value: tuple[Any, ...], names: SymbolTable
) -> tuple[Any, ...]:
    """The items of a list that a formula gives, in the names of the scope where they have one."""
    named = _named(written, value, names)
    return named if isinstance(named, tuple) and len(named) == len(value) else value


def _as_dims(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_as_dims(item) for item in value)
    if isinstance(value, dict):
        return {name: _as_dims(item) for name, item in value.items()}
    return (
        Dim.of(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else value
    )


def _errors(op: type[Op], error: pydantic.ValidationError) -> list[PathError]:
    """All mistakes; an argument that is misspelt is not missing, too."""
    details = error.errors(include_url=False)
    known = arguments(op)
    misspelt = {
        _meant(str(one["loc"][0]), known)
        for one in details
        if one["type"] == "extra_forbidden"
    }
    return [
        _error(op, one)
        for one in details
        if one["type"] != "missing" or one["loc"][0] not in misspelt
    ]


def _meant(name: str, known: Collection[str]) -> str | None:
    """The argument that a name which is none says: another tool's name of it, or a slip."""
    named = argument(name, known)
    return named or (None if name in suggestions.ARGUMENTS else closest(name, known))


def _error(op: type[Op], detail: Any) -> PathError:
    path = tuple(detail["loc"])
    name = path[0] if path else ""
    if detail["type"] == "extra_forbidden":
        known = arguments(op)
        meant = _meant(str(name), known)
        help = (
            (meant and did_you_mean(str(name), meant))
            or suggestions.ARGUMENTS.get(str(name))
            or f"{op.name} takes {', '.join(known) or 'no arguments'}"
        )
        return PathError(
            "unknown-argument",
            f"{op.name} has no argument {shorten(str(name))}",
            (name,),
            key=True,
            help=help,
        )
    if detail["type"] == "missing":
        return PathError(
            "missing-argument",
            f"{op.name} needs {name}",
            ("op",),
            help=_wanted(op, str(name)),
        )
    if detail["type"] == "bad_expression":
        context = detail["ctx"]
        offsets = (context["start"], context["end"]) if "start" in context else None
        return PathError(
            "bad-expression",
            str(context.get("reason", detail["msg"])),
            path,
            offsets=offsets,
        )
    if isinstance(detail["input"], Dim):
        message = (
            f"{name} must be known when the network is built, and is {detail['input']}"
        )
        return PathError("not-constant", message, path)
    return _unfit(op, str(name), detail["input"], detail["type"], path)


def _unfit(
    op: type[Op],
    name: str,
    value: Any,
    fault: str = "",
    path: Path = (),
) -> PathError:
    """A value that the argument does not take."""
    code = "bad-value" if fault in _RANGES else "bad-type"
    wanted = takes(arguments(op)[name][0])
    message = f"{name} must be {wanted}, and is {shorten(as_yaml(value))}"
    return PathError(code, message, path or (name,))


_RANGES = {
    "greater_than_equal",
    "less_than_equal",
    "greater_than",
    "less_than",
    "literal_error",
}


def _wanted(op: type[Op], name: str) -> str:
    return f"{name}: {takes(arguments(op)[name][0])}"
