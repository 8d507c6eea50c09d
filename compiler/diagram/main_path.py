"""The main path of a scope, which is drawn straight: the longest one; of a network, from its first input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field

from compiler.dataclass import dataclass
from compiler.diagram.views import ScopeView
from compiler.ir.graph import Ref, Scope


def height(view: ScopeView) -> int:
    """How many boxes a scope takes from top to bottom, with those of expanded blocks.

    A title and the borders of a cluster together count as one.
    """
    return MainPaths().height(view)


def input_dependents(view: ScopeView) -> set[str]:
    """The inputs of a scope, apart from carried states, and all layers that depend on them."""
    if view.elided_layers:  # the few that are drawn depend on them, as far as it shows
        return {*view.scope.inputs, *view.active_layers}
    return _dependents(view, _real_inputs(view))


def _real_inputs(view: ScopeView) -> list[str]:
    """The inputs of a scope, apart from carried states."""
    states = view.parent.layer(view.name).node.carry if view.parent else {}
    return [name for name in view.scope.inputs if name not in states]


def _dependents(view: ScopeView, inputs: Iterable[str]) -> set[str]:
    """Some inputs of a scope, and all layers that depend on them."""
    found = set(inputs)
    for name in view.scope.nodes:
        if any(ref.node in found for _, ref in view.sources(name)):
            found.add(name)
    return found


@dataclass(frozen=True)
class MainPaths:
    """The main paths of views whose blocks are all expanded, each found once."""

    _heights: dict[ScopeView, dict[str, int]] = field(default_factory=dict)
    _traces: dict[ScopeView, tuple[set[str], set[str]]] = field(default_factory=dict)

    def height(self, view: ScopeView) -> int:
        """How many boxes a scope takes from top to bottom."""
        return max(self._heights_in(view).values(), default=0) + 1

    def output(self, view: ScopeView) -> str:
        """The output at the end of the longest path; "" if there is none."""
        return self._end(view)[0]

    def path(self, view: ScopeView) -> set[str]:
        """The layers and the input on the main path.

        Of several paths of equal length, the middle one is taken; of an even number, the first of the middle two.
        """
        return self._trace(view)[0]

    def continues(self, child: ScopeView) -> bool:
        """Whether the main path of an expanded block continues the one around it."""
        assert child.parent is not None
        sources = self._start_sources(child)
        return len(sources) == 1 and sources[0] in self.path(child.parent)

    def _heights_in(self, view: ScopeView) -> dict[str, int]:
        """For each layer, the number of boxes on the longest path to it, itself included."""
        if view not in self._heights:
            self._heights[view] = self._measured(view)
        return self._heights[view]

    def _measured(self, view: ScopeView) -> dict[str, int]:
        if view.elided_layers:  # the order of the layers is height enough
            return {name: index for index, name in enumerate(view.scope.nodes)}
        heights: dict[str, int] = {}
        for name in view.scope.nodes:
            if view.layer(name).inactive:
                continue
            child = view.children.get(name)
            own = self.height(child) if child is not None else 1
            refs: list[Ref] = [ref for _, ref in view.sources(name)]
            above = max((heights.get(ref.node, 0) for ref in refs), default=0)
            heights[name] = above + own
        return heights

    def _end(self, view: ScopeView) -> tuple[str, str]:
        """The output at the end of the longest path that leaves the scope, and the layer or input that gives it."""
        heights = self._heights_in(view)
        ends = [(name, ref.node) for name, ref in view.leaving]
        return max(ends, key=lambda end: heights.get(end[1], 0), default=("", ""))

    def _trace(self, view: ScopeView) -> tuple[set[str], set[str]]:
        """The layers on the main path, and the inputs at which the longest paths start."""
        if view not in self._traces:
            self._traces[view] = self._traced(view)
        return self._traces[view]

    def _traced(self, view: ScopeView) -> tuple[set[str], set[str]]:
        heights = self._heights_in(view)
        dependents = [input_dependents(view)]
        if not view.elided_layers:
            first = _real_inputs(view)[:1]
            preferred = _dependents(view, first)
            # In a block, the bare input is a connection past what is done to it.
            dependents.insert(0, preferred - set(first if view.parent else ()))
        _, last = self._end(view)
        on_path: set[str] = set()
        heads = {last} if last else set()
        hidden = frozenset(view.elided_layers)
        while heads:
            if len(heads) == 1:
                on_path |= heads
            lowest = max(heads, key=lambda name: (heights.get(name, 0), name))
            if view.is_input(lowest):
                break
            heads.discard(lowest)
            if lowest in hidden:
                heads.add(view.visible_layers[view.end_layers - 1])
                continue
            heads |= set(self._deepest_sources(view, lowest, dependents))
        return on_path, heads

    def _start_sources(self, child: ScopeView) -> list[str]:
        """The layers around an expanded block that feed the inputs at which its main path starts.

        Of several that feed one input, each in other copies, the one that is farthest from the inputs.
        """
        assert child.parent is not None
        heights, starts = self._heights_in(child.parent), self._trace(child)[1]
        deepest: dict[str, str] = {}
        for port, ref in child.parent.sources(child.name):
            if port in starts:
                known = deepest.setdefault(port, ref.node)
                deepest[port] = max(
                    known, ref.node, key=lambda name: heights.get(name, 0)
                )
        return list(dict.fromkeys(deepest.values()))

    def _deepest_sources(
        self, view: ScopeView, name: str, dependents: Sequence[set[str]]
    ) -> list[str]:
        """The sources of a layer that are farthest from the inputs.

        For an expanded block, those at which its own main path starts. Paths from the first input of a network come
        before those from another, such as a label or a time, and these before paths that start at a weight or a state.
        Of query, key and value, the key is in the middle.
        """
        child = view.children.get(name)
        if child is not None and (starts := self._start_sources(child)):
            return starts
        heights = self._heights_in(view)
        sources = list(dict.fromkeys(ref.node for _, ref in view.sources(name)))
        for preferred in dependents:
            if found := [source for source in sources if source in preferred]:
                sources = found
                break
        greatest = max((heights.get(source, 0) for source in sources), default=0)
        deepest = [source for source in sources if heights.get(source, 0) == greatest]
        if not greatest:
            return deepest[:1]
        if self._attends(view, name):
            return [min(deepest, key=lambda source: abs(sources.index(source) - 1))]
        return deepest[(len(deepest) - 1) // 2 :][:1]

    def _attends(self, view: ScopeView, name: str) -> bool:
        target = view.layer(name).target
        return not (target is None or isinstance(target, Scope)) and (
            target.family == "attention"
        )
