"""What is proven about sizes is true, and what is true of them is found."""

from functools import reduce
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.evaluate import evaluate, parse_expression
from compiler.symbolic.explain import EqualityHint, explain_equal, least_sizes
from compiler.symbolic.symbols import Symbol, of_networks
from tests.compiler.symbolic.values import dimension

H, W, B, T, S = map(dimension, "HWBTS")
ALL = Domain()


def halved(size: Dim, times: int) -> Dim:
    """Down and up again, as a U-Net does."""
    for _ in range(times):
        size = size // 2
    return size * (1 << times)


@st.composite
def sizes(draw: st.DrawFn, nested: int = 3) -> Dim:
    """Random sizes over H and W, with nested floors by numbers."""
    size = draw(st.sampled_from((H, W, H + W, H - W, H * W)))
    for _ in range(draw(st.integers(0, nested))):
        size = draw(st.integers(-3, 3)) * size + draw(st.sampled_from((H, W, H - 4)))
        size = (size + draw(st.integers(-5, 5))) // draw(st.integers(1, 4))
    return size


@st.composite
def constraints(draw: st.DrawFn) -> Constraint:
    least, multiple = draw(st.integers(-3, 6)), draw(st.integers(1, 6))
    most = draw(st.none() | st.integers(least + multiple, 30))
    return Constraint(least, most, multiple)


DOMAINS = st.builds(
    lambda h, w: Domain(of_networks({"H": h, "W": w})), constraints(), constraints()
)


def values(domain: Domain, size: Dim, reach: int = 40) -> list[int]:
    """All values up to where an endless constraint is cut off."""
    assert size.alone is not None
    constraint = domain.constraint(size.alone)
    most = reach if constraint.max is None else constraint.max
    candidates = range(constraint.min, most + 1)
    return [value for value in candidates if value % constraint.multiple_of == 0]


def places(domain: Domain) -> list[dict[Symbol, int]]:
    pairs = product(values(domain, H), values(domain, W))
    return [of_networks({"H": h, "W": w}) for h, w in pairs]


def by_name(place: dict[Symbol, int]) -> dict[str, int]:
    return {str(symbol): value for symbol, value in place.items()}


@given(sizes(), sizes(), DOMAINS)
def test_equality_is_sound(a: Dim, b: Dim, domain: Domain) -> None:
    if domain.equal(a, b):
        assert all(a.evaluate(place) == b.evaluate(place) for place in places(domain))


@given(sizes(nested=1), st.integers(1, 4), DOMAINS)
def test_true_equalities_are_found(a: Dim, n: int, domain: Domain) -> None:
    shares = sum(((a + i) // n for i in range(n)), start=Dim.of(0))
    assert domain.equal(shares, a)
    assert domain.equal(-(-a // n), (a + n - 1) // n)
    assert domain.equal((a % n) // n, 0)
    assert not domain.equal(shares, a + 1)


@given(sizes(), sizes())
def test_equality_is_decided(a: Dim, b: Dim) -> None:
    """Two sizes of small periods that agree on a large square agree everywhere."""
    if a.size + b.size <= 12:
        square = product(range(1, 64), repeat=2)
        found = all(
            (a - b).evaluate(of_networks({"H": h, "W": w})) == 0 for h, w in square
        )
        assert ALL.equal(a, b) == found


@given(sizes(), DOMAINS, st.integers(-9, 9))
def test_bounds_are_sound(size: Dim, domain: Domain, n: int) -> None:
    found = [size.evaluate(place) for place in places(domain)]
    low, high = domain.lower(size), domain.upper(size)
    assert low is None or all(value >= low for value in found)
    assert high is None or all(value <= high for value in found)
    assert domain.at_least(size, n) == (low is not None and low >= n)


@given(sizes(), DOMAINS, st.integers(1, 6))
def test_divisibility_is_sound(size: Dim, domain: Domain, n: int) -> None:
    if domain.divisible(size, n):
        assert all(size.evaluate(place) % n == 0 for place in places(domain))
    assert domain.divisible(size * n, n)


@given(sizes(), sizes(), DOMAINS)
def test_hints_are_true(a: Dim, b: Dim, domain: Domain) -> None:
    hint = explain_equal(domain, a, b)
    agreeing = [p for p in places(domain) if a.evaluate(p) == b.evaluate(p)]
    if hint.kind == "never":
        assert not agreeing
    if hint.kind == "always":
        assert agreeing == places(domain)
    if hint.kind == "multiple":
        chosen = [
            place
            for place in places(domain)
            if all(place[name] % n == 0 for name, n in hint.multiple.items())
        ]
        assert all(place in agreeing for place in chosen)
    if hint.text is not None and " == " in hint.text:
        condition = parse_expression(hint.text)
        chosen = [
            place for place in places(domain) if evaluate(condition, by_name(place))
        ]
        assert all(place in agreeing for place in chosen)
    if hint.text is not None and hint.text.endswith(" is odd"):
        chosen = [place for place in places(domain) if by_name(place)[hint.text[0]] % 2]
        assert all(place in agreeing for place in chosen)


@given(sizes(), DOMAINS, st.integers(-9, 9))
def test_bounds_that_are_proposed_suffice(size: Dim, domain: Domain, n: int) -> None:
    for symbol, least in least_sizes(domain, size, n).items():
        chosen = [place for place in places(domain) if place[symbol] >= least]
        assert all(size.evaluate(place) >= n for place in chosen)


@pytest.mark.parametrize(
    ("a", "b", "domain"),
    [
        (H // 2 + (H + 1) // 2, H, ALL),
        (-(-H // 2), (H + 1) // 2, ALL),
        (halved(H, 4), H, Domain(of_networks({"H": Constraint(multiple_of=16)}))),
        (halved(H, 5) * halved(W, 5) * B * T, H * W * B * T, Domain(
            of_networks({"H": Constraint(multiple_of=32), "W": Constraint(multiple_of=32)})
        )),
        ((H * (H + 1)) // 2 * 2, H * H + H, ALL),
        (H // 8, 0, Domain(of_networks({"H": Constraint(max=7)}))),
        (H, 7, Domain(of_networks({"H": Constraint(min=7, max=7)}))),
        ((H - 1) // S + 1, (H + S - 1) // S, ALL),
        (S * (H // S), H, Domain(of_networks({"S": Constraint(max=4), "H": Constraint(multiple_of=12)}))),
        (2 * ((H // S) // 2), H // S // 2 * 2, ALL),
    ],
)  # fmt: skip
def test_equal(a: Dim, b: Dim, domain: Domain) -> None:
    assert domain.equal(a, b)
    assert explain_equal(domain, a, b).kind == "always"


@pytest.mark.parametrize(
    ("a", "b", "domain", "kind", "text"),
    [
        (halved(H, 1), H, ALL, "multiple", "H is a multiple of 2"),
        (halved(H, 4), H, ALL, "multiple", "H is a multiple of 16"),
        (halved(H, 10), H, ALL, "multiple", "H is a multiple of 1024"),
        (halved(H, 2) + 1, H + 1, Domain(of_networks({"H": Constraint(multiple_of=2)})),
         "multiple", "H is a multiple of 4"),
        (halved(H, 1), H, Domain(of_networks({"H": Constraint(multiple_of=3)})),
         "multiple", "H is a multiple of 6"),
        (halved(H, 2) * halved(W, 3) * B, H * W * B, ALL,
         "multiple", "H is a multiple of 4 and W is a multiple of 8"),
        ((H + 1) // 2, H // 2, ALL, "multiple", "H is a multiple of 2"),
        ((H + 1) // 2, H // 2 + 1, ALL, "residues", "H is odd"),
        ((H + 2) // 4, H // 4 + 1, ALL, "residues", "H % 4 is 2 or 3"),
        (halved(H, 2), H, Domain(of_networks({"H": Constraint(max=3)})), "never", None),
        ((H + 1) // 2, H, ALL, "values", "H == 1"),
        ((H + 1) // 2, H, Domain(of_networks({"H": Constraint(min=2)})), "never", None),
        (H - 4, Dim.of(1), ALL, "values", "H == 5"),
        (H // 4, Dim.of(1), ALL, "values", "H is 4, 5, 6 or 7"),
        (H // 3 + (H + 1) // 3 + (H + 2) // 3, H - 1, ALL, "never", None),
        (H // 16, Dim.of(3), ALL, "values", "H is from 48 to 63"),
        (H * H, 3 * H, ALL, "values", "H == 3"),
        (H, Dim.of(2), Domain(of_networks({"H": Constraint(0, 2, 2)})), "values", "H == 2"),
        (B, T, ALL, "values", "B == T"),
        (2 * B, 2 * T, ALL, "values", "B == T"),
        (T, S * H, ALL, "values", "T == H * S"),
        (H, H + 1, ALL, "never", None),
        (2 * H, 2 * W + 1, ALL, "never", None),
        (H, -W, ALL, "never", None),
        ((H - 1) // S + 1, H, ALL, "unknown", None),
    ],
)  # fmt: skip
def test_explain_equal(
    a: Dim, b: Dim, domain: Domain, kind: str, text: str | None
) -> None:
    assert not domain.equal(a, b)
    hint = explain_equal(domain, a, b)
    assert (hint.kind, hint.text) == (kind, text)


def test_multiples_are_data_too() -> None:
    hint = explain_equal(ALL, halved(H, 4) * halved(W, 1), H * W)
    text = "H is a multiple of 16 and W is a multiple of 2"
    assert hint == EqualityHint("multiple", text, of_networks({"H": 16, "W": 2}))


@pytest.mark.parametrize(
    ("size", "n", "hint"),
    [
        (H // 2, 1, {"H": 2}),
        ((H - 4) // 2, 1, {"H": 6}),
        ((((H - 3) // 2 - 3) // 2) - 3, 1, {"H": 25}),
        (H + W - 10, 1, {"H": 10}),
        (1 - H, 1, {}),
        (H - S, 1, {}),
    ],
)
def test_least_sizes(size: Dim, n: int, hint: dict[str, int]) -> None:
    assert not ALL.at_least(size, n)
    assert least_sizes(ALL, size, n) == of_networks(hint)


@pytest.mark.parametrize(
    ("size", "low", "high", "domain"),
    [
        (H - H // 2, 1, None, ALL),
        ((H - 1) // S + 1, 1, None, ALL),
        (H * H - H, 0, None, ALL),
        (H * W - H, 0, None, ALL),
        (10 - 2 * H, None, 8, ALL),
        (H * (7 - H), 6, 12, Domain(of_networks({"H": Constraint(max=6)}))),
        (
            H // 4,
            2,
            4,
            Domain(of_networks({"H": Constraint(min=7, max=19, multiple_of=8)})),
        ),
        (Dim.of(5), 5, 5, ALL),
        (H - S, None, None, ALL),
    ],
)
def test_bounds(size: Dim, low: int | None, high: int | None, domain: Domain) -> None:
    assert (domain.lower(size), domain.upper(size)) == (low, high)


def test_divisibility() -> None:
    assert ALL.divisible(H * (H + 1), 2)
    assert not ALL.divisible(H, 2)
    assert not ALL.divisible(H, 0)
    assert Domain(of_networks({"H": Constraint(multiple_of=64)})).divisible(H + 32, 32)


def test_constraints_know_their_values() -> None:
    assert list(Constraint(5, 20, 8).values(9)) == [8, 16]
    assert Constraint(-5, None, 3).first == -3
    assert Constraint().count is None
    assert Constraint(3, 2).count == 0
    with pytest.raises(ValueError, match="positive"):
        Constraint(multiple_of=0)


def test_divisors_that_may_be_zero_prove_nothing() -> None:
    domain = Domain(of_networks({"S": Constraint(min=0, max=2)}))
    assert not domain.equal((H // S) * S, H)
    assert domain.lower(H // S) is None


NESTED = reduce(lambda size, _: (3 * size + W) // 5, range(40), H)


@pytest.mark.parametrize(
    "size",
    [
        H // 1_000_003 + (H + 1) // 999_983,
        sum((dimension(f"s{i}") // 7 for i in range(60)), start=Dim.of(0)),
        halved(H, 60) - halved(H + 1, 59) + 1,
        H // 3**40,
        NESTED,
    ],
)
def test_hard_questions_end_soon(size: Dim) -> None:
    assert not ALL.equal(size, H)
    assert explain_equal(ALL, size, H).kind
    assert not ALL.divisible(size, 2)
    assert not ALL.at_least(size - H, 2)


@pytest.mark.parametrize(
    ("formula", "multiples", "simple"),
    [
        ("(H + 3) // 4", {"H": 4}, "H // 4"),
        ("(H + 31) // 32", {"H": 64}, "H // 32"),
        ("(H + 1) // 2", {"H": 1}, "(H + 1) // 2"),
        ("(H + 5) // 4", {"H": 6}, "(H + 1) // 4 + 1"),
        ("3 * ((H + 1) // 2) * ((W + 3) // 4) + B", {"H": 2, "W": 8}, "3 * (H // 2) * (W // 4) + B"),
        ("(8 * B * T + 32 * B) // (4 * (T // 4) + 4)", {"T": 8}, "8 * B"),
    ],
)  # fmt: skip
def test_multiples_make_sizes_simpler(
    formula: str, multiples: dict[str, int], simple: str
) -> None:
    names = {name: dimension(name) for name in "BHTW"}
    size = Dim.of(evaluate(parse_expression(formula), names))  # type: ignore[arg-type]
    steps = {n: Constraint(multiple_of=m) for n, m in multiples.items()}
    domain = Domain(of_networks(steps))
    found = domain.simplified(size)
    assert str(found) == simple
    for k in range(1, 9):
        values = of_networks({name: k * multiples.get(name, 1) for name in names})
        assert found.evaluate(values) == size.evaluate(values)
