"""A typed graph as a picture."""

from __future__ import annotations

from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.diagnostics.text import printable
from compiler.diagram.block_counts import copies
from compiler.diagram.boxes import Boxes, cut
from compiler.diagram.captions import total
from compiler.diagram.drawing import Caption, Cluster, Drawing
from compiler.diagram.edges import arrows
from compiler.diagram.entries import type_points
from compiler.diagram.error_overlay import Blame
from compiler.diagram.folding import open_frames
from compiler.diagram.options import DiagramOptions
from compiler.diagram.shown_types import Shapes
from compiler.diagram.tie_edges import say_ties, ties
from compiler.diagram.views import Frame
from compiler.ir.counts import Counter
from compiler.ir.graph import Scope
from compiler.ir.typed import TypedGraph

_DEFAULT = DiagramOptions()


def draw(typed: TypedGraph, options: DiagramOptions = _DEFAULT) -> Drawing:
    """Draw a graph, or the part of it that the options name; errors in it are red.

    Raises:
        RequestError: the spec has no such network or block.
    """
    roots = (
        [_block(typed, options.block)] if options.block else _networks(typed, options)
    )
    blame, counter = Blame(typed), Counter()
    open_frames(roots, options, blame)
    names = bool(options.block) if options.sizes is None else options.sizes == "names"
    boxes = Boxes(blame, Shapes(names), counter)
    for root in roots:
        cluster = _around(boxes, root) if len(roots) > 1 else ""
        boxes.draw(root, cluster)
    picture = Drawing(
        _title(typed, roots, options, counter),
        tuple(boxes.nodes),
        tuple(boxes.clusters),
        (*arrows(boxes, roots), *ties(boxes, roots)),
        options.direction,
        options.theme,
    )
    return type_points(say_ties(picture))


def _networks(typed: TypedGraph, options: DiagramOptions) -> list[Frame]:
    scopes = typed.graph.networks
    if options.network and options.network not in scopes:
        raise RequestError(_unknown("network", options.network, scopes))
    chosen = [options.network] if options.network else list(scopes)
    if not chosen:
        raise RequestError("the spec has blocks alone: say which one to draw")
    return [_network(typed, name, scopes[name]) for name in chosen]


def _network(typed: TypedGraph, name: str, scope: Scope) -> Frame:
    found = typed.networks.get(name)
    return Frame(scope, {} if found is None else {found: 1}, name)


def _block(typed: TypedGraph, name: str) -> Frame:
    """A block with all its uses at once."""
    scope = typed.graph.blocks.get(name)
    if scope is None:
        raise RequestError(_unknown("block", name, typed.graph.blocks))
    found = copies(typed.networks.values()).items()
    return Frame(
        scope, {use: count for use, count in found if use.scope is scope}, name
    )


def _unknown(what: str, name: str, known: dict[str, Scope]) -> str:
    hint = suggest(name, known) or f"there is {', '.join(known) or 'none'}"
    return f"there is no {what} {printable(name)}: {hint}"


def _around(boxes: Boxes, root: Frame) -> str:
    cluster = Cluster(f"c{len(boxes.clusters)}", Caption(cut(root.name)), plain=True)
    boxes.clusters.append(cluster)
    return cluster.id


def _title(
    typed: TypedGraph, roots: list[Frame], options: DiagramOptions, counter: Counter
) -> Caption:
    spec = typed.graph.spec
    scope = roots[0].scope
    alone = len(roots) == 1 and (options.block or options.network)
    name = options.block or options.network if alone else spec.name
    said = scope.description if alone else spec.description
    lines = [printable(said)] if said else []
    if not options.block and not typed.failed:
        networks = [instance for root in roots for instance in root.instances]
        lines.append(f"{total(networks, counter):,} parameters")
    return Caption(cut(name), lines=tuple(lines))
