"""What the values of `forward` are called, and which of them share a name.

Two values share one only where the first is not needed once the second is there: a value that goes from copy to copy,
what it starts as, and the steps of a layer that end in its output. `check_names` holds every name to that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from compiler.codegen.namespace import Namespace
from compiler.codegen.python import Expr, Placeholder
from compiler.codegen.traversal import placeholders
from compiler.ir.graph import Ref, Scope
from compiler.ir.module import (
    Choose,
    Let,
    Local,
    Loop,
    RunScan,
    ScopeName,
    Stmt,
    defined,
    definitions,
    reads,
)
from compiler.ir.typed import TypedNode
from compiler.lower.build_class import ClassIR
from compiler.lower.class_plan import refs_of
from compiler.op.library_sources import function_names
from compiler.symbolic.symbol_table import COUNTER

_PLAIN_PORTS = frozenset({"input", "other", "inputs", "x", "output"})
"""Ports whose names say nothing of what goes through them."""
UNUSED = "_"


@dataclass(frozen=True)
class Names:
    """The names of the values of a class by their numbers, and of the functions that are its scans' steps."""

    values: Mapping[int, str]
    steps: Mapping[str, str]

    def __getitem__(self, value: Local) -> str:
        return self.values[value.number]


def name_values(ir: ClassIR) -> Names:
    """Name every value of `forward`."""
    namer = _Namer(ir)
    for statement in ir.body.statements:
        namer.statement(statement)
    names = Names(namer.values, namer.steps)
    check_names(ir, names)
    return names


class NameClash(AssertionError):
    """A value is overwritten before it is read: a fault of naming."""


def check_names(ir: ClassIR, names: Names) -> None:
    """Run through `forward` with what each name holds: every read must find its value there."""
    held: dict[str, Local] = {names[value]: value for _, value in ir.body.inputs}
    for statement in ir.body.statements:
        _hold(statement, held, names)
    for output in ir.body.outputs:
        _require(placeholders(output), held, names)


def _require(keys: Iterable[Hashable], held: Mapping[str, Local], names: Names) -> None:
    for key in keys:
        if isinstance(key, Local) and held.get(names[key]) != key:
            raise NameClash(f"{names[key]} is not what it should be")


def _hold(statement: Stmt, held: dict[str, Local], names: Names) -> None:
    match statement:
        case Let():
            _require(placeholders(statement.value), held, names)
            for value in defined(statement.target):
                held[names[value]] = value
        case RunScan():
            _require(reads(statement), held, names)
            for state in statement.target:
                if state is not None:
                    held[names[state]] = state
        case Choose():
            _require(placeholders(statement.test), held, names)
            used = [one for one in statement.results if names[one[0]] != UNUSED]
            for after, _, other in used:
                _require(() if other is None else placeholders(other), held, names)
                held[names[after]] = after
            inner = dict(held)
            for part in statement.body:
                _hold(part, inner, names)
            for after, inside, _ in used:
                _require([inside], inner, names)
                held[names[after]] = after
        case Loop():
            _hold_loop(statement, held, names)


def _hold_loop(loop: Loop, held: dict[str, Local], names: Names) -> None:
    for one in loop.carried:
        _require(placeholders(one.start), held, names)
    for _ in range(2):  # what a copy leaves behind is what the next one finds
        for one in loop.carried:
            held[names[one.inside]] = one.inside
        if loop.holder is not None:
            held[names[loop.holder]] = loop.holder
        for part in loop.body:
            _hold(part, held, names)
        _require([one.following for one in loop.carried], held, names)
        _require(
            [one.item for one in loop.collected if names[one.items] != UNUSED],
            held,
            names,
        )
        _require(
            [inside for after, inside in loop.last if names[after] != UNUSED],
            held,
            names,
        )
    for one in loop.carried:
        held[names[one.after]] = one.after
    for after, _ in loop.last:
        held[names[after]] = after
    for one_ in loop.collected:
        held[names[one_.after]] = one_.after


@dataclass
class _Namer:
    ir: ClassIR
    values: dict[int, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan, body = self.ir.plan, self.ir.body
        self.origins = body.origins
        counter = {COUNTER} if any(map(counts_copies, body.statements)) else set()
        self.fresh = Namespace(function_names() | counter).fresh
        self.read = Counter(
            key
            for statement in body.statements
            for key in reads(statement)
            if isinstance(key, Local)
        )
        self.read += Counter(
            key
            for one in body.outputs
            for key in placeholders(one)
            if isinstance(key, Local)
        )
        self._made = {
            value for statement in body.statements for value in definitions(statement)
        }
        self._live = self.plan.live()
        self._consumers: dict[str, list[tuple[TypedNode, str, Ref]]] = {}
        for name in self.plan.scope.nodes:
            if name in self._live:
                for port, ref in refs_of(self.plan.layers[name]):
                    entry = (self.plan.layers[name], port, ref)
                    self._consumers.setdefault(ref.node, []).append(entry)
        self._outputs: dict[str, list[tuple[str, Ref]]] = {}
        for name, ref in self.plan.scope.outputs.items():
            self._outputs.setdefault(ref.node, []).append((name, ref))
        self._copies: dict[str, str] = {}
        self._state = ""
        self._chains = self._count_chains()
        self._own: dict[str, str] = {}
        for port, value in body.inputs:
            self.values[value.number] = self.fresh(port)

    def statement(self, statement: Stmt) -> None:
        """Name what a statement defines, in the order in which a reader meets it."""
        match statement:
            case Let():
                self._let(statement)
            case Choose():
                self._choose(statement)
            case Loop():
                self._loop(statement)
            case RunScan():
                self._scan(statement)

    def _let(self, statement: Let) -> None:
        for value in defined(statement.target):
            if value.number in self.values:
                continue
            origin = self.origins[value.number]
            if origin.step:
                name = self.fresh(origin.step)
                if origin.step == origin.layer:
                    self._own[origin.layer] = name
                self.values[value.number] = name
            elif not self.read[value]:
                self.values[value.number] = UNUSED
            else:
                port = origin.port or self._first(origin.layer)
                wanted = self._local_name(origin.layer, port)
                self.values[value.number] = self._of_output(origin.layer, port, wanted)

    def _choose(self, statement: Choose) -> None:
        *steps, last = statement.body
        for step in steps:
            self.statement(step)
        single = len(statement.results) == 1
        for after, inside, _ in statement.results:
            origin = self.origins[after.number]
            port = origin.port or self._first(origin.layer)
            name = UNUSED
            if self.read[after]:
                wanted = (
                    origin.layer if single else self._local_name(origin.layer, port)
                )
                name = self._of_output(origin.layer, port, _identifier(wanted))
            self.values[after.number] = self.values[inside.number] = name
        self.statement(last)

    def _loop(self, loop: Loop) -> None:
        layer = self.plan.layers[loop.layer]
        many = len(loop.carried) + len(loop.last) > 1
        for one in loop.carried:
            name = self._carried_name(
                one.start, loop.layer, one.port if many else loop.layer
            )
            for value in (one.inside, one.following, one.after):
                self.values[value.number] = name
        if loop.holder is not None:
            words = (
                ("block", "layer", "module")
                if isinstance(layer.target, Scope)
                else ("layer", "module")
            )
            self.values[loop.holder.number] = self._copy_name(*words)
        for collected in loop.collected:
            plain = collected.name.removeprefix("all_")
            used = self.read[collected.after]
            self.values[collected.items.number] = (
                self.fresh(f"{plain}_list") if used else UNUSED
            )
        *steps, last = loop.body
        for step in steps:
            self.statement(step)
        for after, inside in loop.last:
            origin = self.origins[after.number]
            port = origin.port or self._first(origin.layer)
            taken = any(c.item == inside and self.read[c.after] for c in loop.collected)
            name = UNUSED
            if self.read[after] or taken:
                name = self._of_output(loop.layer, port, port if many else loop.layer)
            self.values[after.number] = self.values[inside.number] = name
        self.statement(last)
        for collected in loop.collected:
            used = self.read[collected.after]
            name = (
                self._of_output(loop.layer, collected.name, collected.name)
                if used
                else UNUSED
            )
            self.values[collected.after.number] = name

    def _scan(self, scan: RunScan) -> None:
        if not steps_plainly(scan):
            self.steps[scan.layer] = self.fresh(f"{scan.layer}_step")
        for port, value in zip(scan.results, scan.target, strict=True):
            if value is None or value.number in self.values:
                continue
            wanted = self._local_name(scan.layer, port) if self.read[value] else UNUSED
            self.values[value.number] = (
                wanted if wanted == UNUSED else self.fresh(wanted)
            )

    # Words.

    def _uses(self, node: str, port: str) -> list[str]:
        """The ports that an output goes to; "" for one that says nothing of it."""
        wanted = {port, ""} if port == self._first(node) else {port}
        found = [
            "" if at.isdigit() or at in _PLAIN_PORTS else at
            for _, at, ref in self._consumers.get(node, ())
            if ref.port in wanted
        ]
        given = [ref for _, ref in self._outputs.get(node, ()) if ref.port in wanted]
        return found + [""] * len(given)

    def _local_name(self, layer: str, port: str) -> str:
        """What the value of an output is called.

        As its layer; several outputs by the ports that they go to, or their own.
        """
        typed = self.plan.layers[layer]
        name = _identifier(layer)
        if len(typed.outputs) == 1:
            return self._named_output(layer) or name
        uses = self._uses(layer, port)
        if port.isdigit():
            return uses[0] if len(uses) == 1 and uses[0] else f"{name}_{port}"
        plain = port == "output" or isinstance(typed.target, Scope)
        first = plain and port == next(iter(typed.outputs))
        return name if first else f"{name}_{port}"

    def _named_output(self, node: str) -> str:
        """The name of the output that a layer alone is, where the spec gives one."""
        names = [n for n, _ in self._outputs.get(node, ()) if n != "output"]
        if len(names) != 1 or names[0] in self.plan.layers:
            return ""
        return "" if names[0] in self.plan.scope.inputs else names[0]

    def _of_output(self, node: str, port: str, wanted: str) -> str:
        """The name of an output of a layer: its own, or that of the loop which it goes into alone."""
        if node in self._own and len(self.plan.layers[node].outputs) == 1:
            return self._own[node]
        loop = self._feeds_loop(node) if port in ("", self._first(node)) else ""
        return self._loop_name(loop) if loop else self.fresh(wanted)

    def _copy_name(self, *wanted: str) -> str:
        """The variable of a loop over copies: the same one in every loop.

        It is the first word wanted that is no layer, input or output of the class.
        """
        scope = self.plan.scope
        taken = {*scope.nodes, *scope.inputs, *scope.outputs}
        word = next((name for name in wanted if name not in taken), wanted[0])
        if word not in self._copies:
            self._copies[word] = self.fresh(word)
        return self._copies[word]

    def _carried_name(self, start: Expr, loop: str, wanted: str) -> str:
        """The name of what goes from copy to copy: that of its start, where nothing else needs this."""
        if isinstance(start, Placeholder) and isinstance(start.key, Local):
            alone = self.read[start.key] == 1 and start.key in self._made
            if alone and self.values[start.key.number] != UNUSED:
                return self.values[start.key.number]
        return self._loop_name(loop) if wanted == loop else self.fresh(wanted)

    def _loop_name(self, loop: str) -> str:
        """`x` where all loops are one chain, and nothing else is called so."""
        free = "x" not in self.plan.scope.inputs and "x" not in self.plan.layers
        if self._chains == 1 and free and not self._state:
            self._state = self.fresh("x")
            return self._state
        return self.fresh(_identifier(loop))

    def _count_chains(self) -> int:
        """How many loops do not go on from another loop."""
        starts = 0
        for name in self.plan.scope.nodes:
            typed = self.plan.layers[name]
            if name in self._live and self._is_loop(typed):
                source = self.plan.layers.get(next(refs_of(typed))[1].node)
                starts += source is None or not self._is_loop(source)
        return starts

    def _feeds_loop(self, node: str) -> str:
        """The repeated layer that alone takes a value, to go on from copy to copy."""
        consumers = self._consumers.get(node, [])
        if self._state or len(consumers) != 1 or node in self._outputs:
            return ""
        layer, port, _ = consumers[0]
        chained = self._is_loop(layer) and port == next(iter(layer.inputs))
        return layer.node.name if chained else ""

    def _first(self, node: str) -> str:
        typed = self.plan.layers.get(node)
        return next(iter(typed.outputs), "") if typed is not None else ""

    def _is_loop(self, typed: TypedNode) -> bool:
        return typed.node.layer.repeat is not None and bool(
            self.plan.runs(typed.node.name)
        )


def counts_copies(statement: Stmt) -> bool:
    """Whether a loop needs to know which copy it is at."""
    return isinstance(statement, Loop) and ScopeName(COUNTER) in set(reads(statement))


def steps_plainly(scan: RunScan) -> bool:
    """Whether the block itself is the step: it takes and gives its ports in the order of one."""
    return scan.ports == scan.order and scan.outputs == scan.results


def _identifier(layer: str) -> str:
    return f"layer_{layer}" if layer.isdigit() else layer
