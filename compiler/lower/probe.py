"""For which params of networks their classes hold at other values, too: only these are arguments of constructors.

The graph is inferred at a few other values, and the classes are compared with what inference says there. A param for
which they do not hold is fixed: its value stands in the code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from typing import Any

from compiler.codegen.python import Expr
from compiler.codegen.traversal import placeholders
from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import SpecError
from compiler.infer.engine import Earlier
from compiler.infer.error_sink import TrialFailed
from compiler.infer.infer import infer
from compiler.ir.graph import Graph
from compiler.ir.module import ScopeName
from compiler.ir.typed import Instance, TypedGraph, walk_instances
from compiler.language.spec import Expect
from compiler.lower.class_ir import ClassIR
from compiler.lower.compare_code import Invalid
from compiler.lower.deepest import deepest, divides, with_divisible_sizes
from compiler.lower.evaluate_code import Unknown, value_of
from compiler.lower.other_values import OtherValues, Setting
from compiler.lower.parted import Parted, Unwritten
from compiler.lower.validate import Validator
from compiler.symbolic.evaluate import Value

Networks = Mapping[str, ClassIR]

_UNSEEN = frozenset({"unknown-port", "bad-init", "bad-tie", "rank-mismatch"})
"""Errors that no module has: an output of a layer that is off, a tensor that is not there, the rank of an input."""

MOST_RUNS = 20_000
"""Runs of layers that all trials of a graph infer or validate: two seconds. What was not tried by then is fixed."""

_MANY = 8
"""A setting of more params than these is halved where it fails."""


@dataclass(frozen=True)
class Proven:
    """What the constructor of a network may take.

    Attributes:
        fixed: params at whose other values some class does something else.
        positive: numbers, and lengths of lists, for which the classes hold from 1 on, not for 0; empty where others
            are to be fixed first.
        copied: lists of numbers of copies for which the classes hold where all items are at least 1, not where some
            are 0; empty where others are to be fixed first.
        most: numbers of copies, and lengths of lists, above which the spec does not compile for all sizes; empty where
            others are to be fixed first.
    """

    fixed: frozenset[str]
    positive: frozenset[str] = frozenset()
    copied: frozenset[str] = frozenset()
    most: Mapping[str, int] = field(default_factory=dict)


class Prober:
    """Infers a graph at other values of its params, each setting once, and compares classes with it."""

    def __init__(
        self,
        typed: TypedGraph,
        goes_on: Callable[[TypedGraph], bool] | None = None,
    ) -> None:
        """`goes_on` says whether a graph is run in pieces by the code of `typed`, which has steps."""
        spec = typed.graph.spec
        bare = spec.model_copy(update={"expect": Expect(), "init": {}})
        self._graph = replace(typed.graph, spec=bare)
        given = {name for one in typed.networks.values() for name in one.given}
        self._params = typed.params
        self._chosen = {name: typed.params[name] for name in sorted(given)}
        self.other = OtherValues(typed)
        self._known: dict[tuple[Any, ...], tuple[Setting, TypedGraph | None]] = {
            _key({}): ({}, typed)
        }
        self._goes_on = goes_on
        self._stepped: dict[int, bool] = {id(typed): True}
        """Whether the graphs that were inferred go on as the code says, by identity."""
        self._unseen: set[tuple[Any, ...]] = set()
        """The settings that do not compile for a reason that a module does not see."""
        self._failing: set[tuple[Any, ...]] = set()
        """The settings that compile, and at which the classes do not hold: constructors refuse them."""
        self._earlier = Earlier()
        layers = (
            node for one in walk_instances(typed.roots) for node in one.nodes.values()
        )
        self._runs = sum(max(len(node.calls), 1) for node in layers)
        """The runs of layers that a trial infers, about: copies that differ are several."""
        self._left = MOST_RUNS

    def probe(
        self,
        networks: Networks,
        validator: Validator,
        taken: Collection[str],
        fixed: Collection[str],
        conditions: Mapping[str, Sequence[Expr]],
    ) -> Proven:
        """Compare the classes of networks with inference at other values of the params that are not fixed.

        `taken` are the arguments of the constructors; `conditions` those of each network that have come out in one
        way where its classes were made: their params are fixed unless they come out otherwise at values that are tried.
        """
        values = {name: self._params[name] for name in fixed}
        trial = _Trial(self, networks, validator, values)
        names = [name for name in self.other.values if name not in fixed]
        found: set[str] = set()
        generic = self._sizes(names)
        for parts in self.other.settings(names, generic):
            if self.is_spent:
                found |= _changed(parts, generic)
                continue
            for part in self._compiling([_without(part, found) for part in parts]):
                if trial.holds(part) is False:
                    found |= self._blamed(trial, part)
                elif len(part) == 1 and self.is_unseen(part):
                    found |= part.keys()
        for name in names:
            if name in taken and name not in found:
                found |= self._tried_alone(trial, name)
            if name in taken and name not in found and self._stops(name):
                found.add(name)
        found |= self._unseen_in(conditions) & {*taken} - {*fixed}
        if found:
            return Proven(frozenset(found))
        free = [name for name in names if name in taken]
        besides = [generic] if generic else []
        besides += self.other.equal_by_chance(free)
        positive = trial.positive(free, besides)
        lists = {name: zeros for name in free if (zeros := self.other.zero_items(name))}
        copied = frozenset(trial.copied(lists, besides))
        self._failing = {k for k, held in trial.outcomes.items() if held is False}
        most = dict(self._most(free))
        return Proven(frozenset(), frozenset(positive), copied, most)

    def _most(self, names: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Numbers of copies and levels, and lengths of lists, that cannot be larger for all sizes of the inputs."""
        typed = self.inferred({})
        assert typed is not None
        divisible = with_divisible_sizes(self._graph, typed)
        some = divides(typed)
        for name in filter(self.other.deepens, names):
            if self.is_spent:
                return
            if self._params[name] and not some:
                continue
            most = deepest(
                self._params[name],
                partial(self._inferred_at, name),
                partial(self._compiles_at, divisible, name),
            )
            if most is not None:
                yield name, most

    def _inferred_at(self, name: str, value: Value) -> TypedGraph | None:
        return self.inferred({name: value})

    def _compiles_at(self, graph: Graph, name: str, value: Value) -> bool:
        """Whether another graph compiles at another value."""
        self.charge()
        try:
            return not self._tried(graph, {name: value}).failed
        except (SpecError, TrialFailed):
            return False

    def _unseen_in(self, conditions: Mapping[str, Sequence[Expr]]) -> set[str]:
        """The names in conditions of networks that came out in one way alone."""
        return {
            key.name
            for network, codes in conditions.items()
            for code in codes
            if not self._is_seen(network, code)
            for key in placeholders(code)
            if isinstance(key, ScopeName)
        }

    def holding(
        self,
        networks: Networks,
        validator: Validator,
        fixed: Collection[str],
        settings: Mapping[str, Setting],
    ) -> set[str]:
        """The settings, by their names, at which the classes hold; `fixed` are the params that are no arguments."""
        values = {name: self._params[name] for name in fixed}
        trial = _Trial(self, networks, validator, values)
        return {
            name
            for name, setting in settings.items()
            if not self.is_spent and trial.holds(setting) is True
        }

    def inferred(self, changes: Setting) -> TypedGraph | None:
        """The graph at other values; None where these do not compile."""
        key = _key(changes)
        if key not in self._known:
            self.charge()
            self._known[key] = changes, self._infer(changes)
        return self._known[key][1]

    def goes_on(self, typed: TypedGraph) -> bool:
        """Whether one of the graphs that were inferred is run in pieces by the same code; true where none is."""
        if self._goes_on is None:
            return True
        if id(typed) not in self._stepped:
            self._stepped[id(typed)] = self._goes_on(typed)
        return self._stepped[id(typed)]

    def compiled(
        self, networks: Networks, fixed: Collection[str]
    ) -> dict[int, list[Instance]]:
        """The networks at all values that compile and at which the classes may hold, by the identity of their plans.

        `fixed` are the params that are no arguments: at other values of these the classes are not asked for.
        """
        graphs = [
            typed
            for key, (_, typed) in self._known.items()
            if typed is not None
            and key not in self._failing
            and all(typed.params[name] == self._params[name] for name in fixed)
        ]
        return {
            id(ir.plan): [
                typed.networks[name] for typed in graphs if name in typed.networks
            ]
            for name, ir in networks.items()
        }

    def charge(self) -> None:
        """Pay for looking at all layers once."""
        self._left -= self._runs

    @property
    def is_spent(self) -> bool:
        """Whether nothing more is to be tried."""
        return self._left < 0

    def _is_seen(self, network: str, condition: Expr) -> bool:
        """Whether a condition came out in both ways at the values that compile."""
        graphs = [typed for _, typed in self._known.values() if typed is not None]
        try:
            return len({value_of(condition, x.networks[network]) for x in graphs}) > 1
        except Unknown:
            return False

    def is_unseen(self, changes: Setting) -> bool:
        """Whether other values do not compile, and a module would run with them."""
        numbers = (one for one in changes.values() if not isinstance(one, bool))
        below = 0 in numbers  # which is refused anyway
        return not below and _key(changes) in self._unseen

    def _infer(self, changes: Setting) -> TypedGraph | None:
        try:
            typed = self._tried(self._graph, changes)
        except SpecError:
            return None
        except TrialFailed as error:
            if error.code in _UNSEEN:
                self._unseen.add(_key(changes))
            return None
        if any(one.code in _UNSEEN for one in typed.diagnostics):
            self._unseen.add(_key(changes))
        return None if typed.failed else typed

    def _tried(self, graph: Graph, changes: Setting) -> TypedGraph:
        """A graph at other values.

        Raises:
            SpecError: where the values are wrong.
            TrialFailed: at the first error of a layer.
        """
        settings = {**self._chosen, **changes}
        return infer(graph, "", settings, trial=True, earlier=self._earlier)

    def _sizes(self, names: Collection[str]) -> Setting:
        """Other sizes that compile, all at once; none where there are no such."""
        settings = self.other.sizes(names)
        return next((one for one in settings if self.inferred(one) is not None), {})

    def _compiling(self, parts: list[Setting]) -> list[Setting]:
        """All parts together, where that compiles; else each alone."""
        together: Setting = {}
        for part in parts:
            together.update(part)
        if self.inferred(together) is not None or len(parts) == 1:
            return [together]
        return parts

    def _blamed(self, trial: _Trial, changes: Setting) -> set[str]:
        """The param to fix where a setting fails: the most important of a smallest part that fails."""
        needed = self._failing_half(trial, changes)
        for name in sorted(needed, key=self.other.importance, reverse=True):
            fewer = {key: value for key, value in needed.items() if key != name}
            if self.is_spent:
                return set(needed)
            if fewer and trial.holds(fewer) is False:
                needed = fewer
        return {min(needed, key=self.other.importance)}

    def _tried_alone(self, trial: _Trial, name: str) -> set[str]:
        """A param to fix: one that has no other value that compiles, or of which the one that is found fails."""
        if not self._untried(name):
            return set()
        for other in self.other.near(name):
            if self.is_spent:
                break
            holds = trial.holds({name: other})
            if holds is not None:
                return set() if holds else {name}
        return {name}

    def _stops(self, name: str) -> bool:
        """Whether a network that has steps does not go on from piece to piece at some other value of a param alone.

        What an op reads ahead may depend on every number and text, not on those alone that conditions ask for.
        """
        if self._goes_on is None:
            return False
        for other in self.other.around(name):
            if self.is_spent:
                return True
            typed = self.inferred({name: other})
            if typed is not None and not self.goes_on(typed):
                return True
        return False

    def _failing_half(self, trial: _Trial, changes: Setting) -> Setting:
        """A setting that fails, halved while one half does, the more important one first."""
        ordered = sorted(changes, key=self.other.importance)
        while len(ordered) > _MANY and not self.is_spent:
            middle = len(ordered) // 2
            for half in (ordered[:middle], ordered[middle:]):
                if trial.holds({name: changes[name] for name in half}) is False:
                    ordered = half
                    break
            else:
                break
        return {name: changes[name] for name in ordered}

    def _untried(self, name: str) -> bool:
        """Whether no other value of a flag, a count or a size compiled, or no other length of a list."""
        value = self.other.values[name]
        others = [
            changes[name]
            for changes, typed in self._known.values()
            if name in changes and typed is not None
        ]
        if isinstance(value, tuple):
            return all(len(other) == len(value) for other in others)
        return isinstance(value, int) and all(other == value for other in others)


@dataclass(frozen=True)
class _Trial:
    """The classes of one round."""

    prober: Prober
    networks: Networks
    validator: Validator
    fixed: Setting
    """The values in the text of params that are no arguments."""
    outcomes: dict[tuple[Any, ...], bool | None] = field(default_factory=dict)
    """What `holds` said."""

    def positive(self, names: Iterable[str], besides: Sequence[Setting]) -> set[str]:
        """The numbers, and the lengths of lists, for which the classes do not hold at 0.

        `besides` are sizes that change as well: without copies a size may be right by chance.
        """
        values = self.prober.other.values
        zeros: Setting = {
            name: () if isinstance(values[name], tuple) else 0
            for name in names
            if values[name] and not isinstance(values[name], bool | float | str)
        }
        return set(self._positive(zeros, besides))

    def _positive(self, zeros: Setting, besides: Sequence[Setting]) -> Iterator[str]:
        """Those that cannot be 0; of many, only parts that cannot all be 0 are looked into."""
        if len(zeros) <= _MANY:
            alone = {n: zero for n, zero in zeros.items() if self._holds_at({n: zero})}
            yield from (name for name in zeros if name not in alone)
            for sizes in besides:
                yield from self._failing_beside(alone, sizes)
        elif not self._holds_at(zeros, besides):
            names = [*zeros]
            for half in (names[: len(names) // 2], names[len(names) // 2 :]):
                part = {name: zeros[name] for name in half}
                yield from self._positive(part, besides)

    def _failing_beside(self, zeros: Setting, sizes: Setting) -> Iterator[str]:
        """Those of zeros at which the classes do not hold where sizes change as well; tried together first."""
        if self.prober.is_spent:
            yield from zeros
        elif self.holds({**sizes, **zeros}) is not True:
            for name, zero in zeros.items():
                if self.holds({**sizes, name: zero}) is False:
                    yield name

    def copied(
        self, lists: Mapping[str, Sequence[Value]], besides: Sequence[Setting]
    ) -> Iterator[str]:
        """The lists, by their names with values that have a 0, for some of which the classes do not hold.

        `besides` are sizes that change as well: without copies a size may be right by chance.
        """
        for name, values in lists.items():
            settings = (
                {**sizes, name: value} for sizes in ({}, *besides) for value in values
            )
            if any(self.prober.is_spent or self._is_refused(x) for x in settings):
                yield name

    def _is_refused(self, changes: Setting) -> bool:
        """Whether a constructor refuses other values: the classes do not hold, or see nothing of what is wrong."""
        return self.holds(changes) is False or self.prober.is_unseen(changes)

    def _holds_at(self, zeros: Setting, besides: Sequence[Setting] = ()) -> bool:
        """Whether the classes hold at zeros, and with other sizes too where these compile."""
        if self.prober.is_spent or self.holds(zeros) is not True:
            return False
        settings = ({**sizes, **zeros} for sizes in besides)
        return all(self.holds(one) is not False for one in settings)

    def holds(self, changes: Setting) -> bool | None:
        """Whether the classes hold at other values; None where these do not compile."""
        key = _key(changes)
        if key not in self.outcomes:
            self.outcomes[key] = self._hold(changes)
        return self.outcomes[key]

    def _hold(self, changes: Setting) -> bool | None:
        typed = self.prober.inferred(changes)
        if typed is None:
            return None
        if any(typed.params[name] != value for name, value in self.fixed.items()):
            return False  # one that is computed from what changes
        if not self.prober.goes_on(typed):
            return False
        self.prober.charge()
        try:
            for name, ir in self.networks.items():
                for one in typed.each_way(name):
                    self.validator.check(ir, one)
        except (Invalid, Parted, Unwritten):
            return False
        return True


def _changed(parts: Iterable[Setting], sizes: Setting) -> set[str]:
    """The params that a setting is there for, beside the sizes that most settings change."""
    return {
        name
        for part in parts
        for name, value in part.items()
        if name not in sizes or value != sizes[name]
    }


def _key(changes: Setting) -> tuple[Any, ...]:
    return tuple(sorted((name, repr(value)) for name, value in changes.items()))


def _without(setting: Setting, names: Collection[str]) -> Setting:
    return {name: value for name, value in setting.items() if name not in names}
