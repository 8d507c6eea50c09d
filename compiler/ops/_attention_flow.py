"""What an attention depends on: each row of queries on the column of keys that the masks leave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from compiler.dataclass import dataclass
from compiler.op.combine_flows import Band, Labelled, contract, is_zero, labelled
from compiler.op.dependence import Along, Dependence, Guard
from compiler.op.flow import FlowCall, Memory, Operand
from compiler.ops._known_values import is_negligible
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

EVERY = (-math.inf, math.inf)
CAUSAL = (-math.inf, 0)


@dataclass(frozen=True)
class AttentionFlow:
    """One attention: queries [B, T, E], keys [B, S, E], values [B, S, V], without B where they have two axes.

    `masks` are labelled by b, h, t and s; True means attend. `biases` are added to the scores.
    """

    call: FlowCall
    query: Operand
    key: Operand
    value: Operand
    masks: Sequence[tuple[Operand, tuple[str, ...]]] = ()
    biases: Sequence[tuple[Operand, tuple[str, ...]]] = ()
    regions: Sequence[tuple[float, float]] = ()
    """Where keys may be, counted from the query: several limit one another."""
    heads: Dim | int = 1

    def output(self) -> Dependence:
        """What the output depends on: [B, T, V]."""
        operands, bands = self._operands()
        return contract(operands, (*self._batch, "t", "o"), bands, self._reason)

    def weights(self, kind: TensorType) -> Dependence:
        """What the weights depend on: [B, T, S], or [B, heads, T, S]."""
        operands, bands = self._operands()
        heads = ("h",) if kind.rank > self.query[1].rank else ()
        labels = (*self._batch, *heads, "t", "s")
        found = contract(operands, labels, bands, self._reason, along={"s"})
        limits = [(band.lo, band.hi) for band in bands if band.column == "s"]
        if not limits:
            return found
        lo, hi = max(one[0] for one in limits), min(one[1] for one in limits)
        row, column = len(labels) - 2, len(labels) - 1
        return Dependence(
            found.axes, found.whole, found.start, Guard(row, column, lo, hi, 0.0)
        )

    def memory(self) -> Memory | None:
        """The keys and values that later queries need: those so far, or all of a sequence that is there at once."""
        axis = self.key[1].rank - 2
        if not isinstance(self.key[0].axes[axis], Along):
            fixed = self.key[1].shape, self.value[1].shape
            carries = isinstance(self.query[0].axes[axis], Along)
            return Memory("fixed keys", fixed) if carries else None
        _, bands = self._operands()
        lo = max((b.lo for b in bands if b.column == "s"), default=-math.inf)
        places = None if lo == -math.inf else int(1 - lo)
        shapes = (_one_place(self.key[1]), _one_place(self.value[1]))
        return Memory("keys", shapes, places)

    @property
    def _batch(self) -> tuple[str, ...]:
        return ("b",) if self.query[1].rank == 3 else ()

    @property
    def _reason(self) -> str:
        return "attends to every position of T"

    def _sizes(self) -> Mapping[str, Dim]:
        shape = self.query[1].shape
        sizes = {"t": shape[-2], "s": self.key[1].shape[-2], "h": Dim.of(self.heads)}
        return sizes | ({"b": shape[0]} if self._batch else {})

    def _operands(self) -> tuple[list[Labelled], list[Band]]:
        names = (("t", "query"), ("s", "key"), ("s", "value"))
        found = [
            labelled(self.call, operand, (*self._batch, place, name), {})
            for operand, (place, name) in zip(
                (self.query, self.key, self.value), names, strict=True
            )
        ]
        bands = [Band("t", "s", lo, hi) for lo, hi in self.regions]
        for added, blocked in ((self.masks, is_zero), (self.biases, is_negligible)):
            for operand, labels in added:
                one = labelled(self.call, operand, labels, self._sizes())
                bands += [b for b in one.band(blocked) if b.column == "s"]
                found.append(one)
        return found, bands


def _one_place(kind: TensorType) -> tuple[Dim, ...]:
    return (*kind.shape[:-2], kind.shape[-1])


def pair_labels(kind: TensorType, query: TensorType) -> tuple[str, ...]:
    """What the axes of a mask of query-key pairs are: [T, S], [B, T, S] or [B * heads, T, S]."""
    if kind.rank == 2:
        return ("t", "s")
    per_batch = query.rank == 3 and kind.shape[0] == query.shape[0]
    return ("b" if per_batch else "batch and heads", "t", "s")


def key_labels(query: TensorType) -> tuple[str, ...]:
    """What the axes of a mask of keys are: [B, S] or [S]."""
    return ("b", "s") if query.rank == 3 else ("s",)
