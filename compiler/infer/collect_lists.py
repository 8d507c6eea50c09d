"""`collect`: lists of what the copies of a repeated layer give."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import InstancePath, Report
from compiler.diagnostics.text import listed
from compiler.infer.instances import InstanceBuilder
from compiler.infer.param_values import formula_value, shown
from compiler.ir.graph import Node
from compiler.ir.typed import LayerCall, item_port
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True)
class Lists:
    """What a layer collects.

    Attributes:
        copies: the copies that the items of each list are of.
        items: the types of the items, by their ports.
    """

    copies: Mapping[str, tuple[int, ...]]
    items: Mapping[str, TensorType]


NO_LISTS = Lists({}, {})


@dataclass(frozen=True)
class Collector:
    """Works out the lists of one layer; those that are wrong are reported and missing."""

    node: Node
    calls: tuple[LayerCall, ...]
    instance: InstanceBuilder
    report: Report
    path: InstancePath
    most: int
    """So many items a list has at most."""

    def lists(self) -> Lists:
        """The lists with the types of their items."""
        repeat = self.node.layer.repeat
        if repeat is None or not repeat.collect:
            return NO_LISTS
        copies = self._copies()
        if copies is None:
            return NO_LISTS
        found: dict[str, tuple[int, ...]] = {}
        items: dict[str, TensorType] = {}
        outputs = self.calls[0].outputs
        for name, written in repeat.collect.items():
            port = written or next(iter(outputs))
            if not self._is_right(name, port):
                continue
            found[name] = copies
            for number, call in enumerate(self._calls(copies)):
                items[item_port(name, number)] = call.outputs[port]
        return Lists(found, items)

    def _copies(self) -> tuple[int, ...] | None:
        """The copies whose outputs are collected; None where `at` is wrong."""
        repeat = self.node.layer.repeat
        assert repeat is not None
        count = sum(call.count for call in self.calls)
        if repeat.at is None:
            return tuple(range(count)) if self._is_short(count, "collect") else None
        place = self.node.place.at("repeat", "at")
        value = formula_value(repeat.at, self.instance.values, place, self.report)
        if value is None:
            return None
        items = value if isinstance(value, tuple) else ()
        numbers = tuple(
            n for n in items if isinstance(n, int) and not isinstance(n, bool)
        )
        rising = all(a < b for a, b in pairwise((-1, *numbers, count)))
        if not numbers or len(numbers) < len(items) or not rising:
            message = f"`at` lists numbers of copies in ascending order, and this is {shown(value)}"
            last = f" to {count - 1}" if count > 1 else ""
            help = f"the copies have the numbers 0{last}"
            self.report.error(
                "bad-repeat", place.span(), message, help=help, path=self.path
            )
            return None
        return numbers if self._is_short(len(numbers), "at") else None

    def _is_short(self, count: int, key: str) -> bool:
        if count <= self.most:
            return True
        span = self.node.place.at("repeat", key).span()
        message = f"a list has {self.most:,} items at most, and this one {count:,}"
        self.report.error("too-large", span, message, path=self.path)
        return False

    def _is_right(self, name: str, port: str) -> bool:
        repeat, outputs = self.node.layer.repeat, self.calls[0].outputs
        assert repeat is not None
        code = message = help = ""
        if name in outputs or name in repeat.stack:
            code = "duplicate-name"
            message = f"the layer gives {name}, and the list needs a name of its own"
            help = f"write all_{name}"
        elif port not in outputs:
            code, message = "unknown-port", f"a copy has no output {port}"
            help = self.report.like(port, outputs) or f"it gives {listed(outputs)}"
        if not code:
            return True
        place = self.node.place.at("repeat", "collect")
        key = code == "duplicate-name"
        short = not place.has(name)
        span = place.span() if short else place.span(name, key=key)
        self.report.error(code, span, message, help=help, path=self.path)
        return False

    def _calls(self, copies: tuple[int, ...]) -> list[LayerCall]:
        """The run of each of these copies."""
        found: list[LayerCall] = []
        runs = iter(self.calls)
        call = next(runs)
        first = 0
        for copy in copies:
            while copy >= first + call.count:
                first += call.count
                call = next(runs)
            found.append(call)
        return found
