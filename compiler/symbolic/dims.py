"""Symbolic integers: the algebra of shapes.

A `Dim` is a polynomial with integer coefficients over atoms. An atom is a symbol or a
floor division that does not come out even. Equal polynomials are one object, so that
comparing shapes costs nothing.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import lru_cache, partial, reduce
from typing import Final, Protocol, TypeVar
from weakref import WeakValueDictionary

from compiler.dataclass import dataclass
from compiler.expr.syntax import (
    BinaryOperation,
    Expression,
    NumberLiteral,
    UnaryOperation,
    Variable,
    unparse,
)
from compiler.symbolic import terms
from compiler.symbolic.factoring import factored
from compiler.symbolic.symbols import InputDim, Symbol
from compiler.symbolic.terms import (
    Key,
    collect,
    divide,
    divide_by_term,
    joined,
    order,
    shared,
    without,
)

MAX_SIZE = 1_024
MAX_DEPTH = 64
MAX_COEFFICIENT = 2**200
MAX_WORK = 16 * MAX_SIZE


class DimOverflow(ArithmeticError):
    """A result is too large: too many parts, too deep, or a huge coefficient."""


TOO_LONG: Final = "too long a formula"
"""What is shown in place of one."""


@dataclass(frozen=True, slots=True)
class FloorDivision:
    """`numerator // divisor` in normal form: no multiple of the divisor and no common factor is left in it."""

    numerator: "Dim"
    divisor: "Dim"
    key: Key = field(init=False, repr=False, compare=False)
    hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (1, self.numerator.key, self.divisor.key))
        object.__setattr__(self, "hash", hash((self.numerator, self.divisor)))

    def __hash__(self) -> int:
        return self.hash

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols of numerator and divisor."""
        return self.numerator.symbols | self.divisor.symbols

    @property
    def size(self) -> int:
        """The number of atoms and terms of numerator and divisor."""
        return self.numerator.size + self.divisor.size

    @property
    def depth(self) -> int:
        """The nesting depth of floor divisions."""
        return 1 + max(self.numerator.depth, self.divisor.depth)


Atom = Symbol | FloorDivision
Monomial = terms.Monomial[Atom]
Term = terms.Term[Atom]
Coefficients = terms.Coefficients[Atom]


Output = TypeVar("Output")


class Notation(Protocol[Output]):
    """Builds one output form of a formula: an expression of a spec, or of Python."""

    def number(self, value: int) -> Output:
        """A non-negative number."""

    def negative(self, operand: Output) -> Output:
        """The negation of an operand."""

    def binary(self, operator: str, left: Output, right: Output) -> Output:
        """A binary operation."""

    def symbol(self, symbol: Symbol) -> Output:
        """A symbol."""


class ExpressionNotation:
    """Formulas as expressions of a spec, in the names of a scope."""

    def number(self, value: int) -> Expression:
        return NumberLiteral(value)

    def negative(self, operand: Expression) -> Expression:
        return UnaryOperation("-", operand)

    def binary(self, operator: str, left: Expression, right: Expression) -> Expression:
        return BinaryOperation(operator, left, right)

    def symbol(self, symbol: Symbol) -> Expression:
        return symbol.expr


@dataclass(frozen=True, slots=True)
class OwnerNotation(ExpressionNotation):
    """The same, with ambiguous symbols named by their scope: `T of Encoder`."""

    alike: frozenset[Symbol]

    def symbol(self, symbol: Symbol) -> Expression:
        if symbol not in self.alike or not symbol.owner:
            return symbol.expr
        return Variable(f"{symbol} of {symbol.owner[-1]}")


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Dim:
    """An immutable symbolic integer, made by `Dim.of` and `Dim.symbol`.

    The operators `+ - * // %` take ints and Dims and follow Python's semantics for all
    values of the symbols for which no divisor is zero. They raise `DimOverflow` if the
    result exceeds the size limits, and `ZeroDivisionError`.

    >>> from compiler.symbolic.symbols import NETWORKS, InputDim
    >>> height = Dim.symbol(InputDim(NETWORKS, "H"))
    >>> str(((height + 2 * 3 - 6 - 1) // 2 + 1) // 2)
    '(H + 1) // 4'
    """

    terms: tuple[Term, ...]
    constant: int | None
    symbols: frozenset[Symbol]
    alone: Symbol | None
    """The symbol, if the Dim is a single symbol; else None."""
    key: Key
    size: int
    depth: int
    hash: int

    @staticmethod
    def of(value: "int | Dim") -> "Dim":
        """The Dim of an int; a Dim is returned unchanged."""
        return value if isinstance(value, Dim) else _constant(int(value))

    @staticmethod
    def symbol(symbol: Symbol) -> "Dim":
        """The Dim of a symbol."""
        return polynomial({(symbol,): 1})

    def __add__(self, other: "int | Dim") -> "Dim":
        if isinstance(other, Dim):
            return _add(self, other)
        return _with(self, other, _add)

    def __sub__(self, other: "int | Dim") -> "Dim":
        if isinstance(other, Dim):
            return _subtract(self, other)
        return _with(self, other, _subtract)

    def __mul__(self, other: "int | Dim") -> "Dim":
        if isinstance(other, Dim):
            return _multiply(self, other)
        return _with(self, other, _multiply)

    def __floordiv__(self, other: "int | Dim") -> "Dim":
        if isinstance(other, Dim):
            return _floor(self, other)
        return _with(self, other, _floor)

    def __mod__(self, other: "int | Dim") -> "Dim":
        if isinstance(other, Dim):
            return _modulo(self, other)
        return _with(self, other, _modulo)

    def __radd__(self, other: int) -> "Dim":
        return _with(self, other, _add)

    def __rsub__(self, other: int) -> "Dim":
        return _constant(int(other)) - self

    def __rmul__(self, other: int) -> "Dim":
        return _with(self, other, _multiply)

    def __rfloordiv__(self, other: int) -> "Dim":
        return _constant(int(other)) // self

    def __rmod__(self, other: int) -> "Dim":
        return _constant(int(other)) % self

    def __neg__(self) -> "Dim":
        return _multiply(self, _constant(-1))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Dim):
            return self is other or self.terms == other.terms
        return isinstance(other, int) and self.constant == other

    def __hash__(self) -> int:
        return self.hash

    def __reduce__(self) -> tuple[Callable[[Coefficients], "Dim"], Key]:
        return polynomial, (dict(self.terms),)

    def __str__(self) -> str:
        return _text(self)

    def __repr__(self) -> str:
        return f"Dim({self})"

    def substitute(
        self,
        values: "Mapping[Symbol, int | Dim]",
        floors: "dict[Atom, Dim] | None" = None,
    ) -> "Dim":
        """The Dim with symbols replaced, all at once.

        `floors` remembers what floor divisions become, for further sizes and the same values.

        Raises `ZeroDivisionError` if a divisor becomes zero.
        """
        if self.symbols.isdisjoint(values):
            return self
        if self.alone is not None:
            return Dim.of(values[self.alone])
        given = {one: Dim.of(values[one]) for one in self.symbols if one in values}
        own = {one: value for one, value in given.items() if value.alone is not one}
        if not own:
            return self
        if floors is None:
            return _substituted(self, tuple(own.items()))
        return _substitute(self, own, floors)

    def evaluate(self, values: Mapping[Symbol, int]) -> int:
        """The value of the Dim, given values of all its symbols; `KeyError` names a missing one."""
        if self.constant is not None:
            return self.constant
        return sum(
            math.prod((_value_of(atom, values) for atom in monomial), start=factor)
            for monomial, factor in self.terms
        )

    def to_expr(self) -> Expression:
        """The Dim as an expression of a spec, with terms in the usual order of a formula."""
        return self.written(ExpressionNotation())

    def written(self, notation: "Notation[Output]") -> Output:
        """The Dim in a notation, with terms in the usual order of a formula."""
        factors = factored(self.terms)
        if factors is None:
            return _render_sum(notation, self.terms)
        parts = (_render_sum(notation, factor) for factor in factors)
        return reduce(partial(notation.binary, "*"), parts)


def sum_of(parts: Iterable[Dim]) -> Dim:
    """The sum of Dims, in one pass."""
    several = list(parts)
    if len(several) == 1:
        return several[0]
    total = Coefficients()
    for part in several:
        collect(total, part.terms, 1)
    return polynomial(total)


def ceil_div(a: int | Dim, b: int | Dim) -> Dim:
    """`a / b` rounded up; a symbolic `b` is assumed to be positive."""
    dividend, divisor = _same_sign(Dim.of(a), Dim.of(b))
    return (dividend + divisor - 1) // divisor


def exact_div(a: int | Dim, b: int | Dim) -> Dim | None:
    """The Dim `q` with `a == q * b` as polynomials, or None if there is none."""
    dividend, divisor = Dim.of(a), Dim.of(b)
    if not divisor.terms:
        raise ZeroDivisionError("division of a dimension by zero")
    return _exact(dividend, divisor)


def two_sides(size: Dim) -> tuple[Dim, Dim]:
    """A sum that is 0 as two sums that are equal, without a minus.

    >>> from compiler.symbolic.symbols import NETWORKS, InputDim
    >>> height = Dim.symbol(InputDim(NETWORKS, "H"))
    >>> [str(side) for side in two_sides(2 * height - 6)]
    ['2 * H', '6']
    """
    left = {monomial: factor for monomial, factor in size.terms if factor > 0}
    right = {monomial: -factor for monomial, factor in size.terms if factor < 0}
    return polynomial(left), polynomial(right)


def as_multiple(size: Dim) -> tuple[Dim, Dim] | None:
    """A number and what it is a multiple of, where that is what makes a sum 0: `h // 2 - 2 * (h // 4)`.

    >>> from compiler.symbolic.symbols import NETWORKS, InputDim
    >>> height = Dim.symbol(InputDim(NETWORKS, "H"))
    >>> [str(part) for part in as_multiple(height // 2 - 2 * (height // 4))]
    ['H // 2', '2']
    """
    for number, divisor in _divisions(size):
        if number - divisor * (number // divisor) in (size, -size):
            return number, divisor
    return None


def _divisions(size: Dim) -> Iterator[tuple[Dim, Dim]]:
    """The numbers in a sum that may be divided by others in it."""
    for monomial, factor in size.terms:
        for atom in monomial:
            if isinstance(atom, FloorDivision):
                yield atom.numerator, atom.divisor
        for _, other in size.terms:
            if abs(factor) == 1 < abs(other):
                yield polynomial({monomial: 1}), Dim.of(abs(other))


def without_common_factors(a: Dim, b: Dim) -> tuple[Dim, Dim]:
    """Two sizes without the dimensions of inputs that are factors of both: `B * T * width` and `B * T * heads`.

    >>> from compiler.symbolic.symbols import NETWORKS, InputDim
    >>> batch, length = (Dim.symbol(InputDim(NETWORKS, name)) for name in "BT")
    >>> [str(size) for size in without_common_factors(batch * length, 4 * batch)]
    ['T', '4']
    """
    if not (a.terms and b.terms):
        return a, b
    for atom in reduce(shared, (monomial for monomial, _ in (*a.terms, *b.terms))):
        if isinstance(atom, InputDim):
            factor = Dim.symbol(atom)
            a, b = a // factor, b // factor
    return a, b


_table: WeakValueDictionary[tuple[Term, ...], Dim] = WeakValueDictionary()


@lru_cache(maxsize=4_096)
def _constant(value: int) -> Dim:
    return polynomial({(): value})


@lru_cache(maxsize=4_096)
def _text(size: Dim) -> str:
    return qualified_text(size, alike(size.symbols))


def alike(symbols: frozenset[Symbol]) -> frozenset[Symbol]:
    """The symbols that share their text with another of these symbols."""
    if len(symbols) < 2:
        return frozenset()
    texts = Counter(map(str, symbols))
    if len(texts) == len(symbols):
        return frozenset()
    return frozenset(symbol for symbol in symbols if texts[str(symbol)] > 1)


def qualified_text(size: Dim, alike: frozenset[Symbol]) -> str:
    """The text of a size in which the ambiguous symbols are named by their scope."""
    return unparse(size.written(OwnerNotation(alike)))


def polynomial(coefficients: Coefficients) -> Dim:
    """The one Dim of a polynomial; every Dim is made here."""
    terms = [term for term in coefficients.items() if term[1]]
    if len(terms) > 1:
        terms.sort(key=order)
    known = _table.get(tuple(terms))
    return _intern(tuple(terms)) if known is None else known


def _intern(terms: tuple[Term, ...]) -> Dim:
    atoms = [atom for monomial, _ in terms for atom in monomial]
    size = sum(atom.size for atom in atoms) + len(terms)
    depth = max((atom.depth for atom in atoms), default=0)
    if size > MAX_SIZE or depth > MAX_DEPTH:
        raise DimOverflow("the formula of a dimension has too many parts")
    if any(abs(factor) > MAX_COEFFICIENT for _, factor in terms):
        raise DimOverflow("the formula of a dimension has a number too large")
    constant = None if atoms else sum(factor for _, factor in terms)
    symbols = frozenset[Symbol]().union(*(atom.symbols for atom in atoms))
    key = tuple((*order(term), term[1]) for term in terms)
    code = hash(terms if constant is None else constant)
    return _table.setdefault(
        terms, Dim(terms, constant, symbols, _alone(terms), key, size, depth, code)
    )


def _alone(terms: tuple[Term, ...]) -> Symbol | None:
    """The symbol that a polynomial consists of; None if it is something else."""
    if len(terms) != 1:
        return None
    ((monomial, factor),) = terms
    one = monomial[0] if factor == len(monomial) == 1 else None
    return one if isinstance(one, Symbol) else None


def _with(left: Dim, right: object, operation: Callable[[Dim, Dim], Dim]) -> Dim:
    if isinstance(right, Dim):
        return operation(left, right)
    number = _constant(int(right)) if isinstance(right, int) else None
    return NotImplemented if number is None else operation(left, number)


@lru_cache(maxsize=4_096)
def _add(a: Dim, b: Dim) -> Dim:
    if not a.terms or not b.terms:
        return a if a.terms else b
    total = dict(a.terms)
    collect(total, b.terms, 1)
    return polynomial(total)


@lru_cache(maxsize=4_096)
def _subtract(a: Dim, b: Dim) -> Dim:
    total = dict(a.terms)
    collect(total, b.terms, -1)
    return polynomial(total)


@lru_cache(maxsize=4_096)
def _multiply(a: Dim, b: Dim) -> Dim:
    if len(a.terms) * len(b.terms) > MAX_WORK:
        raise DimOverflow("the formula of a dimension has too many parts")
    total = Coefficients()
    for monomial, factor in a.terms:
        product = ((joined(monomial, other), c) for other, c in b.terms)
        collect(total, product, factor)
    return polynomial(total)


def _modulo(a: Dim, b: Dim) -> Dim:
    return a - b * _floor(a, b)


@lru_cache(maxsize=4_096)
def _floor(a: Dim, b: Dim) -> Dim:
    if not b.terms:
        raise ZeroDivisionError("division of a dimension by zero")
    a, b = _same_sign(a, b)
    if b.constant is not None:
        whole, rest, n = _by_number(a.terms, b.constant)
        return _sum(whole, polynomial(rest), _constant(n))
    exact = _exact(a, b)
    return _floor_by_symbols(a, b) if exact is None else exact


def _floor_by_symbols(a: Dim, b: Dim) -> Dim:
    whole, rest, divisor = map(polynomial, _by_symbols(a.terms, b.terms))
    if divisor.constant is not None:
        return whole + rest // divisor
    return _sum(dict(whole.terms), rest, divisor)


def _sum(whole: Coefficients, rest: Dim, divisor: Dim) -> Dim:
    """`whole + rest // divisor`, with parts in normal form."""
    if rest.terms:
        collect(whole, [((FloorDivision(rest, divisor),), 1)], 1)
    return polynomial(whole)


def _same_sign(a: Dim, b: Dim) -> tuple[Dim, Dim]:
    return (-a, -b) if b.terms and b.terms[0][1] < 0 else (a, b)


def _exact(a: Dim, b: Dim) -> Dim | None:
    quotient = divide(a.terms, b.terms, MAX_WORK)
    return None if quotient is None else polynomial(quotient)


@lru_cache(maxsize=4_096)
def _substituted(dim: Dim, values: tuple[tuple[Symbol, Dim], ...]) -> Dim:
    return _substitute(dim, dict(values), {})


def _substitute(dim: Dim, values: dict[Symbol, Dim], memo: dict[Atom, Dim]) -> Dim:
    if dim.symbols.isdisjoint(values):
        return dim
    total = Coefficients()
    for monomial, factor in dim.terms:
        images = [_image(atom, values, memo) for atom in monomial] or [_constant(1)]
        collect(total, reduce(_multiply, images).terms, factor)
    return polynomial(total)


def _image(atom: Atom, values: dict[Symbol, Dim], memo: dict[Atom, Dim]) -> Dim:
    if isinstance(atom, Symbol):
        return values[atom] if atom in values else polynomial({(atom,): 1})
    if atom not in memo:
        numerator = _substitute(atom.numerator, values, memo)
        memo[atom] = numerator // _substitute(atom.divisor, values, memo)
    return memo[atom]


def _by_number(a: tuple[Term, ...], n: int) -> tuple[Coefficients, Coefficients, int]:
    """The parts of `a // n` for a positive number; `rest` is empty if the division is exact.

    Multiples of n move out of the floor, common factors cancel, and a nested floor is merged.
    """
    whole, rest = Coefficients(), dict(a)
    while True:
        collect(whole, ((monomial, c // n) for monomial, c in rest.items()), 1)
        rest = {monomial: c % n for monomial, c in rest.items() if c % n}
        common = math.gcd(n, *(c for monomial, c in rest.items() if monomial))
        if common == n:
            return whole, {}, 1
        rest = {monomial: c // common for monomial, c in rest.items()}
        n //= common
        inside = [floor for floor in map(_single_floor, rest.items()) if floor]
        if len(inside) != 1:
            return whole, rest, n
        n *= _merge_floor(inside[0], rest)


def _single_floor(term: Term) -> FloorDivision | None:
    """The floor division by a number that a term consists of, or None."""
    monomial, factor = term
    if factor != 1 or len(monomial) != 1 or not isinstance(monomial[0], FloorDivision):
        return None
    return None if monomial[0].divisor.constant is None else monomial[0]


def _merge_floor(floor: FloorDivision, rest: Coefficients) -> int:
    """Replace a floor division in `rest` by its numerator; returns the factor for the divisor.

    floor((floor(a / m) + c) / n) = floor((a + c m) / (m n))
    """
    divisor = floor.divisor.constant or 1
    del rest[floor,]
    rest.update({monomial: c * divisor for monomial, c in rest.items()})
    collect(rest, floor.numerator.terms, 1)
    return divisor


def _by_symbols(
    a: tuple[Term, ...], b: tuple[Term, ...]
) -> tuple[Coefficients, Coefficients, Coefficients]:
    """The parts of `a // b` for a divisor with symbols and a positive leading term.

    Multiples of a divisor with one term move out of the floor, and common factors cancel.
    """
    whole, rest = _multiples(a, b[0]) if len(b) == 1 else (Coefficients(), dict(a))
    common = _common((*rest.items(), *b))
    numerator = divide_by_term(tuple(rest.items()), common)
    divisor = divide_by_term(b, common)
    assert numerator is not None and divisor is not None, "a common factor divides"
    return whole, numerator, divisor


def _multiples(a: tuple[Term, ...], b: Term) -> tuple[Coefficients, Coefficients]:
    whole, rest = Coefficients(), Coefficients()
    for monomial, factor in a:
        quotient = without(monomial, b[0])
        if quotient is None:
            rest[monomial] = factor
            continue
        whole[quotient] = factor // b[1]
        if factor % b[1]:
            rest[monomial] = factor % b[1]
    return whole, rest


def _common(terms: tuple[Term, ...]) -> Term:
    monomial: Monomial = reduce(shared, (monomial for monomial, _ in terms))
    return monomial, math.gcd(*(factor for _, factor in terms))


def _value_of(atom: Atom, values: Mapping[Symbol, int]) -> int:
    """The value of an atom, given values of all symbols."""
    if isinstance(atom, Symbol):
        return values[atom]
    return atom.numerator.evaluate(values) // atom.divisor.evaluate(values)


def _render_sum(notation: Notation[Output], terms: tuple[Term, ...]) -> Output:
    """The sum in a notation, positive terms first."""
    positive = [term for term in terms if term[1] > 0]
    negative = [term for term in terms if term[1] < 0]
    if not terms:
        return notation.number(0)
    first, *rest = positive + negative
    return reduce(partial(_append, notation), rest, _product(notation, first))


def _append(notation: Notation[Output], before: Output, term: Term) -> Output:
    monomial, factor = term
    following = _product(notation, (monomial, abs(factor)))
    return notation.binary("+" if factor > 0 else "-", before, following)


def _product(notation: Notation[Output], term: Term) -> Output:
    monomial, factor = term
    factors = [_atom(notation, atom) for atom in monomial]
    if abs(factor) != 1 or not factors:
        factors.insert(0, notation.number(abs(factor)))
    if factor < 0:
        factors[0] = notation.negative(factors[0])
    return reduce(partial(notation.binary, "*"), factors)


def _atom(notation: Notation[Output], atom: Atom) -> Output:
    if isinstance(atom, Symbol):
        return notation.symbol(atom)
    over, by = atom.numerator.written(notation), atom.divisor.written(notation)
    return notation.binary("//", over, by)
