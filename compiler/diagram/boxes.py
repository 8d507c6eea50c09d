"""The boxes and clusters of a drawing: a box for each layer, a cluster around each expanded block."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import printable, shorten
from compiler.diagram.captions import layer_caption
from compiler.diagram.drawing import Box, BoxKind, Caption, Cluster
from compiler.diagram.error_overlay import ErrorOverlay
from compiler.diagram.main_path import MainPaths, input_dependents
from compiler.diagram.shown_types import TypeLabels
from compiler.diagram.views import LayerView, ScopeView, elided
from compiler.elaborate.wiring import is_routed
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Scope

_NAME_LENGTH = 40  # characters
_DETAIL_LENGTH = 92  # characters


@dataclass
class BoxBuilder:
    """Collects the boxes and clusters of a drawing.

    `ids` maps a layer or input, by its view and name, to the id of its box; `outputs`
    does so for the outputs of the networks. `places` is the reverse for layers and inputs.
    """

    errors: ErrorOverlay
    types: TypeLabels
    counter: ParameterCounter
    main_paths: MainPaths = field(default_factory=MainPaths)
    boxes: list[Box] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    ids: dict[tuple[ScopeView, str], str] = field(default_factory=dict)
    outputs: dict[tuple[ScopeView, str], str] = field(default_factory=dict)
    places: dict[str, tuple[ScopeView, str]] = field(default_factory=dict)
    named_points: set[str] = field(default_factory=set)
    """The ids of the entry points that have a name."""

    def add_root(self, root: ScopeView, cluster: str) -> None:
        """Add a network, or a block that is drawn apart from what is around it, with its inputs and outputs.

        Args:
            cluster: the id of the cluster around it; "" for none.
        """
        path_id = self._new_path_id()
        on_path = self.main_paths.path(root)
        hidden = elided(tuple(root.scope.inputs))
        for name in root.scope.inputs:
            if hidden and name == hidden[0]:
                box_id = self._add_elided("inputs", len(hidden), cluster)
                self.ids |= dict.fromkeys(((root, one) for one in hidden), box_id)
            if (root, name) in self.ids:
                continue
            caption = Caption(short_name(name), self.types.declared(root, name))
            own = path_id if name in on_path else ""
            self._add(root, name, _terminal("input", caption, cluster, own))
        path_id = self._add_layers(root, cluster, path_id, on_path)
        last = self.main_paths.output(root)
        outputs = dict(root.outputs)
        hidden = elided(tuple(outputs))
        for name, ref in outputs.items():
            if hidden and name == hidden[0]:
                box_id = self._add_elided("outputs", len(hidden), cluster)
                self.outputs |= dict.fromkeys(((root, one) for one in hidden), box_id)
            if (root, name) in self.outputs:
                continue
            caption = Caption(short_name(name), self.types.full(root, ref))
            own = path_id if name == last else ""
            box = _terminal("output", caption, cluster, own)
            place = root.scope.place.span(key=bool(root.scope.place.path))
            if root.scope.place.has("outputs"):
                place = root.scope.place.at("outputs", name).span(key=True)
            box = replace(box, path=(root.name, name), place=place)
            self.outputs[root, name] = self._append(box)

    def _new_path_id(self) -> str:
        return f"s{len(self.boxes)}"

    def _add_layers(
        self, view: ScopeView, cluster: str, path_id: str, on_path: set[str]
    ) -> str:
        """Add the layers of a scope; returns the id of the main path at its end."""
        hidden = view.elided_layers
        for number, name in enumerate(view.visible_layers):
            if hidden and number == view.end_layers:
                box_id = self._add_elided("layers", len(hidden), cluster, path_id)
                self.ids |= dict.fromkeys(((view, one) for one in hidden), box_id)
            child = view.children.get(name)
            if child is None:
                own = path_id if name in on_path else ""
                self._add(view, name, self._layer(view, name, cluster, own))
                continue
            inner = self._add_cluster(view, name, cluster)
            inner_path = self.main_paths.path(child)
            continues = name in on_path and self.main_paths.continues(child)
            start = path_id if continues else self._new_path_id()
            self._add_entry_points(child, inner, start, inner_path)
            end = self._add_layers(child, inner, start, inner_path)
            path_id = end if name in on_path else path_id
        return path_id

    def _add_entry_points(
        self, view: ScopeView, cluster: str, path_id: str, on_path: set[str]
    ) -> None:
        for name, labelled in entry_points(view).items():
            caption = Caption("")
            if labelled:
                caption = Caption(short_name(name), _initial_state(view, name))
            box = Box(
                "",
                "port",
                caption,
                cluster=cluster,
                main_path=path_id if name in on_path else "",
                tooltip=printable(f"input {name}"),
            )
            self._add(view, name, box)
            if labelled:
                self.named_points.add(self.ids[view, name])

    def add_elided_networks(self, count: int) -> None:
        """Add one box for the networks beyond those that are drawn."""
        self._add_elided("networks", count, "")

    def _add_elided(
        self, what: str, count: int, cluster: str, path_id: str = ""
    ) -> str:
        """Add one box for several layers, inputs, outputs or networks; returns its id."""
        caption = Caption(f"… {count:,} more {what}")
        return self._append(
            Box(
                "",
                "elided",
                caption,
                cluster=cluster,
                main_path=path_id,
                tooltip=caption.name,
            )
        )

    def _layer(self, view: ScopeView, name: str, cluster: str, path_id: str) -> Box:
        layer = view.layer(name)
        caption = layer_caption(view, name, self.counter, self.types.names)
        target = layer.target
        op = None if isinstance(target, Scope) else target
        kind: BoxKind = "layer" if layer.scope is None else "block"
        if symbol := join_symbol(layer):
            kind, caption = "join", Caption(symbol)
        return Box(
            "",
            kind,
            _shortened(caption),
            family="" if op is None else op.family,
            op="" if op is None else op.name,
            block="" if layer.scope is None else layer.scope.name,
            cluster=cluster,
            main_path=path_id,
            has_weights=any(call.weights for _, _, call in layer.calls),
            optional=layer.optional,
            stacked=_side_by_side(layer),
            error=self._error(view, layer),
            tooltip=_tooltip(view, layer),
        )

    def _add_cluster(self, view: ScopeView, name: str, parent: str) -> str:
        layer = view.layer(name)
        cluster = Cluster(
            f"c{len(self.clusters)}",
            _shortened(layer_caption(view, name, self.counter, self.types.names)),
            parent,
            layer.optional,
            self._error(view, layer, expanded=True),
            _tooltip(view, layer),
            _side_by_side(layer),
            path=(view.root.name, *view.path, name),
            place=layer.node.place.span(key=True),
        )
        self.clusters.append(cluster)
        return cluster.id

    def _error(self, view: ScopeView, layer: LayerView, expanded: bool = False) -> str:
        errors = self.errors.at(view, layer)
        if not errors and not expanded:
            errors = self.errors.inside(view, layer)
        return printable(errors[0].message) if errors else ""

    def _add(self, view: ScopeView, name: str, box: Box) -> None:
        path = (view.root.name, *view.path, name)
        place = _written_at(view, name)
        box = replace(box, path=path, place=place)
        box_id = self.ids[view, name] = self._append(box)
        self.places[box_id] = view, name

    def _append(self, box: Box) -> str:
        box_id = f"n{len(self.boxes)}"
        self.boxes.append(replace(box, id=box_id))
        return box_id


def entry_points(view: ScopeView) -> dict[str, bool]:
    """The inputs of an expanded block that have a point inside it, each with whether the point is named.

    A carried state always has one, and the tokens of routed copies, where the routing arrives too. Another input has
    one if several layers use it, if its only user also takes values that depend on no input, or if the block has
    several inputs in use and its only user is not expanded.
    """
    assert view.parent is not None
    layer = view.parent.layer(view.name).node
    states, routed = layer.carry, is_routed(layer.layer)
    used = {name: set(found) for name, found in view.users.items() if found}
    named = len(used) > 1
    return {
        name: named or name in states
        for name, found in used.items()
        if name in states
        or routed
        or len(found) > 1
        or _beside_weights(view, found)
        or (named and not found & set(view.children))
    }


def _beside_weights(view: ScopeView, users: set[str]) -> bool:
    """Whether one of an input's users also takes a value that depends on no input, such as a weight."""
    dependents = input_dependents(view)
    return any(
        ref.node not in dependents
        for user in users & set(view.scope.nodes) - set(view.children)
        for _, ref in view.sources(user)
    )


def _initial_state(view: ScopeView, name: str) -> str:
    """The constant that a carried state starts from: `from zeros`; "" if it is a layer's output."""
    assert view.parent is not None
    carry = view.parent.layer(view.name).node.carry.get(name)
    return f"from {carry.fill}" if carry is not None and carry.fill else ""


def _terminal(
    kind: Literal["input", "output"], caption: Caption, cluster: str, path_id: str
) -> Box:
    """An input or an output of a network."""
    return Box(
        "",
        kind,
        caption,
        cluster=cluster,
        main_path=path_id,
        tooltip=caption.one_line,
    )


def short_name(name: str) -> str:
    """A name, cut to what a box can hold."""
    return shorten(printable(name), _NAME_LENGTH)


def _written_at(view: ScopeView, name: str) -> Span:
    """Where a layer or an input of a scope is in the file."""
    if view.is_input(name):
        return view.scope.place.at("inputs", name).span(key=True)
    return view.layer(name).node.place.span(key=True)


def _shortened(caption: Caption) -> Caption:
    detail, badge = (
        shorten(printable(part), _DETAIL_LENGTH)
        for part in (caption.detail, caption.badge)
    )
    lines = tuple(shorten(printable(line), _DETAIL_LENGTH) for line in caption.lines)
    return Caption(short_name(caption.name), detail, badge, lines)


def join_symbol(layer: LayerView) -> str:
    """The symbol of a sum, product or concatenation of several values; "" for any other layer."""
    target = layer.target
    if target is None or isinstance(target, Scope) or layer.node.layer.repeat:
        return ""
    return target.symbol if len(layer.refs) > 1 else ""


def _side_by_side(layer: LayerView) -> bool:
    """Whether a layer has copies that take nothing of each other."""
    repeat = layer.node.layer.repeat
    return repeat is not None and not repeat.chained


def _tooltip(view: ScopeView, layer: LayerView) -> str:
    path = ".".join((*view.path, layer.node.name))
    description = layer.node.layer.description
    if not description and layer.scope is not None:
        description = layer.scope.description
    return printable(f"{path}: {description}" if description else path)
