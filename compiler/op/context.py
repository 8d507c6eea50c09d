"""What a shape rule may ask and require: sizes in the names of the scope, decided by the values behind them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal

from compiler.dataclass import dataclass
from compiler.op import errors
from compiler.op.errors import OpError
from compiler.symbolic.dims import (
    Atom,
    Dim,
    DimOverflow,
    as_multiple,
    exact_div,
    two_sides,
)
from compiler.symbolic.domain import Domain
from compiler.symbolic.explain import Conditions, when_at_least, when_equal
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import Kind, TensorType


@dataclass(frozen=True, slots=True)
class Listed:
    """The items of a list among the values at a port: from number `first` on, as many as `count`, the param, says."""

    first: int
    number: int
    count: Dim


Equality = Literal["equal", "or 1", "of copies"]
"""Why sizes are equal: always, unless one is 1 and broadcasts, or where a layer has several copies."""


class Context:
    """Decides questions about the sizes of one scope.

    `hints` gives the value behind each name of the scope: a number, or a size in the symbols of the network's inputs.
    `domain` says which values those symbols may take. What is decided here holds for every one of them.
    """

    def __init__(
        self, hints: dict[Symbol, Dim] | None = None, domain: Domain | None = None
    ) -> None:
        self.hints = {} if hints is None else hints
        self.domain = domain or Domain({})
        self._values: dict[Dim, Dim] = {}
        self._floors: dict[Atom, Dim] = {}
        self.equals: dict[tuple[Dim, Dim, Hashable, Equality], None] = {}
        """Sizes that are equal by their values, not by their names, as a layer needs it, each with that layer."""
        self.multiples: dict[tuple[Dim, Dim, Hashable], None] = {}
        """Sizes that are multiples of others, as a layer needs it, each with that layer."""
        self.leasts: dict[tuple[Dim, Dim, Hashable], None] = {}
        """Sizes that are at least others, as a layer needs it, each with that layer."""
        self.unequals: dict[tuple[Dim, Dim, Hashable], None] = {}
        """Sizes that differ, as what a layer does says, each with that layer."""
        self.layer: Hashable = None
        """The layer that is looked at; None while it is looked at for values that it does not have."""
        self.tolerated: list[OpError] | None = None
        """Where faults of sizes are kept while a rule goes on; None: they are raised."""
        self.listed: tuple[Listed, ...] = ()
        """The lists among the values at the port that takes many, of the layer that is looked at."""

    def apart(self) -> Context:
        """The same sizes for who only asks: what is decided in it does not become a demand of the network."""
        found = Context(self.hints, self.domain)
        found._values, found._floors = self._values, self._floors
        return found

    def value(self, size: Dim) -> Dim:
        """The size as a number, or in the symbols of the network's inputs."""
        if size.constant is not None:
            return size
        found = self._values.get(size)
        if found is None:
            found = size.substitute(self.hints, self._floors)
            self._values[size] = found
        return found

    def values(self, tensor: TensorType) -> TensorType:
        """A type with every size replaced by its value, in its simplest form."""
        value, simplified = self.value, self.domain.simplified
        values = [
            size if size.constant is not None else simplified(value(size))
            for size in tensor.shape
        ]
        return TensorType(tensor.kind, tuple(values))

    def simplified(self, tensor: TensorType) -> TensorType:
        """A type with sizes as simple as the multiples of the network's symbols make them."""
        for size in tensor.shape:
            if size.depth:
                shape = tuple(map(self.domain.simplified, tensor.shape))
                return TensorType(tensor.kind, shape)
        return tensor

    def total(self, sizes: Sequence[Dim]) -> Dim:
        """The sum of a size of each value at the port that takes many: `depth * width` for a list of equal items."""
        found, rest = Dim.of(0), list(sizes)
        for one in reversed(self.listed):
            items = rest[one.first : one.first + one.number]
            if all(size == items[0] for size in items):
                found += items[0] * one.count
                del rest[one.first : one.first + one.number]
        return found + sum(rest, Dim.of(0))

    def quotient(self, size: Dim, divisor: Dim) -> Dim | None:
        """The quotient of two sizes as values, where it is proven to come out even."""
        whole, by = (self.domain.simplified(self.value(x)) for x in (size, divisor))
        return exact_div(whole, by)

    def constant(self, size: Dim, what: str, argument: str = "") -> int:
        """A size that must be known when the network is built."""
        value = self.value(size)
        if value.constant is None:
            raise errors.not_constant(what, value, argument)
        return value.constant

    def equal(self, left: Dim, right: Dim, kind: Equality = "equal") -> bool:
        """Whether two sizes are equal for every size of the inputs."""
        if left == right:
            return True
        values = self.value(left), self.value(right)
        equal = self.domain.equal(*values)
        if equal:
            self.note_equal(left, right, kind=kind)
        return equal

    def note_equal(
        self,
        left: Dim,
        right: Dim,
        layer: Hashable = None,
        kind: Equality = "equal",
    ) -> None:
        """Remember that two sizes are equal here, and have to be at other params.

        Of sizes that inputs decide, what the two do not share is compared: of `T` and `T + 2 * pad - k + 1` numbers.
        So it is where a division is rounded, in one order for all that ask it.
        """
        layer = self.layer if layer is None else layer
        if layer is None or left == right:
            return
        if self.value(left).constant is None or left.depth or right.depth:
            try:
                difference = left - right
                multiple = as_multiple(difference)
            except DimOverflow:
                return
            if multiple is not None:
                self.note_multiple(*multiple)
                return
            sides = two_sides(difference)
            left, right = sorted(sides, key=lambda side: (side.size, str(side)))
        self.equals[left, right, layer, kind] = None

    def note_same(self, one: TensorType, other: TensorType, layer: Hashable) -> None:
        """Remember that types are equal by value, as several copies need it."""
        for left, right in zip(one.shape, other.shape, strict=True):
            self.note_equal(left, right, layer, "of copies")

    def is_one(self, size: Dim) -> bool:
        """Whether a size is 1, so that it broadcasts."""
        one = self.value(size).constant == 1
        if one and size.constant is None:
            self.note_equal(size, Dim.of(1))
        return one

    def require_kind(
        self, port: str, tensor: TensorType, kinds: Sequence[Kind]
    ) -> None:
        """The dtype kind must be one of these."""
        if tensor.kind not in kinds:
            raise errors.kind_mismatch(port, tensor, kinds)

    def require_rank(self, port: str, tensor: TensorType, *ranks: int) -> None:
        """The number of dimensions must be one of these."""
        if tensor.rank not in ranks:
            raise errors.rank_mismatch(
                port, tensor, f"{' or '.join(map(str, ranks))} dimensions"
            )

    def require_least_rank(self, port: str, tensor: TensorType, rank: int) -> None:
        """There must be at least this many dimensions."""
        if tensor.rank < rank:
            raise errors.rank_mismatch(
                port, tensor, f"at least {rank} dimension{'s' * (rank != 1)}"
            )

    def require_multiple(
        self,
        what: str,
        size: Dim,
        by: str,
        divisor: Dim,
        argument: str = "",
        port: str = "",
    ) -> None:
        """One size must be a multiple of another, which is known."""
        number = self.constant(divisor, by, argument)
        whole = number == 1 or self.domain.divisible(self.value(size), number)
        if number == 0 or not whole:
            raise errors.not_divisible(
                what, self.value(size), by, self.value(divisor), argument, port
            )
        self.note_multiple(size, divisor)

    def note_multiple(self, size: Dim, divisor: Dim) -> None:
        """Remember that one size is a multiple of another here, and has to be one at other params."""
        if self.layer is not None and size != divisor:
            self.multiples[size, divisor, self.layer] = None

    def require_least(
        self, what: str, size: Dim, least: Dim | int, port: str = ""
    ) -> None:
        """A size must be at least a known number, for every size of the inputs."""
        if not self.at_least(size, least):
            value, number = self.value(size), self.value(Dim.of(least)).constant
            assert number is not None
            conditions = when_at_least(self.domain, value, number)
            self._found(errors.too_small(what, value, number, port, conditions))

    def at_least(self, size: Dim, least: Dim | int, *, rounded: bool = False) -> bool:
        """Whether a size is at least a known number, for all sizes of inputs; if so, it has to be at other params."""
        value, wanted = self.value(size), Dim.of(least)
        number = self.value(wanted).constant
        assert number is not None
        holds = self.domain.at_least(value, number)
        if holds and self._is_asked(value, size, wanted, rounded=rounded):
            self.leasts[size, wanted, self.layer] = None
        return holds

    def _is_asked(self, value: Dim, *compared: Dim, rounded: bool) -> bool:
        """Whether a layer asks for a number, of this value, that params decide by sums of them."""
        known = value.constant is not None and self.layer is not None
        named = any(one.constant is None for one in compared)
        return known and named and (rounded or not any(one.depth for one in compared))

    def require_equal(
        self, message: str, left: Dim, right: Dim, port: str = "", label: str = ""
    ) -> None:
        """Two sizes must be equal, for every size of the inputs."""
        if not self.equal(left, right):
            shown = label or f"{self.value(left)} is not {self.value(right)}"
            conditions = self.when_equal(left, right)
            self._found(errors.shapes_differ(message, port, shown, conditions))

    def when_equal(self, left: Dim, right: Dim) -> Conditions:
        """For which sizes two sizes agree."""
        return when_equal(self.domain, self.value(left), self.value(right))

    def _found(self, fault: OpError) -> None:
        """A size that is wrong for some inputs does not keep a rule from going on."""
        if self.tolerated is None:
            raise fault
        self.tolerated.append(fault)

    def axis(self, axis: int, rank: int, argument: str = "dim") -> int:
        """A dimension's number counted from the front."""
        if not -rank <= axis < rank:
            raise errors.bad_axis(axis, rank, argument)
        return axis % rank

    def broadcast(self, op: str, tensors: Mapping[str, TensorType]) -> tuple[Dim, ...]:
        """The shape of tensors broadcast against one another, as torch does: from the last dimension on."""
        ports = list(tensors)
        shape: tuple[Dim, ...] = tensors[ports[0]].shape
        for port in ports[1:]:
            shape = self._broadcast_pair(op, shape, tensors[port], port)
        return shape

    def _broadcast_pair(
        self, op: str, left: tuple[Dim, ...], tensor: TensorType, port: str
    ) -> tuple[Dim, ...]:
        rank = max(len(left), tensor.rank)
        one = Dim.of(1)
        a = (one,) * (rank - len(left)) + left
        b = (one,) * (rank - tensor.rank) + tensor.shape
        return tuple(
            self._broadcast_size(op, x, y, port) for x, y in zip(a, b, strict=True)
        )

    def _broadcast_size(self, op: str, left: Dim, right: Dim, port: str) -> Dim:
        if right.constant == 1 or left == right:
            return left
        if self.is_one(left):
            return right
        if self.is_one(right) or self.equal(left, right, "or 1"):
            return left
        message = f"{op} needs shapes that broadcast"
        conditions = self.when_equal(left, right)
        self._found(errors.shapes_differ(message, port, "", conditions))
        return left
