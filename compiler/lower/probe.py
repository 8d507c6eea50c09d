"""For which params of a network its class holds at other values, too: only these are arguments of its constructor.

The graph is inferred at a few other values, and the class held against what inference says there. A param for which
it does not hold is fixed: its value stands in the code. One whose other values compile to nothing is left free: they
fail here as they do there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from compiler.diagnostics.diagnostic import SpecError
from compiler.elaborate.check_names import formulas
from compiler.expr.syntax import names_in
from compiler.infer.infer import infer
from compiler.ir.graph import Graph, Node, OpParam, Scope
from compiler.ir.typed import TypedGraph
from compiler.language.spec import Expect
from compiler.lower.build_class import ClassIR
from compiler.lower.emit import Parted, Unwritten
from compiler.lower.validate import Invalid, Validator
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import Value

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Proven:
    """What the constructor of a network may take.

    Attributes:
        fixed: params at whose other values some class does something else.
        positive: numbers of copies for which the classes hold from 1 on, not for 0.
    """

    fixed: frozenset[str]
    positive: frozenset[str]


def probe(
    typed: TypedGraph,
    networks: Mapping[str, ClassIR],
    validator: Validator,
    taken: Iterable[str],
) -> Proven:
    """Hold the classes of networks against other values of the params that their constructors take."""
    spec = typed.graph.spec
    bare = replace(
        typed.graph, spec=spec.model_copy(update={"expect": Expect(), "init": {}})
    )
    prober = _Prober(typed, bare, networks, validator)
    plain = {
        name: value
        for name, value in typed.params.items()
        if name in taken and spec.params[name].type != "op"
    }
    counts = _counts(typed) & plain.keys()
    fixed: set[str] = set()
    for group in _groups(plain, counts, _deciding(typed)):
        if prober.holds(group) is False:
            single = [
                n for n, value in group.items() if prober.holds({n: value}) is False
            ]
            fixed |= set(single or group)
    positive = {
        name
        for name in counts - fixed
        if plain[name] != 0 and prober.holds({name: 0}) is not True
    }
    return Proven(frozenset(fixed), frozenset(positive))


def _groups(
    plain: Mapping[str, Value], counts: Collection[str], deciding: Collection[str]
) -> Iterator[dict[str, Value]]:
    """Other values to try together: of all counts and lists, of all sizes, of each flag."""
    several = {n: v for n, v in plain.items() if n in counts or isinstance(v, tuple)}
    longer = {name: _longer(value) for name, value in several.items()}
    shorter = {name: _shorter(value) for name, value in several.items()}
    rest = {n: v for n, v in plain.items() if n not in several and isinstance(v, int)}
    sizes: dict[str, Value] = {
        name: 2 * value for name, value in rest.items() if not isinstance(value, bool)
    }
    yield from (group for group in (longer, shorter, sizes) if group)
    for name, value in rest.items():
        if isinstance(value, bool):
            yield {name: not value}
        elif name in deciding:
            yield {name: value + 1}


_FEW = 4
"""From more copies than these, a few are tried: inferring many again would cost as much as the build."""


def _longer(value: Any) -> Any:
    if isinstance(value, tuple):
        return (*value, *value[-1:])
    return value + 1 if value <= _FEW else 3


def _shorter(value: Any) -> Any:
    if isinstance(value, tuple):
        return value[:-1] if len(value) > 1 else value
    return 2 if value > _FEW else max(value - 1, 1)


def _counts(typed: TypedGraph) -> set[str]:
    """The params by which networks repeat their layers."""
    found: set[str] = set()
    for scope in typed.graph.networks.values():
        for node in scope.nodes.values():
            repeat = node.layer.repeat
            count = repeat.count if repeat is not None else None
            if isinstance(count, Formula):
                found |= set(names_in(count.expr))
    return {
        name
        for name in found
        if isinstance(typed.params.get(name), int)
        and not isinstance(typed.params.get(name), bool)
    }


def _deciding(typed: TypedGraph) -> set[str]:
    """The params that may decide what runs: in conditions of networks, or given to blocks that have some."""
    found: set[str] = set()
    for scope in typed.graph.networks.values():
        for node in scope.nodes.values():
            if _decides(node, set()):
                for _, formula in formulas(node.layer, node.arguments):
                    found |= set(names_in(formula.expr))
    return found


def _decides(node: Node, seen: set[Scope]) -> bool:
    """Whether a layer is under a condition, or one inside it is."""
    if node.layer.when is not None or isinstance(node.target, OpParam):
        return True
    if not isinstance(node.target, Scope) or node.target in seen:
        return False
    seen.add(node.target)
    return any(_decides(inner, seen) for inner in node.target.nodes.values())


class _Prober:
    def __init__(
        self,
        typed: TypedGraph,
        graph: Graph,
        networks: Mapping[str, ClassIR],
        validator: Validator,
    ) -> None:
        self.graph, self.networks, self.validator = graph, networks, validator
        given = {name for one in typed.networks.values() for name in one.given}
        self.chosen = {
            name: typed.params[name] for name in given if name in typed.params
        }

    def holds(self, changes: Settings) -> bool | None:
        """Whether the classes hold at other values; None where these do not compile."""
        try:
            settings = {**self.chosen, **changes}
            typed = infer(self.graph, "", settings, speculate=False)
        except SpecError:
            return None
        if typed.failed:
            return None
        try:
            for name, ir in self.networks.items():
                self.validator.check(ir, typed.networks[name])
                if name in typed.bare:
                    self.validator.check(ir, typed.bare[name])
        except (Invalid, Parted, Unwritten):
            return False
        return True
