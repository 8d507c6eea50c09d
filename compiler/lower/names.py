"""What the values of `forward` are called, and which of them share a name.

Two values share one only where the first is not needed once the second is there: a value that goes from copy to copy,
what it starts as, and the steps of a layer that end in its output. `check_names` holds every name to that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import field, replace

from compiler.codegen.namespace import Namespace
from compiler.codegen.python import Expr, Placeholder, TupleExpr
from compiler.codegen.traversal import placeholders
from compiler.dataclass import dataclass
from compiler.ir.graph import Ref, Scope
from compiler.ir.module import (
    Choose,
    LayerState,
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
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import refs_of
from compiler.lower.parted import Unwritten
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
    """Name every value of `forward`; `check_names` proves the names once the values are where they stay."""
    namer = _Namer(ir)
    for statement in ir.body.statements:
        namer.statement(statement)
    return Names(namer.values, namer.steps)


class _NameClash(Exception):
    """A value is overwritten before it is read: a fault of naming."""


def check_names(ir: ClassIR, names: Names) -> None:
    """Run through `forward` with what each name holds: every read must find its value there.

    Raises:
        Unwritten: where one does not.
    """
    held: dict[str, Local] = {names[value]: value for _, value in ir.body.inputs}
    layer = ""
    try:
        for statement in ir.body.statements:
            layer = statement.layer
            _hold(statement, held, names)
        for output in ir.body.outputs:
            _require(placeholders(output), held, names)
    except _NameClash as clash:
        raise Unwritten(ir.plan, layer, str(clash)) from clash


def _require(keys: Iterable[Hashable], held: Mapping[str, Local], names: Names) -> None:
    for key in keys:
        if isinstance(key, Local) and held.get(names[key]) != key:
            raise _NameClash(f"{names[key]} stands for two values at a time")


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
        held[names[one.inside]] = one.inside
    for _ in range(2):  # what a copy leaves behind is what the next one finds
        for one in loop.carried:
            held[names[one.inside]] = one.inside
        if loop.holder is not None:
            held[names[loop.holder]] = loop.holder
        for _, item, items in loop.items:
            _require(placeholders(items), held, names)
            held[names[item]] = item
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
    for list_ in loop.collected:
        held[names[list_.result]] = list_.result


@dataclass
class _Namer:
    ir: ClassIR
    values: dict[int, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan, body = self.ir.plan, self.ir.body
        self.origins = body.origins
        counter = {COUNTER} if any(map(counts_copies, body.statements)) else set()
        self.fresh = Namespace(function_names() | counter | _arguments(self.ir)).fresh
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
        self._lives = _Lives(self.ir)
        self._flows: dict[str, Local] = {}
        begun = self._lives.beginnings
        plain = [loop for loop in begun if not self._used_as(loop)]
        self._loops = _Spans(map(self._lives.span, begun))
        self._plain_loops = _Spans(map(self._lives.span, plain))
        self._own: dict[str, str] = {}
        self._of_copy: set[Local] | None = None
        """What a copy of the loop that is being named makes or is given; None outside of loops."""
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
                name = self._replaced(statement, origin.step) or self.fresh(origin.step)
                if origin.step == origin.layer:
                    self._own[origin.layer] = name
                self.values[value.number] = name
            elif not self.read[value]:
                self.values[value.number] = UNUSED
            else:
                port = origin.port or self._first(origin.layer)
                wanted = self._local_name(origin.layer, port)
                self.values[value.number] = self._of_output(value, port, wanted)

    def _replaced(self, statement: Let, wanted: str) -> str:
        """The name wanted, if it is that of a value which this statement alone reads; else ""."""
        for key in placeholders(statement.value):
            if isinstance(key, Local) and self.values.get(key.number) == wanted:
                anew = self._of_copy is None or key in self._of_copy
                once = anew and self.read[key] == 1
                alone = once and isinstance(statement.target, TupleExpr)
                return wanted if alone else ""
        return ""

    def _choose(self, statement: Choose) -> None:
        single = len(statement.results) == 1
        for part in statement.body:
            made = set(definitions(part))
            for after, inside, _ in statement.results:
                if inside in made:
                    name = self._result_name(after, single)
                    self.values[after.number] = self.values[inside.number] = name
            self.statement(part)

    def _result_name(self, after: Local, single: bool) -> str:
        """The name of a value that a condition decides; of a `single` one that of its layer."""
        origin = self.origins[after.number]
        port = origin.port or self._first(origin.layer)
        if not self.read[after]:
            return UNUSED
        wanted = origin.layer if single else self._local_name(origin.layer, port)
        return self._of_output(after, port, _identifier(wanted))

    def _loop(self, loop: Loop) -> None:
        layer = self.plan.layers[loop.layer]
        many = len(loop.carried) + len(loop.last) > 1
        self._of_copy = {one.inside for one in loop.carried}
        self._of_copy.update(value for part in loop.body for value in definitions(part))
        for one in loop.carried:
            name = self._carried_name(one.start, loop, one.port if many else "")
            for value in (one.inside, one.following, one.after):
                self.values[value.number] = name
        if loop.holder is not None:
            words = (
                ("block", "layer", "module")
                if isinstance(layer.target, Scope)
                else ("layer", "module")
            )
            self.values[loop.holder.number] = self._copy_name(*words)
        self._items(loop)
        for collected in loop.collected:
            if collected.items.number in self.values:
                continue
            plain = collected.name.removeprefix("all_")
            wanted = collected.name if collected.after is None else f"{plain}_list"
            used = self.read[collected.result]
            name = self.fresh(wanted) if used else UNUSED
            self.values[collected.items.number] = name
        *steps, last = loop.body
        for step in steps:
            self.statement(step)
        for after, inside in loop.last:
            origin = self.origins[after.number]
            port = origin.port or self._first(origin.layer)
            taken = any(
                c.item == inside and self.read[c.result] for c in loop.collected
            )
            name = UNUSED
            if self.read[after] or taken:
                name = self._of_output(after, port, port if many else loop.layer)
            self.values[after.number] = self.values[inside.number] = name
        self.statement(last)
        self._of_copy = None
        for collected in loop.collected:
            if (stack := collected.after) is not None:
                used = self.read[stack]
                self.values[stack.number] = (
                    self._of_output(stack, collected.name, collected.name)
                    if used
                    else UNUSED
                )

    def _items(self, loop: Loop) -> None:
        """The items that each copy takes of lists: as the ports that they go to."""
        taken: set[str] = set()
        for port, item, _ in loop.items:
            words = ["item", "other_item"]
            if port not in _PLAIN_PORTS and not port.isdigit():
                words = [port, *words]
            name = self._copy_name(*words) if self.read[item] else UNUSED
            if name in taken - {UNUSED}:
                name = self.fresh(words[0])
            taken.add(name)
            self.values[item.number] = name

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

    def _of_output(self, value: Local, port: str, wanted: str) -> str:
        """The name of an output of a layer: its own, or that of the loop which goes on from it."""
        node = self.origins[value.number].layer
        if node in self._own and len(self.plan.layers[node].outputs) == 1:
            return self._own[node]
        loop = self._lives.begun_with(value)
        if loop is not None:
            return self._loop_name(loop)
        beside = self._lives.beside.get(value, "") if self.read[value] == 1 else ""
        return self.fresh(beside or wanted)

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

    def _carried_name(self, start: Expr, loop: Loop, wanted: str) -> str:
        """The name of what goes from copy to copy: that of its start, where nothing else needs this."""
        if isinstance(start, Placeholder) and isinstance(start.key, Local):
            first = start == loop.carried[0].start
            ends = first and self._lives.end_with(start.key, loop)
            alone = start.key in self._made and (ends or self.read[start.key] == 1)
            if alone and self.values[start.key.number] != UNUSED:
                return self.values[start.key.number]
        return self.fresh(wanted) if wanted else self._loop_name(loop)

    def _loop_name(self, loop: Loop) -> str:
        """What goes through a loop: neither the layer nor where it started.

        It is x, also where the input x or what went through a loop before is not needed any more. Of several at a
        time, as those of an encoder and a decoder, each has the name of what it is used as (`memory`), and x is the
        one that has no such use.
        """
        use = self._used_as(loop)
        span = self._lives.span(loop)
        if self._loops.count(span) > 1 and use:
            return self.fresh(use)
        if self._plain_loops.count(span) > (not use):
            return self.fresh(f"{_identifier(loop.layer)}_x")
        name = next(filter(None, (self._flow(word, loop) for word in ("x", "h"))), "")
        self._flows[name] = self._lives.last_of(loop).carried[0].after
        return name or self.fresh(_identifier(loop.layer))

    def _flow(self, word: str, loop: Loop) -> str:
        """The name for what goes through a loop, where it is free by then."""
        if word in self.plan.layers or word in self.plan.scope.outputs:
            return ""
        value = self._flows.get(word, dict(self.ir.body.inputs).get(word))
        if value is None:
            return self.fresh(word)
        optional = word in self.plan.scope.inputs and self.plan.is_optional(word)
        return word if not optional and self._lives.end_before(value, loop) else ""

    def _used_as(self, loop: Loop) -> str:
        """The ports that the result of a loop goes to, where they agree and say something."""
        last = self._lives.last_of(loop).layer
        uses = set(self._uses(last, self._first(last)))
        (use,) = uses if len(uses) == 1 else ("",)
        scope = self.plan.scope
        taken = use in scope.inputs or use in scope.nodes or use in scope.outputs
        return "" if taken or use == "else" else use

    def _first(self, node: str) -> str:
        typed = self.plan.layers.get(node)
        return next(iter(typed.outputs), "") if typed is not None else ""


class _Lives:
    """How long values of `forward` are needed, and the loops that go on from one another."""

    def __init__(self, ir: ClassIR) -> None:
        statements = ir.body.statements
        self._statements = statements
        self._place = {id(statement): n for n, statement in enumerate(statements)}
        self._last: dict[Hashable, int] = {}
        self._made: dict[Local, int] = {}
        for number, statement in enumerate(statements):
            self._last |= dict.fromkeys(reads(statement), number)
            self._made |= dict.fromkeys(definitions(statement), number)
        for output in ir.body.outputs:
            self._last |= dict.fromkeys(placeholders(output), len(statements))
        loops = [one for one in statements if isinstance(one, Loop) and one.carried]
        self._inside = {id(loop): set(_inner(loop)) for loop in loops}
        self._starts = {key: loop for loop in loops for key in _begins(loop)}
        self.beside = {
            one.start.key: one.port
            for loop in loops
            for one in loop.carried[1:]
            if isinstance(one.start, Placeholder) and isinstance(one.start.key, Local)
        }
        """What goes through a loop besides the first, by the values that it starts as."""
        after = {loop.carried[0].after: loop for loop in loops}
        self._next = {
            id(after[key]): loop
            for key, loop in self._starts.items()
            if key in after and self.end_with(key, loop)
        }
        follow = {id(loop) for loop in self._next.values()}
        self.beginnings = [loop for loop in loops if id(loop) not in follow]
        """The loops that do not go on from another one."""

    def begun_with(self, value: Local) -> Loop | None:
        """The loop that goes on from a value which nothing needs after that.

        What a condition decides, or each copy of a loop gives, has a name of its own: it has that before the layer
        runs, or the next copy, which may read x.
        """
        made = self._made.get(value)
        statement = None if made is None else self._statements[made]
        if isinstance(statement, Choose):
            return None
        if isinstance(statement, Loop) and value in dict(statement.last):
            return None
        loop = self._starts.get(value)
        return loop if loop is not None and self.end_with(value, loop) else None

    def end_with(self, value: Hashable, loop: Loop) -> bool:
        """Whether nothing needs a value once a loop has begun."""
        ended = self._last.get(value, -1) <= self._place[id(loop)]
        return ended and value not in self._inside[id(loop)]

    def end_before(self, value: Local, loop: Loop) -> bool:
        """Whether nothing needs a value once there is what a loop begins with."""
        return self._end(value) < self.span(loop)[0]

    def span(self, loop: Loop) -> tuple[int, int]:
        """From when to when what goes through a loop, and through those that go on from it, is needed.

        An even number is what a statement reads at first, the odd one after it what comes after.
        """
        start = next(iter(_begins(loop)), None)
        made = self._made.get(start) if start is not None else None
        place = self._place[id(loop)]
        if made is not None and start is not None and self.end_with(start, loop):
            place = made if isinstance(self._statements[made], Let) else place
        last = self.last_of(loop)
        runs = 2 * self._place[id(last)] + 1
        return 2 * place + 1, max(runs, self._end(last.carried[0].after))

    def _end(self, value: Local) -> int:
        last = self._last.get(value, -1)
        reader = self._statements[last] if 0 <= last < len(self._statements) else None
        inside = isinstance(reader, Loop) and value in self._inside.get(id(reader), ())
        return 2 * last + inside

    def last_of(self, loop: Loop) -> Loop:
        """The last of the loops that go on from one another."""
        while (following := self._next.get(id(loop))) is not None:
            loop = following
        return loop


class _Spans:
    """Spans of time, of which one asks how many meet another one."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        found = list(spans)
        self._begins = sorted(begin for begin, _ in found)
        self._ends = sorted(end for _, end in found)

    def count(self, span: tuple[int, int]) -> int:
        begin, end = span
        return bisect_right(self._begins, end) - bisect_left(self._ends, begin)


def _begins(loop: Loop) -> Iterator[Local]:
    """The value that a loop goes on from."""
    start = loop.carried[0].start
    if isinstance(start, Placeholder) and isinstance(start.key, Local):
        yield start.key


def _inner(loop: Loop) -> Iterator[Hashable]:
    """What a loop reads once it has begun: what goes through it first has its start by then."""
    for one in loop.carried[1:]:
        yield from placeholders(one.start)
    yield from reads(replace(loop, carried=()))
    yield from (one.following for one in loop.carried)


def counts_copies(statement: Stmt) -> bool:
    """Whether a loop needs to know which copy it is at."""
    if not isinstance(statement, Loop):
        return False
    return any(one.at is not None for one in statement.collected) or any(
        key == ScopeName(COUNTER) or (isinstance(key, LayerState) and key.copied)
        for key in reads(statement)
    )


def _arguments(ir: ClassIR) -> set[str]:
    """What `forward` is given beside its inputs."""
    if ir.steps is None:
        return set()
    return {ir.steps.state_argument, ir.steps.offset_argument}


def steps_plainly(scan: RunScan) -> bool:
    """Whether the block itself is the step: it takes and gives its ports in the order of one."""
    return scan.ports == scan.order and scan.outputs == scan.results


def _identifier(layer: str) -> str:
    return f"layer_{layer}" if layer.isdigit() else layer
