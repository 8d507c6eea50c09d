"""The values of params: defaults, variants, settings and arguments, checked against the declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.text import listed, shorten
from compiler.expr.syntax import (
    Expression,
    ListLiteral,
    NumberLiteral,
    UnaryOperation,
    Variable,
    names_in,
    rewrite,
    walk,
)
from compiler.ir.graph import Place
from compiler.ir.typed import Instance
from compiler.language.params import Param
from compiler.op.arg_types import Formula
from compiler.op.binding import named_sizes
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import (
    EllipsisDim,
    InputDim,
    ListItem,
    Opaque,
    Owner,
    ParamNumber,
    Symbol,
)

_PYTHON: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "str": (str,),
    "op": (str,),
}

MOST_PARTS = 100
"""Of so many parts is a formula of floats that goes from block to block: one in which a size is read twice doubles."""


def param_type(param: Param, value: Value) -> str:
    """The type of a param: as declared, or that of its value."""
    if param.kind is not None:
        return param.kind
    if isinstance(value, tuple):
        item = value[0] if value else 0
        return f"{_type_name(item)}[]"
    return _type_name(value)


def _type_name(value: Value) -> str:
    if isinstance(value, Dim):
        return "int"
    return type(value).__name__


def default_value(
    param: Param, env: Mapping[str, Value], place: Place, report: Report
) -> Value | None:
    """The default of a param, evaluated with the params before it."""
    return formula_value(_tupled(param.default), env, default_place(place), report)


def default_place(place: Place) -> Place:
    """The place of the default of a param: in the long form under `default`."""
    node = place.document.node(place.path)
    return place.at("default") if getattr(node, "entries", None) is not None else place


def formula_value(
    value: Any, env: Mapping[str, Value], place: Place, report: Report
) -> Value | None:
    """A literal as it is, a formula evaluated; None and a diagnostic where it has no value."""
    if isinstance(value, tuple):
        items = tuple(
            formula_value(item, env, place.at(i), report)
            for i, item in enumerate(value)
        )
        return None if None in items else items  # type: ignore[return-value]
    if not isinstance(value, Formula):
        return value  # type: ignore[no-any-return]
    try:
        return evaluate(value.expr, env)
    except ExpressionError as error:
        span = place.part(error.start, error.end)
        report.error(error.code, span, error.message)
        return None


def fits(param: Param, value: Value) -> str:
    """The reason why a value is invalid for a param; "" if it is valid."""
    if param.kind is not None and not _is_a(param.kind, value):
        return f"must be {param.kind}, and is {shorten(shown(value))}"
    if param.choices is not None and value not in param.choices:
        return f"must be one of {listed(map(shown, param.choices))}, and is {shorten(shown(value))}"
    if isinstance(value, int | float) and param.min is not None and value < param.min:
        return f"must be at least {param.min}, and is {shown(value)}"
    if isinstance(value, int | float) and param.max is not None and value > param.max:
        return f"must be at most {param.max}, and is {shown(value)}"
    return ""


def _is_a(name: str, value: Value) -> bool:
    if name.endswith("[]"):
        return isinstance(value, tuple) and all(
            _is_a(name[:-2], item) for item in value
        )
    if isinstance(value, bool):
        return name == "bool"
    return isinstance(value, _PYTHON[name]) or (
        name == "int" and isinstance(value, Dim)
    )


def shown(value: Any) -> str:
    """A value as YAML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(shown, value))}]"
    return str(value)


def name_values(
    owner: Owner, params: Mapping[str, Value]
) -> tuple[dict[str, Value], dict[Symbol, Dim]]:
    """Each param as the symbols of its scope see it, and the numbers behind the symbols.

    A number becomes a symbol, and so does each number of a list. What is no number has no name here: a choice must
    not decide a size.
    """
    names: dict[str, Value] = {}
    hints: dict[Symbol, Dim] = {}
    for name, value in params.items():
        if not isinstance(value, bool | str):
            names[name] = _named(ParamNumber(owner, name), value, hints)
    return names, hints


def _named(
    symbol: ParamNumber | ListItem, value: Value, hints: dict[Symbol, Dim]
) -> Value:
    if isinstance(value, tuple):
        items = enumerate(value)
        return tuple(_named(symbol.item(n), item, hints) for n, item in items)
    if isinstance(value, Dim) or (
        isinstance(value, int) and not isinstance(value, bool)
    ):
        hints[symbol] = Dim.of(value)
        return Dim.symbol(symbol)
    return value


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, list) else value


def default_sizes(
    instance: Instance, given: Mapping[str, Value], binding: Mapping[Symbol, Dim]
) -> dict[Symbol, Dim]:
    """What the numbers are, in the names of the caller, that a block's defaults give."""
    found: dict[Symbol, Dim] = {}
    for name, param in instance.scope.params.items():
        if name not in given:
            written, value = _tupled(param.default), instance.params[name]
            own = ParamNumber(instance.names.owner, name)
            sizes = named_sizes(own, written, value, instance.names)
            for symbol, size in sizes.items():
                size_in_symbols = size.substitute({**binding, **found})
                known = size_in_symbols.symbols <= _symbols(binding)
                found[symbol] = size_in_symbols if known else binding[symbol]
    return found


def formula_sizes(
    instance: Instance, binding: Mapping[Symbol, Dim]
) -> dict[Symbol, Dim]:
    """Formulas of a block that come to a dimension of the network, in the names of the caller: `sizes[-1]`."""
    found: dict[Symbol, Dim] = {}
    for symbol, value in instance.context.hints.items():
        if isinstance(symbol, Opaque) and value.constant is None:
            names = {n: _put(one, binding) for n, one in instance.names.items()}
            try:
                size = evaluate(symbol.formula, {**instance.values, **names})
            except ExpressionError:
                continue
            if isinstance(size, int | Dim):
                found[symbol] = Dim.of(size)
    return found


def float_sizes(
    instance: Instance,
    written: Mapping[str, Any],
    binding: Mapping[Symbol, Dim],
    names: SymbolTable,
) -> dict[Symbol, Dim]:
    """Formulas of a block that name floats, as formulas of the caller: `round(8 * r)`.

    `written` are the arguments as the caller writes them, `binding` has its sizes, and `names` are those of its scope.
    No other value of a float is tried before its class takes it, so that its value must stand in no size.
    """
    formulas = {
        symbol: value
        for symbol, value in instance.context.hints.items()
        if isinstance(symbol, Opaque) and instance.names.names_float(symbol.formula)
    }
    if not formulas:
        return {}
    given = _arguments(instance, written, binding)
    found: dict[Symbol, Dim] = {}
    for symbol, value in formulas.items():
        formula = symbol.expr
        told = _with(formula, given) if names_in(formula) <= given.keys() else None
        if told is not None and sum(1 for _ in walk(told)) <= MOST_PARTS:
            size = names.size(told, value)
            if isinstance(size, int | Dim):
                found[symbol] = Dim.of(size)
    return found


def _arguments(
    instance: Instance, written: Mapping[str, Any], binding: Mapping[Symbol, Dim]
) -> dict[str, Expression]:
    """What the names of a block are in those of the caller, as far as these have them."""
    given: dict[str, Expression] = {}
    for name, size in instance.names.items():
        own = size.alone if isinstance(size, Dim) else None
        known = binding.get(own) if isinstance(own, InputDim) else None
        if known is not None and not any(
            isinstance(symbol, EllipsisDim) for symbol in known.symbols
        ):
            given[name] = known.to_expr()
    for name, param in instance.scope.params.items():
        value = written.get(name, param.default)
        found = _written(instance.params[name] if value is None else value)
        if found is not None and (name in written or names_in(found) <= given.keys()):
            given[name] = found if name in written else _with(found, given)
    return given


def _with(formula: Expression, values: Mapping[str, Expression]) -> Expression:
    """A formula with expressions in place of names."""

    def put(part: Expression) -> Expression | None:
        return values.get(part.id) if isinstance(part, Variable) else None

    return rewrite(formula, put)


def _written(value: Any) -> Expression | None:
    """A value of the spec as an expression; None where it is none of numbers."""
    if isinstance(value, Formula):
        return value.expr
    if isinstance(value, list | tuple):
        items = [*map(_written, value)]
        known = tuple(item for item in items if item is not None)
        return ListLiteral(known) if len(known) == len(items) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = NumberLiteral(abs(value))
    return UnaryOperation("-", number) if value < 0 else number


def _put(value: Value, binding: Mapping[Symbol, Dim]) -> Value:
    if isinstance(value, tuple):
        return tuple(_put(item, binding) for item in value)
    return value.substitute(binding) if isinstance(value, Dim) else value


def _symbols(binding: Mapping[Symbol, Dim]) -> frozenset[Symbol]:
    """The symbols of the caller that the sizes of a call are told in."""
    return frozenset[Symbol]().union(*(size.symbols for size in binding.values()))
