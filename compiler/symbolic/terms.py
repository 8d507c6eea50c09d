"""What a dimension's polynomial is made of: atoms, monomials, terms.

Plain functions over tuples, which know nothing of the normal form that `dims` keeps.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

from compiler.expr.syntax import Binary, Expr, Index, Name, Number, Unary

if TYPE_CHECKING:
    from compiler.symbolic.dims import Dim

Key = tuple[object, ...]
Monomial = tuple["Atom", ...]
Term = tuple[Monomial, int]
Coefficients = dict[Monomial, int]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A size known by name only."""

    name: str
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (0, self.name))

    @property
    def symbols(self) -> frozenset[str]:
        """The one name."""
        return frozenset((self.name,))

    @property
    def size(self) -> int:
        """One part."""
        return 1

    @property
    def depth(self) -> int:
        """No floor."""
        return 0


@dataclass(frozen=True, slots=True)
class Floor:
    """`numerator // divisor` in normal form: nothing in it can be taken out."""

    numerator: "Dim"
    divisor: "Dim"
    key: Key = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (1, self.numerator.key, self.divisor.key))

    @property
    def symbols(self) -> frozenset[str]:
        """The names in both sides."""
        return self.numerator.symbols | self.divisor.symbols

    @property
    def size(self) -> int:
        """The number of parts of both sides."""
        return self.numerator.size + self.divisor.size

    @property
    def depth(self) -> int:
        """How many floors stand in one another."""
        return 1 + max(self.numerator.depth, self.divisor.depth)


Atom = Symbol | Floor


def order(term: Term) -> Key:
    """Sort key: higher degrees first, then the alphabet; fit for long division."""
    monomial = term[0]
    return -len(monomial), tuple(atom.key for atom in monomial)


def joined(a: Monomial, b: Monomial) -> Monomial:
    """The product of two monomials."""
    return tuple(sorted(a + b, key=_key)) if a and b else a or b


def without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    """The quotient of two monomials, or None where it is not one."""
    left = list(monomial)
    for atom in divisor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def shared(a: Monomial, b: Monomial) -> Monomial:
    """The greatest common divisor of two monomials."""
    return tuple(sorted((Counter(a) & Counter(b)).elements(), key=_key))


def _key(atom: Atom) -> Key:
    return atom.key


def collect(total: Coefficients, terms: Iterable[Term], factor: int) -> None:
    """Add `factor` times `terms` to `total`, in place."""
    for monomial, coefficient in terms:
        total[monomial] = total.get(monomial, 0) + factor * coefficient


def divide(a: tuple[Term, ...], b: tuple[Term, ...], work: int) -> Coefficients | None:
    """The exact quotient of two sorted polynomials, None where there is none.

    None as well where the division takes more than about `work` steps.
    """
    leading, *others = b
    if not others:
        return divide_by_term(a, leading)
    rest, quotient = dict(a), Coefficients()
    for _ in range(work // (len(a) * len(others) + 1)):
        if not rest:
            return quotient
        top = min(rest.items(), key=order)
        ratio = _ratio(top, leading)
        if ratio is None:
            return None
        quotient[ratio[0]] = ratio[1]
        del rest[top[0]]
        collect(rest, ((joined(ratio[0], m), c) for m, c in others), -ratio[1])
        rest = {m: c for m, c in rest.items() if c}
    return None


def divide_by_term(a: tuple[Term, ...], b: Term) -> Coefficients | None:
    """The exact quotient of a polynomial by one term, None where there is none."""
    ratios = [_ratio(term, b) for term in a]
    known = [ratio for ratio in ratios if ratio is not None]
    return dict(known) if len(known) == len(ratios) else None


def _ratio(a: Term, b: Term) -> Term | None:
    monomial, (factor, remainder) = without(a[0], b[0]), divmod(a[1], b[1])
    return None if remainder or monomial is None else (monomial, factor)


def value_of(atom: Atom, values: Mapping[str, int]) -> int:
    """The number behind an atom, for given values of all symbols."""
    if isinstance(atom, Symbol):
        return values[atom.name]
    return atom.numerator.evaluate(values) // atom.divisor.evaluate(values)


def terms_to_expr(terms: tuple[Term, ...]) -> Expr:
    """The sum as an expression: what is added stands before what is taken away."""
    positive = [term for term in terms if term[1] > 0]
    negative = [term for term in terms if term[1] < 0]
    if not terms:
        return Number(0)
    first, *rest = positive + negative
    return reduce(_append, rest, _product(first))


def _append(before: Expr, term: Term) -> Expr:
    monomial, factor = term
    return Binary("+" if factor > 0 else "-", before, _product((monomial, abs(factor))))


def _product(term: Term) -> Expr:
    monomial, factor = term
    factors = [_atom(atom) for atom in monomial]
    if abs(factor) != 1 or not factors:
        factors.insert(0, Number(abs(factor)))
    if factor < 0:
        factors[0] = Unary("-", factors[0])
    return reduce(lambda left, right: Binary("*", left, right), factors)


def _atom(atom: Atom) -> Expr:
    if isinstance(atom, Floor):
        return Binary("//", atom.numerator.to_expr(), atom.divisor.to_expr())
    return _name(atom.name)


def _name(text: str) -> Expr:
    """`widths[0]` is an index into a param; any other name stands as it is."""
    value, bracket, index = text.removesuffix("]").rpartition("[")
    if bracket and text.endswith("]") and index.isdecimal() and index.isascii():
        return Index(_name(value), Number(int(index)))
    return Name(text)
