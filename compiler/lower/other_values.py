"""Other values of the params of networks, at which their classes are compared with inference.

Every condition and every count should come out differently in some setting, and sizes that are equal by chance should
differ: so most settings also change all sizes, each by a factor of its own where the graph allows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from types import UnionType
from typing import Any, Literal, TypeGuard, Union, get_args, get_origin

from compiler.elaborate.check_names import formulas
from compiler.elaborate.wiring import is_routed
from compiler.expr.syntax import (
    ComparisonOperation,
    Expression,
    FunctionCall,
    IfElse,
    Indexing,
    LogicalOperation,
    NumberLiteral,
    Variable,
    names_in,
    walk,
)
from compiler.ir.graph import Alternatives, Node, OpParam, Scope
from compiler.ir.typed import TypedGraph
from compiler.lower.constructors import is_computed
from compiler.op.arg_types import Formula, sized
from compiler.op.op import Op
from compiler.op.op import arguments as op_arguments
from compiler.symbolic.evaluate import Value

Setting = dict[str, Any]
"""Values of some params; the others have the values that the graph was compiled with."""

Roles = dict[str, set[str]]

_COUNT, _DECIDES = "count", "decides"
_PLACES, _FACTOR, _TEXT = "places", "factor", "text "
"""Roles of arguments of ops: which places they read, a number of any sign, and one of several texts, which follows."""
_FEW = 4
"""From more copies than these, a few are tried: inferring many again would cost as much as the build."""
_MOST_COPIES = 12
"""More copies than these are not tried, whatever the condition."""
_MOST_FLAGS = 4
"""More flags than these are not turned one by one."""
_FACTORS = (3, 5, 7, 11, 13)
"""Odd, so that no size becomes a common one, such as 8."""


class OtherValues:
    """The settings to try for the params of a graph."""

    def __init__(self, typed: TypedGraph) -> None:
        self.values: Mapping[str, Value] = {
            name: value
            for name, value in typed.params.items()
            if typed.graph.spec.params[name].type != "op"
        }
        self._spec = typed.graph.spec
        self._roles = roles = _roles(list(typed.graph.networks.values()))
        self._compared: dict[str, set[int]] = {}
        """The numbers that params of networks are compared with."""
        for scope in typed.graph.networks.values():
            _compare(scope, self._compared)
        self.counts = frozenset(
            n for n, found in roles.items() if self._is_count(n, found)
        )
        """The numbers of copies."""

    def sizes(self, names: Collection[str]) -> Iterator[Setting]:
        """All named sizes changed together: each by a factor of its own, else by the same."""
        found = [n for n in names if self._is_size(n) and not self._is_computed(n)]
        yield self._scaled(found, _FACTORS)
        yield from (self._scaled(found, (factor,)) for factor in (3, 2))

    def equal_by_chance(self, names: Collection[str]) -> list[Setting]:
        """Other values of named params that may equal a size: items of lists, and sizes whose defaults are computed."""
        items: Setting = {}
        for name in filter(self._is_list, names):
            counts = _COUNT in self._roles.get(name, ())
            value = self.values[name]
            items[name] = _few_copies(value) if counts else _changed(value)
        computed = [n for n in names if self._is_size(n) and self._is_computed(n)]
        given = self._scaled(computed, _FACTORS[1:])
        return [one for one in (items, given) if one]

    def zero_items(self, name: str) -> list[Value]:
        """Values with a 0 of a list of numbers of copies: one item is 0, then all; none of another param."""
        value = self.values[name]
        if _COUNT not in self._roles.get(name, ()) or not _are_sizes(value):
            return []
        places = range(len(value)) if len(value) <= _FEW else (0, 1, len(value) - 1)
        found = [(*value[:at], 0, *value[at + 1 :]) for at in places]
        return list(dict.fromkeys([*found, (0,) * len(value)]))

    def settings(
        self, names: Collection[str], sizes: Setting
    ) -> Iterator[list[Setting]]:
        """Settings of the named params, each in parts: where all together do not compile, each part is tried alone.

        `sizes` is one of `sizes`, which most settings change as well.
        """
        values = {n: v for n, v in self.values.items() if n in names}
        several = [n for n in values if n in self.counts or self._is_list(n)]
        longer = {name: _longer(values[name]) for name in several}
        # Numbers that conditions ask for change with all others, and stay what they are.
        kept = {name: size for name, size in sizes.items() if not self._decides(name)}
        kept = kept if len(kept) < len(sizes) else {}
        chance = self.equal_by_chance(values)
        yield [sizes]
        yield [kept]
        shorter = {name: _shorter(values[name]) for name in several}
        for others in (sizes, *chance):
            yield [others, _besides(others, longer)]
            yield [others, _besides(others, shorter)]
        for name in several:
            if self._is_list(name):
                yield [sizes, {name: _rising(values[name])}]
        yield from ([others] for others in chance)
        besides = [one for one in (kept, *chance) if one]
        flags: Setting = {n: not v for n, v in values.items() if isinstance(v, bool)}
        few = len(flags) <= _MOST_FLAGS
        turned = [[name] for name in flags] if few else _halves(list(flags))
        rows: list[list[Setting]] = [[{n: flags[n]} for n in row] for row in turned]
        for row in rows:
            yield row
            yield [sizes, *row]
            yield from ([others, *row] for others in besides)
        for pair in combinations(flags.items(), 2) if few else ():
            yield [sizes, dict(pair)]
        # What is under a flag may be under another condition, too.
        more: Setting = {
            name: value + 1
            for name, value in values.items()
            if isinstance(value, int) and name not in flags and self._decides(name)
        }
        for row in rows if more else ():
            yield [{**sizes, **longer, **more}, *row]
        if flags:
            yield [{**sizes, **longer}, flags]
        for name in filter(self._is_list, filter(self._decides, values)):
            for turned_ in _items_turned(values[name]):
                yield [{name: turned_}]
        for name, value in values.items():
            for other in self._thresholds(name, value):
                yield [{name: other}]
                yield [sizes, {name: other}]
                yield from ([others, {name: other}] for others in besides)

    def near(self, name: str) -> Iterator[int]:
        """Other values of a number that could not be changed with the other sizes; none where it is no size."""
        if not self._is_size(name):
            return
        value = self.values[name]
        assert isinstance(value, int)
        others = (2 * value, value + 1, value - 1, 3 * value, 1, 2)
        for other in dict.fromkeys(others):
            if other != value and (other > 0 or value <= 0):
                yield other

    def around(self, name: str) -> Iterator[Any]:
        """Values on all sides of one on which it may depend what an op reads; of a list, each item changed alike."""
        value, roles = self.values[name], self._roles.get(name, set())
        texts = sorted(
            one.removeprefix(_TEXT) for one in roles if one.startswith(_TEXT)
        )
        items = value if isinstance(value, tuple) else (value,)
        others = [list(_around(item, roles, texts)) for item in items]
        if isinstance(value, tuple):
            yield from zip(*others, strict=False)
        else:
            yield from others[0]

    def deepens(self, name: str) -> bool:
        """Whether a param is a number of copies, or may be one of levels, or a list as long as there are copies."""
        value = self.values[name]
        if isinstance(value, bool):
            return False
        counts = name in self.counts or self._decides(name)
        return self._is_list(name) or (isinstance(value, int) and counts)

    def importance(self, name: str) -> int:
        """How much of a network a param changes: of several that fail together the first is fixed."""
        value = self.values[name]
        if isinstance(value, bool | str):
            return 0
        if name in self.counts or isinstance(value, tuple):
            return 2
        return 1 if self._decides(name) else 3

    def _decides(self, name: str) -> bool:
        """Whether conditions ask for a param."""
        return _DECIDES in self._roles.get(name, ())

    def _thresholds(self, name: str, value: Any) -> Iterator[Any]:
        """Values on both sides of a number that conditions may ask for, and the other choices of a text."""
        decides = self._decides(name)
        choices = self._spec.params[name].choices
        if isinstance(value, bool):
            return
        if choices is not None and (decides or isinstance(value, str)):
            yield from (other for other in choices if other != value)
        elif decides and isinstance(value, int):
            yield from self._decisive(name, value)
        elif decides and isinstance(value, tuple):
            yield from self._decisive_lists(name, value)
        elif decides and isinstance(value, float):
            yield from (0.5 * value + 0.125, 0.0 if value else 1.0)
        elif isinstance(value, float) and _PLACES in self._roles.get(name, ()):
            yield from (2 * value, 0.5 * value)  # sizes may be so many times others

    def _decisive(self, name: str, value: int) -> Iterator[int]:
        """Numbers above 0 near the value, small ones, and those near the numbers that it is compared with."""
        most = _MOST_COPIES if name in self.counts else None
        near = (value + 1, value - 1, 2 * value, *range(_FEW))
        compared = (
            n + step for n in self._compared.get(name, ()) for step in (-1, 0, 1)
        )
        for other in dict.fromkeys((*near, *compared)):
            if other != value and other > 0 and (most is None or other <= most):
                yield other

    def _decisive_lists(
        self, name: str, value: tuple[Any, ...]
    ) -> Iterator[tuple[Any, ...]]:
        """Lists as long as the numbers that conditions compare their lengths with, and of items near such numbers."""
        lengths, items = (
            sorted({n + step for n in self._compared.get(key, ()) for step in (0, 1)})
            for key in (f"len({name})", f"{name}[]")
        )
        for length in lengths:
            if value and 0 < length <= _FEW and length != len(value):
                yield (*value, *value[-1:] * _FEW)[:length]
        if _are_sizes(value):
            yield from ((number,) * len(value) for number in items if number > 0)

    def _scaled(self, names: Collection[str], factors: Sequence[int]) -> Setting:
        scaled: Setting = {}
        for number, name in enumerate(names):
            value = self.values[name]
            assert isinstance(value, int)
            scaled[name] = (value or 1) * factors[number % len(factors)]
        return scaled

    def _is_size(self, name: str) -> bool:
        value = self.values[name]
        plain = isinstance(value, int) and not isinstance(value, bool)
        return plain and name not in self.counts

    def _is_count(self, name: str, roles: Collection[str]) -> bool:
        value = self.values.get(name)
        plain = isinstance(value, int) and not isinstance(value, bool)
        return plain and _COUNT in roles

    def _is_list(self, name: str) -> bool:
        return isinstance(self.values[name], tuple)

    def _is_computed(self, name: str) -> bool:
        return is_computed(self._spec.params[name].default)


def _halves(names: Sequence[str]) -> list[list[str]]:
    """Some halves of many names: any two names are both in one, both in none, and each without the other in one.

    So what depends on one or two of them comes out in every way, with twice the logarithm of their number of settings.
    """
    bits = [1 << bit for bit in range(len(names).bit_length())]
    found = [list(names)]
    for bit in bits:
        found.append([name for place, name in enumerate(names) if place & bit])
        found.append([name for place, name in enumerate(names) if not place & bit])
    return [row for row in found if row]


def _around(value: Any, roles: Collection[str], texts: Sequence[str]) -> Iterator[Any]:
    """Other values on all sides of one that has these roles; `texts` are those that an argument of an op may be."""
    others: tuple[Any, ...] = ()
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, int) and _PLACES in roles:
        others = (value + 1, value - 1, 2 * value, -value)
    elif isinstance(value, float) and (_PLACES in roles or _FACTOR in roles):
        others = (0.0, -value, 1.0)
    elif isinstance(value, str):
        others = tuple(texts)
    yield from (other for other in dict.fromkeys(others) if other != value)


def _besides(others: Setting, values: Setting) -> Setting:
    """Those of some values that others do not change."""
    return {name: value for name, value in values.items() if name not in others}


def _longer(value: Any) -> Any:
    if isinstance(value, tuple):
        return (*value, *value[-1:])
    if not value:
        return 2  # of which the second may differ from the first
    return value + 1 if value <= _FEW else 3


def _are_sizes(value: Value) -> TypeGuard[tuple[int, ...]]:
    """Whether it is a list of numbers of at least 1."""
    return isinstance(value, tuple) and all(
        isinstance(item, int) and not isinstance(item, bool) and item > 0
        for item in value
    )


def _rising(value: Any) -> Any:
    """A list with one more item, which is larger than the last."""
    last = value[-1] if value else 0
    number = isinstance(last, int | float) and not isinstance(last, bool)
    return (*value, 2 * last + 1) if number else (*value, last)


def _shorter(value: Any) -> Any:
    if isinstance(value, tuple):
        return value[:-1] if len(value) > 1 else value
    return 2 if value > _FEW else max(value - 1, 1)


def _few_copies(value: Any) -> Any:
    """A list with other numbers of copies, which differ from one another; items that are no numbers stay."""
    found = []
    for number, item in enumerate(value):
        if isinstance(item, int) and not isinstance(item, bool):
            few = 1 + number % _FEW
            item = few + 1 if few == item else few
        found.append(item)
    return tuple(found)


def _items_turned(items: Any) -> Iterator[tuple[Any, ...]]:
    """A list with one other item each time, for which a condition may come out otherwise: 0, or 1 in its place."""
    count = len(items)
    places = range(count) if count <= _FEW else (0, count // 2, count - 1)
    for place in places:
        item = items[place]
        if isinstance(item, bool | int | float):
            other = type(item)(not item)
            yield (*items[:place], other, *items[place + 1 :])


def _changed(value: Any) -> Any:
    """A list with other items, which are numbers or flags."""
    found = []
    for number, item in enumerate(value):
        factor = _FACTORS[number % len(_FACTORS)]
        if isinstance(item, bool):
            item = not item
        elif isinstance(item, int):
            item = (item or 1) * factor
        found.append(item)
    return tuple(found)


def _roles(networks: Iterable[Scope]) -> Roles:
    """What the params of networks decide: how many copies there are, or what else runs.

    A param that is an argument of a block decides what the block's param does.
    """
    scopes: dict[Scope, Roles] = {}
    for scope in networks:
        _add_scopes(scope, scopes)
    changed = True
    while changed:  # once more for blocks that call one another
        changed = False
        for scope, before in scopes.items():
            after = _of_scope(scope, scopes)
            changed |= after != before
            scopes[scope] = after
    found: Roles = {}
    for scope in networks:
        for name, roles in scopes[scope].items():
            found.setdefault(name, set()).update(roles)
    return found


def _add_scopes(scope: Scope, found: dict[Scope, Roles]) -> None:
    """Add a scope, behind those that it calls."""
    pending, seen = [(scope, False)], set(found)
    while pending:
        one, done = pending.pop()
        if done:
            found.setdefault(one, {})
        elif one not in seen:
            seen.add(one)
            pending.append((one, True))
            targets = (node.target for node in one.each_node())
            pending += [
                (target, False) for target in targets if isinstance(target, Scope)
            ]


def _of_scope(scope: Scope, scopes: Mapping[Scope, Roles]) -> Roles:
    found: Roles = {}
    for node in scope.each_node():
        for name, role in _of_layer(node, scopes):
            found.setdefault(name, set()).add(role)
    for name in reversed(list(scope.params)):
        default = scope.params[name].default
        if isinstance(default, Formula):
            for source in names_in(default.expr):
                found.setdefault(source, set()).update(found.get(name, ()))
    return found


def _of_layer(node: Node, scopes: Mapping[Scope, Roles]) -> Iterator[tuple[str, str]]:
    layer, target = node.layer, node.target
    count = layer.repeat.count if layer.repeat is not None else None
    if is_routed(
        layer
    ):  # experts are alike, and their number goes with others, as sizes do
        count = None
    conditions = [layer.when, layer.tie.when if layer.tie is not None else None]
    conditions += target.conditions if isinstance(target, Alternatives) else ()
    for formula in _formulas(count):
        yield from ((name, _COUNT) for name in _counting(formula.expr))
    for formula in _formulas(conditions):
        yield from ((name, _DECIDES) for name in names_in(formula.expr))
    for _, formula in formulas(layer, node.arguments):
        yield from ((name, _DECIDES) for name in _tested(formula.expr))
    if isinstance(target, OpParam):
        for _, formula in formulas(layer, node.arguments):
            yield from ((name, _DECIDES) for name in names_in(formula.expr))
    if isinstance(target, Scope):
        yield from _of_arguments(node, target, scopes)
    elif isinstance(target, type):
        yield from _of_op(target, node)


def _counting(expr: Expression) -> Iterator[str]:
    """The names that decide a number of copies, but for lists of which the length alone does."""
    named, lengths = Counter[str](), Counter[str]()
    for part in walk(expr):
        match part:
            case Variable(name):
                named[name] += 1
            case FunctionCall("len", (Variable(name),)):
                lengths[name] += 1
    yield from (named - lengths)


def _of_arguments(
    node: Node, target: Scope, scopes: Mapping[Scope, Roles]
) -> Iterator[tuple[str, str]]:
    """What a block or a group does with what it is given."""
    inner = scopes[target]
    if target.kind == "group":
        yield from ((name, role) for name, roles in inner.items() for role in roles)
    for argument, value in node.arguments.items():
        for formula in _formulas(value):
            for name in names_in(formula.expr):
                yield from ((name, role) for role in inner.get(argument, ()))


def _of_op(op: type[Op], node: Node) -> Iterator[tuple[str, str]]:
    """What the arguments of an op say of what it reads, beside sizes of what it gives."""
    known = op_arguments(op)
    for (argument, *_), formula in formulas(node.layer, node.arguments):
        if argument in known:
            for role in _of_argument(known[str(argument)][0]):
                yield from ((name, role) for name in names_in(formula.expr))


def _of_argument(hint: Any) -> Iterator[str]:
    members = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    for one in members:
        marker = sized(one)
        if marker is not None:
            plain = marker.least == 1 and not marker.many
            if not (plain or marker.named or (marker.symbolic and marker.many)):
                yield _PLACES
        elif get_origin(one) is Literal:
            yield from (f"{_TEXT}{x}" for x in get_args(one) if isinstance(x, str))
        elif one is int or get_origin(one) is tuple:
            yield _PLACES
        elif one is float:
            yield _FACTOR


def _compare(scope: Scope, found: dict[str, set[int]]) -> None:
    """Add the numbers that names are compared with in the formulas of a scope and of its groups.

    Those of lists by `len(name)` or `name[]`, as well.
    """
    for node in scope.each_node():
        for _, formula in formulas(node.layer, node.arguments):
            for part in walk(formula.expr):
                if isinstance(part, ComparisonOperation):
                    for name in (*names_in(part), *_of_lists(part)):
                        found.setdefault(name, set()).update(_numbers(part))
        if isinstance(node.target, Scope) and node.target.kind == "group":
            _compare(node.target, found)


def _of_lists(expr: Expression) -> Iterator[str]:
    """What an expression asks of lists: their lengths, and their items."""
    for part in walk(expr):
        match part:
            case FunctionCall("len", (Variable(name),)):
                yield f"len({name})"
            case Indexing(Variable(name)):
                yield f"{name}[]"


def _numbers(expr: Expression) -> Iterator[int]:
    for part in walk(expr):
        if isinstance(part, NumberLiteral) and isinstance(part.value, int):
            yield part.value


def _tested(expr: Expression) -> Iterator[str]:
    """The names by which a formula chooses among values."""
    for part in walk(expr):
        if isinstance(part, IfElse):
            yield from names_in(part.test)
        elif isinstance(part, ComparisonOperation | LogicalOperation):
            yield from names_in(part)


def _formulas(value: Any) -> Iterator[Formula]:
    if isinstance(value, Formula):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _formulas(item)
