"""Who feeds whom: every flow of a value from one box to another, with the copies in which it happens.

A picture is drawn once for all copies of a block. A scope in a picture is a view; its distinct instances are the
view's cases. What feeds a layer is asked in every case, since in another copy another layer may be off. An arrow of
the picture is then a pair of boxes with the cases in which a value goes from the one to the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field
from itertools import chain

from compiler.dataclass import dataclass
from compiler.diagram.boxes import BoxBuilder
from compiler.diagram.views import ScopeView, Wire, input_refs
from compiler.infer.repeats import feeds
from compiler.ir.graph import Node, Ref
from compiler.ir.typed import TypedNode, item_port

_PERIOD = (
    60  # copies; values that change places among few inputs do so with such a period
)


@dataclass(frozen=True, slots=True)
class End:
    """The box that a value comes from, and the output it leaves by, as the layer and port of its view."""

    box: str
    view: ScopeView = field(compare=False)
    refs: tuple[tuple[ScopeView, Ref], ...] = field(default=(), compare=False)
    """The outputs that the value passes on its way out of expanded blocks, inner ones first."""
    instead: Node | None = field(default=None, compare=False)
    """The layer that it is the `else` of, while inputs of the network are absent."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A value that a scope passes on from one of its inputs, which has no box."""

    input: str


Ends = tuple[End | Passed, ...]
_Input = tuple[ScopeView, int, str]
"""An input of an expanded block in one of its cases."""


@dataclass(frozen=True, eq=False, slots=True)
class Transfer:
    """A value that goes from a box to another place of the picture."""

    end: End
    view: ScopeView
    """The innermost view around both ends; for a loop, that of the repeat or scan."""
    ref: Ref
    """The value in that view."""
    cases: frozenset[int]
    """The cases of that view."""
    loop: bool = False
    """Whether the value goes to the next copy of a repeat, or to the next step of a scan."""
    instead: Node | None = None
    """The layer that it is the `else` of, while inputs of the network are absent."""


class TransferFinder:
    """Follows values back to the boxes that compute them."""

    def __init__(self, builder: BoxBuilder, roots: Iterable[ScopeView]) -> None:
        self._ids = builder.ids
        self._leaving: dict[tuple[ScopeView, int, str, str], Ends] = {}
        self._outputs: dict[tuple[ScopeView, int, str], Ends] = {}
        self._loops: dict[_Input, dict[End, dict[int, None]]] = {}
        self._outer: dict[_Input, dict[str, dict[int, None]]] = {}
        self.chained: dict[ScopeView, int] = {}
        """How many values go from one copy of an expanded layer to the next."""
        for root in roots:
            self._settle(root)

    def into(self, view: ScopeView, wire: Wire) -> Iterator[Transfer]:
        """The flows that arrive over one wire of a view."""
        yield from self._along(view, wire, frozenset(wire.cases))

    def into_input(
        self, view: ScopeView, cases: Iterable[int], name: str
    ) -> Iterator[Transfer]:
        """The flows that arrive from around an expanded block at one of its inputs."""
        parent = view.parent
        assert parent is not None
        outer: dict[str, set[int]] = {}
        loops: dict[End, set[int]] = {}
        for case in cases:
            for port, around in self._outer.get((view, case, name), {}).items():
                outer.setdefault(port, set()).update(around)
            for end, around in self._loops.get((view, case, name), {}).items():
                loops.setdefault(end, set()).update(around)
        for wire in parent.wires(view.name):
            hit = outer.get(wire.port, set()).intersection(wire.cases)
            if hit:
                yield from self._along(parent, wire, frozenset(hit))
        for end, held in loops.items():
            yield Transfer(end, parent, Ref(view.name), frozenset(held), loop=True)

    def _along(
        self, view: ScopeView, wire: Wire, cases: frozenset[int]
    ) -> Iterator[Transfer]:
        ends: dict[End | Passed, Collection[int]] = {}
        if wire.source.node in view.children:
            by_end: dict[End | Passed, list[int]] = {}
            for case in cases:
                for end in self._ends(view, case, wire.source):
                    by_end.setdefault(end, []).append(case)
            ends.update(by_end)
        else:
            ends = dict.fromkeys(self._ends(view, 0, wire.source), cases)
        for end, held in ends.items():
            if isinstance(end, End):
                cases = frozenset(held)
                instead = wire.instead or end.instead
                yield Transfer(end, view, wire.source, cases, instead=instead)
            elif view.parent is not None:
                yield from self.into_input(view, held, end.input)

    def _ends(self, view: ScopeView, case: int, ref: Ref) -> Ends:
        """Where a value of a view comes from in one case; `ref` is a layer that runs, or an input."""
        if view.is_input(ref.node):
            box = self._ids.get((view, ref.node))
            return (Passed(ref.node),) if box is None else (End(box, view),)
        if ref.node in view.children:
            return self._leaving.get((view, case, ref.node, ref.port), ())
        box = self._ids.get((view, ref.node))
        return () if box is None else (End(box, view),)

    # What leaves expanded blocks, and what goes from copy to copy; inner blocks come first.

    def _settle(self, view: ScopeView) -> None:
        for inner in view.children.values():
            self._settle(inner)
        for name in view.active_layers:
            child = view.children.get(name)
            if child is None:
                continue
            for case in range(len(view.cases)):
                if view.runs(case, name):
                    self._run(view, case, child)
        if view.parent is not None:
            for wire in view.output_wires:
                for case in wire.cases:
                    ends = self._ends(view, case, wire.source)
                    leaves = _leaves(view, wire, ends)
                    before = self._outputs.get((view, case, wire.port), ())
                    self._outputs[view, case, wire.port] = (*before, *leaves)

    def _run(self, view: ScopeView, case: int, child: ScopeView) -> None:
        """Follow the values through all copies of an expanded layer."""
        run = _Copies.of(view, case, child)
        self.chained[child] = max(len(run.fed), self.chained.get(child, 0))
        outside: dict[str, Ends] = {
            name: (Passed(name),) for name in child.scope.inputs
        }
        values = dict(outside)
        last: dict[str, Ends] = {}
        every: dict[str, dict[End | Passed, None]] = {}
        spans: list[_Span] = []
        for inner, count in run.spans:
            steps = count if count < 2 * _PERIOD else _PERIOD + count % _PERIOD
            spans.append(_Span(count))
            for _ in range(steps):
                self._arrive(child, inner, case, values)
                last = {
                    port: _replaced(self._outputs.get((child, inner, port), ()), values)
                    for port in child.scope.outputs
                }
                spans[-1].followed.append(last)
                for port, ends in last.items():
                    every.setdefault(port, {}).update(dict.fromkeys(ends))
                following = outside | {
                    name: last[port] for name, port in run.fed.items() if port in last
                }
                stable, values = following == values, following
                if stable:
                    spans[-1].stable = True
                    break
        for name, copies in run.lists.items():
            for port, numbers in copies.items():
                found = (_of_copy(spans, n).get(name, ()) for n in numbers)
                self._leave(view, case, child, port, dict.fromkeys(chain(*found)))
        for port, inside, stacked in run.outputs:
            ends = tuple(every.get(inside, ())) if stacked else last.get(inside, ())
            self._leave(view, case, child, port, ends)

    def _leave(
        self,
        view: ScopeView,
        case: int,
        child: ScopeView,
        port: str,
        ends: Iterable[End | Passed],
    ) -> None:
        """Note where an output of an expanded layer comes from."""
        self._leaving[view, case, child.name, port] = tuple(
            dict.fromkeys(
                end for one in ends for end in self._around(view, case, child, one)
            )
        )

    def _arrive(
        self, child: ScopeView, inner: int, case: int, values: Mapping[str, Ends]
    ) -> None:
        for name, ends in values.items():
            for end in ends:
                if isinstance(end, End):
                    loops = self._loops.setdefault((child, inner, name), {})
                    loops.setdefault(end, {})[case] = None
                else:
                    outer = self._outer.setdefault((child, inner, name), {})
                    outer.setdefault(end.input, {})[case] = None

    def _around(
        self, view: ScopeView, case: int, child: ScopeView, end: End | Passed
    ) -> Ends:
        """What a block passes on, as the view around it has it."""
        if isinstance(end, End):
            return (end,)
        node, typed = view.scope.nodes[child.name], view.typed(case, child.name)
        sources = (
            source
            for port, ref in input_refs(node, typed)
            if port == end.input
            for source, _ in view.each_way(case, view.resolve(case, ref))
        )
        return tuple(
            found for source in sources for found in self._ends(view, case, source)
        )


@dataclass(frozen=True, slots=True)
class _Copies:
    """The copies of an expanded layer in one case of the view around it."""

    spans: tuple[tuple[int, int], ...]
    """The case of the inner view, and how many copies that are alike follow one another."""
    fed: Mapping[str, str]
    """The inputs that a copy takes from the one before, each with the output it takes."""
    lists: Mapping[str, Mapping[str, tuple[int, ...]]]
    """By the outputs of a copy, the lists that they are collected in, and their items, each with its copies."""
    outputs: tuple[tuple[str, str, bool], ...]
    """The outputs, each with its name inside, and whether all copies give a part of it and not the last alone."""

    @classmethod
    def of(cls, view: ScopeView, case: int, child: ScopeView) -> _Copies:
        typed = view.typed(case, child.name)
        node = view.scope.nodes[child.name]
        repeat = node.layer.repeat
        names = tuple(child.scope.outputs if typed is None else typed.without_items)
        stack = {} if repeat is None else repeat.stack
        scanned = node.layer.scan is not None
        outputs = tuple(
            (port, stack.get(name, name), name in stack or (scanned and name not in node.carry))
            for port, name in (*((name, name) for name in names), *(("", name) for name in names[:1]))
        )  # fmt: skip
        if typed is None:
            given, inner = list(node.inputs), list(child.scope.outputs)
            spans: tuple[tuple[int, int], ...] = ((0, 1 if repeat is None else 2),)
        else:
            given = list(typed.calls[0].inputs)
            inner = list(typed.calls[0].outputs)
            spans = tuple(
                (child.number(call.instance), call.count)
                for call in typed.calls
                if call.instance is not None
            )
        fed: dict[str, str] = {}
        if scanned:
            fed = {name: name for name in node.carry}
            spans = tuple((inner_case, 2) for inner_case, _ in spans)
        elif repeat is not None:
            each = () if typed is None else typed.each
            fed = {
                port: one for one, port in feeds(node.layer, inner, given, each).items()
            }
        return cls(spans, fed, _lists(typed), outputs)


def _lists(typed: TypedNode | None) -> dict[str, dict[str, tuple[int, ...]]]:
    """The lists of a layer, and their items, by the outputs of a copy that they are of."""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    if typed is None:
        return found
    for name, copies in typed.lists.items():
        inside = typed.copy_port(item_port(name, 0))
        found.setdefault(inside, {})[name] = copies
        for number, copy in enumerate(copies):
            found[inside][item_port(name, number)] = (copy,)
    return found


@dataclass
class _Span:
    """Copies that are alike and follow one another: how many, and what those give that are followed."""

    count: int
    followed: list[Mapping[str, Ends]] = field(default_factory=list)
    stable: bool = False
    """Whether all further ones give what the last one gives."""


def _of_copy(spans: Iterable[_Span], copy: int) -> Mapping[str, Ends]:
    """What a copy gives."""
    for span in spans:
        if copy < span.count:
            known = len(span.followed)
            if copy < known:
                return span.followed[copy]
            back = 1 if span.stable else _PERIOD - (copy - known) % _PERIOD
            return span.followed[-back]
        copy -= span.count
    return {}


def _replaced(ends: Ends, values: Mapping[str, Ends]) -> Ends:
    """The ends of an output, with the values of the inputs that it passes on."""
    if not any(isinstance(end, Passed) for end in ends):
        return ends
    found = (
        item
        for end in ends
        for item in (values.get(end.input, ()) if isinstance(end, Passed) else (end,))
    )
    return tuple(dict.fromkeys(found))


def _leaves(view: ScopeView, wire: Wire, ends: Ends) -> Ends:
    """Ends with the output of a scope that they leave by."""
    at = view, wire.source
    return tuple(
        End(end.box, end.view, (*end.refs, at), wire.instead or end.instead)
        if isinstance(end, End)
        else end
        for end in ends
    )
