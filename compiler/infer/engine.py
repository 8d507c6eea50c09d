"""The state of one inference: the instances so far, the limits, the errors."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager

from compiler.diagnostics.diagnostic import InstancePath, Report
from compiler.diagnostics.limits import Limits
from compiler.elaborate.targets import Targets
from compiler.infer.error_sink import ErrorSink
from compiler.infer.graph_facts import GraphFacts
from compiler.infer.instances import InstanceBuilder
from compiler.ir.graph import Graph, Node, Scope
from compiler.ir.typed import BlockName, Instance, hashable, is_whole
from compiler.op.errors import OpError
from compiler.symbolic.domain import Domain
from compiler.symbolic.evaluate import Value

BlockKey = tuple[Scope, Hashable, Hashable]
"""A block, the values of its params, and the types of its inputs."""


class Skip(Exception):
    """A layer cannot be inferred; the reason has been reported, here or at a layer that it needs."""


class Engine:
    """The state of one inference: each distinct use of a scope is inferred once."""

    def __init__(
        self, graph: Graph, domain: Domain, limits: Limits, report: Report
    ) -> None:
        self.graph, self.domain = graph, domain
        self.speculates = True
        """Whether it works out, too, what other values of the params would run."""
        self.asks_given = False
        """Whether a layer asks for an optional input, so that it matters which may be there when the network runs."""
        self.limits, self.report = limits, report
        self.count = self.runs = self.speculated = 0
        self.errors = ErrorSink()
        self.facts = GraphFacts()
        self.known: dict[Hashable, Instance] = {}
        """Instances by what distinguishes them; while one is inferred, it is there without its layers."""
        self.keys: dict[Instance, BlockKey] = {}
        """What distinguishes the instances of blocks."""
        self.running: set[Hashable] = set()
        self.learned: list[Hashable] | None = None
        """While it speculates: the instances that it is to forget."""
        self._new: dict[Scope, list[Instance]] = {}
        self._by_types: dict[Hashable, Instance] = {}

    def block_name(self, value: Value, home: Scope) -> Value:
        """What a scope gives to a param of type `op`: the block of its file, where the file has one of that name."""
        if isinstance(value, str) and not isinstance(value, BlockName):
            found = self._blocks(home.place.document.source.file).get(value)
            if found is not None:
                return BlockName(value, found.place.document.source.file)
        return value

    def targets(self, scope: Scope, value: str) -> Targets:
        """The blocks among which the value of a scope's param of type `op` names one."""
        own = scope.place.document.source.file
        return Targets(self._blocks(getattr(value, "file", own)))

    def _blocks(self, file: str) -> Mapping[str, Scope]:
        return self.graph.named.get(file, {})

    def remember(self, key: Hashable, instance: Instance) -> None:
        """Remember an instance; while it speculates, until the end of that."""
        self.known[key] = instance
        if self.learned is not None:
            self.learned.append(key)

    def remember_block(self, key: BlockKey, instance: Instance) -> None:
        """Remember an instance of a block, and that it was inferred for its types."""
        self.known[key] = instance
        self.keys[instance] = key
        if self.learned is None:
            self._new.setdefault(key[0], []).append(instance)

    def forget(self, key: Hashable) -> None:
        """Forget an instance."""
        found = self.known.pop(key, None)
        if found is not None:
            self.keys.pop(found, None)
        self.running.discard(key)

    def alike(self, key: BlockKey, params: Mapping[str, Value]) -> Instance | None:
        """An instance that was inferred and differs from the one of a key in values alone.

        None while it speculates: what other values would run is left out there.
        """
        scope, _, types = key
        if self.learned is not None or scope not in self._new:
            return None
        if not self.facts.value_params.of(scope):
            return None
        for one in self._new[scope]:
            if is_whole(one):
                by_types = self._types_key(scope, one.params, self.keys[one][2])
                self._by_types.setdefault(by_types, one)
        self._new[scope].clear()
        return self._by_types.get(self._types_key(scope, params, types))

    def _types_key(
        self, scope: Scope, params: Mapping[str, Value], types: Hashable
    ) -> Hashable:
        values = self.facts.value_params.of(scope)
        others = (
            None if name in values and isinstance(value, float) else hashable(value)
            for name, value in params.items()
        )
        return scope, tuple(others), types

    def skip(
        self, instance: InstanceBuilder, node: Node, error: OpError, path: InstancePath
    ) -> Skip:
        """Add the error of a layer, which gives no types then: raise what this returns."""
        self.errors.add(instance, node, error, path)
        return Skip()

    def charge_instance(self, scope: Scope, depth: int) -> None:
        """Count an instance against the limits, before its layers are inferred.

        Raises:
            OpError: if it exceeds the limit, or is nested too deeply.
            Skip: after the first that exceeds it.
        """
        self.count += 1
        if depth > self.limits.nesting:
            message = f"{scope.name} nests more than {self.limits.nesting} levels deep"
            raise endless(message)
        _pay(self.count - 1, self.count, self.limits.instances, "blocks")

    def charge_run(self, copy: bool = False, items: int = 0) -> None:
        """Count the run of a layer against the limits, before it is inferred; or items of lists that it reads.

        A copy that differs from the one before it costs more: a line asks for thousands.

        Raises:
            OpError: if it exceeds the limit.
            Skip: after that.
        """
        before = self.runs
        self.runs += items or (20 if copy else 1)
        _pay(before, self.runs, self.limits.runs, "different runs of layers")


class Earlier:
    """The blocks that several inferences of one graph have in common: each is inferred once.

    What distinguishes an instance is all that its types depend on, but for what the symbols of the networks admit.
    """

    def __init__(self) -> None:
        self._keys: dict[Hashable, dict[Instance, BlockKey]] = {}
        self._known: dict[Hashable, dict[Hashable, Instance]] = {}
        self._facts = GraphFacts()

    @contextmanager
    def shared(self, engine: Engine) -> Iterator[None]:
        """Let a trial know the instances of those before it, and keep those that it adds if nothing is wrong."""
        engine.facts = self._facts
        admitted = frozenset(engine.domain.constraints.items())
        known = self._known.setdefault(admitted, {})
        keys = self._keys.setdefault(admitted, {})
        engine.known.update(known)
        engine.keys.update(keys)
        yield
        if engine.report.failed:  # then a block may lack layers
            return
        for instance, key in engine.keys.items():
            if instance not in keys and known.setdefault(key, instance) is instance:
                keys[instance] = key


def endless(message: str) -> OpError:
    """The error for a block that contains itself."""
    help = "a block that calls itself needs a `when` that ends it"
    return OpError("recursion", message, help=help)


def _pay(before: int, count: int, limit: int, what: str) -> None:
    if before <= limit < count:
        message = f"the network expands into more than {limit:,} {what}"
        raise OpError("too-large", message)
    if count > limit:
        raise Skip
