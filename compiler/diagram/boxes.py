"""The boxes of a picture: one for each layer, and the frames around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from compiler.diagnostics.text import printable, shorten
from compiler.diagram.captions import layer_text
from compiler.diagram.drawing import Caption, Cluster, Node, NodeKind
from compiler.diagram.error_overlay import Blame
from compiler.diagram.folding import ENDS, elided, shown
from compiler.diagram.main_path import enters, fed, main_output, spine
from compiler.diagram.shown_types import Shapes
from compiler.diagram.views import Frame, Layer
from compiler.ir.counts import Counter
from compiler.ir.graph import Scope

_NAME = 40  # characters of a name or of the words beside it
_WORDS = 64


@dataclass
class Boxes:
    """Fills a picture with boxes; `ids` finds them by their frame and name."""

    blame: Blame
    shapes: Shapes
    counter: Counter
    nodes: list[Node] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)
    ids: dict[tuple[Frame, str], str] = field(default_factory=dict)
    outputs: dict[tuple[Frame, str], str] = field(default_factory=dict)

    def draw(self, root: Frame, cluster: str) -> None:
        """Draw a network, or a block alone, with its inputs and outputs."""
        line = f"s{len(self.nodes)}"
        straight = spine(root)
        for name in root.scope.inputs:
            text = Caption(cut(name), self.shapes.declared(root, name))
            on = line if name in straight else ""
            self._add(
                root,
                name,
                Node("", "input", text, cluster=cluster, spine=on, hint=text.plain),
            )
        line = self._frame(root, cluster, line, straight)
        for name, ref in root.outputs.items():
            text = Caption(cut(name), self.shapes.full(root, ref))
            on = line if name == main_output(root) else ""
            node = Node("", "output", text, cluster=cluster, spine=on, hint=text.plain)
            self.outputs[root, name] = self._append(node)

    def _frame(self, frame: Frame, cluster: str, line: str, on: set[str]) -> str:
        """Draw what a frame holds; the line that its spine is on where it ends."""
        if frame.parent is not None:
            self._points(frame, cluster, line, on)
        hidden = elided(frame)
        for name in shown(frame):
            if hidden and name not in list(frame.scope.nodes)[:ENDS]:
                self._middle(frame, hidden, cluster, line)
                hidden = []
            child = frame.children.get(name)
            if child is None:
                own = line if name in on else ""
                self._add(frame, name, self._layer(frame, name, cluster, own))
                continue
            inner, straight = self._cluster(frame, name, cluster), spine(child)
            goes_on = name in on and enters(child, on)
            below = self._frame(
                child, inner, line if goes_on else f"s{len(self.nodes)}", straight
            )
            line = below if name in on else line
        if hidden:
            self._middle(frame, hidden, cluster, line)
        return line

    def _points(self, frame: Frame, cluster: str, line: str, on: set[str]) -> None:
        for name, labelled in points(frame).items():
            text = Caption(cut(name), _start(frame, name)) if labelled else Caption("")
            own = line if name in on else ""
            node = Node(
                "",
                "port",
                text,
                cluster=cluster,
                spine=own,
                hint=printable(f"input {name}"),
            )
            self._add(frame, name, node)

    def _middle(self, frame: Frame, hidden: list[str], cluster: str, line: str) -> None:
        text = Caption(f"… {len(hidden):,} more layers")
        ident = self._append(
            Node("", "elided", text, cluster=cluster, spine=line, hint=text.name)
        )
        self.ids |= {(frame, name): ident for name in hidden}

    def _layer(self, frame: Frame, name: str, cluster: str, line: str) -> Node:
        layer = frame.layer(name)
        text = layer_text(frame, name, self.counter, self.shapes.names)
        target = layer.target
        family = "" if target is None or isinstance(target, Scope) else target.family
        kind: NodeKind = "layer" if layer.scope is None else "block"
        if sign := symbol(layer):
            kind, text = "join", Caption(sign)
        return Node(
            "",
            kind,
            _cut(text),
            family=family,
            cluster=cluster,
            spine=line,
            learned=any(call.weights for _, _, call in layer.calls),
            optional=layer.optional,
            fault=self._fault(frame, layer),
            hint=_hint(frame, layer),
        )

    def _cluster(self, frame: Frame, name: str, parent: str) -> str:
        layer = frame.layer(name)
        cluster = Cluster(
            f"c{len(self.clusters)}",
            _cut(layer_text(frame, name, self.counter, self.shapes.names)),
            parent,
            layer.optional,
            self._fault(frame, layer, opened=True),
            _hint(frame, layer),
        )
        self.clusters.append(cluster)
        return cluster.id

    def _fault(self, frame: Frame, layer: Layer, opened: bool = False) -> str:
        found = self.blame.at(frame, layer)
        if not found and not opened:
            found = self.blame.inside(frame, layer)
        return printable(found[0].message) if found else ""

    def _add(self, frame: Frame, name: str, node: Node) -> None:
        self.ids[frame, name] = self._append(node)

    def _append(self, node: Node) -> str:
        ident = f"n{len(self.nodes)}"
        self.nodes.append(replace(node, id=ident))
        return ident


def points(frame: Frame) -> dict[str, bool]:
    """The inputs of an opened block that have a point of their own in it, and whether it is named.

    One that a single layer uses has none, unless the block has several inputs or the layer takes weights too. A state
    of a scan has one always.
    """
    assert frame.parent is not None
    states = frame.parent.layer(frame.name).node.carry
    users = {name: set(_users(frame, name)) for name in frame.scope.inputs}
    used = {name: found for name, found in users.items() if found and frame.has(name)}
    named = len(used) > 1
    return {
        name: named or name in states
        for name, found in used.items()
        if name in states
        or len(found) > 1
        or _beside_weights(frame, found)
        or (named and not found & set(frame.children))
    }


def _beside_weights(frame: Frame, users: set[str]) -> bool:
    """Whether a layer that uses an input takes what no input leads to, and so stands below it."""
    known = fed(frame)
    return any(
        ref.node not in known
        for user in users & set(frame.scope.nodes) - set(frame.children)
        for _, ref in frame.sources(user)
    )


def _start(frame: Frame, name: str) -> str:
    """What a state of a scan starts as, where that is not a layer's output."""
    assert frame.parent is not None
    carry = frame.parent.layer(frame.name).node.carry.get(name)
    return f"from {carry.fill}" if carry is not None and carry.fill else ""


def _users(frame: Frame, name: str) -> Iterator[str]:
    for user in frame.scope.nodes:
        if frame.layer(user).off:
            continue
        if any(ref.node == name for _, ref in frame.sources(user)):
            yield user
    for output, ref in frame.outputs.items():
        if ref.node == name:
            yield f"{output}."


def cut(text: str) -> str:
    """A name, short enough for a box."""
    return shorten(printable(text), _NAME)


def _cut(text: Caption) -> Caption:
    words, badge = (
        shorten(printable(part), _WORDS) for part in (text.words, text.badge)
    )
    return Caption(cut(text.name), words, badge, tuple(map(cut, text.lines)))


def symbol(layer: Layer) -> str:
    """The sign of a sum or a concatenation of several values."""
    target = layer.target
    if target is None or isinstance(target, Scope) or layer.node.layer.repeat:
        return ""
    return target.symbol if len(layer.refs) > 1 else ""


def _hint(frame: Frame, layer: Layer) -> str:
    path = ".".join((*frame.path, layer.node.name))
    said = layer.node.layer.description
    if not said and layer.scope is not None:
        said = layer.scope.description
    return printable(f"{path}: {said}" if said else path)
