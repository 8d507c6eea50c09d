"""TypedGraph -> Drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter

from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.diagnostics.text import printable
from compiler.diagram.boxes import BoxBuilder, short_name
from compiler.diagram.captions import total_parameters
from compiler.diagram.drawing import Box, Caption, Cluster, Drawing, Edge
from compiler.diagram.edges import build_edges
from compiler.diagram.error_overlay import ErrorOverlay
from compiler.diagram.find_block import find_block
from compiler.diagram.folding import MAX_BOXES, expand_blocks
from compiler.diagram.key import with_key
from compiler.diagram.links import checked_prefix
from compiler.diagram.meetings import meeting_edges
from compiler.diagram.options import DiagramOptions
from compiler.diagram.shown_types import TypeLabels
from compiler.diagram.tie_edges import tie_edges, ties_as_notes
from compiler.diagram.two_columns import off_main_path
from compiler.diagram.views import MAX_LAYERS, ScopeView
from compiler.diagram.wrapping import wrap_edge_label
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance, TypedGraph, walk_instances
from compiler.parse.gc_pause import gc_paused

_DEFAULT = DiagramOptions()
_MAX_NETWORKS = 12  # networks that are drawn side by side


@gc_paused()
def draw(typed: TypedGraph, options: DiagramOptions = _DEFAULT) -> Drawing:
    """Draw a graph, or the part of it that the options select. Layers and edges with errors are marked.

    Of a spec without networks, the blocks are drawn.

    Raises:
        RequestError: if the spec has no such network or block, or links may not start so.
    """
    roots = root_views(typed, options)
    errors, counter = ErrorOverlay(typed), ParameterCounter()
    title = drawing_title(typed, roots, options, counter)
    further = len(roots) - _fitting(roots)
    roots = roots[: len(roots) - further]
    expand_blocks(roots, options, errors)
    builder = BoxBuilder(errors, TypeLabels(shows_names(roots, options)), counter)
    for root in roots:
        cluster = _add_network_cluster(builder, root) if len(roots) > 1 else ""
        builder.add_root(root, cluster)
    if further:
        builder.add_elided_networks(further)
    drawing = Drawing(
        title,
        tuple(builder.boxes),
        tuple(builder.clusters),
        (
            *build_edges(builder, roots),
            *tie_edges(builder, roots),
            *meeting_edges(builder, roots),
        ),
        options.direction,
        options.theme,
        checked_prefix(options.links),
        options.key,
        _largest(roots),
        options.width,
        "narrow" if options.width else "ample",
    )
    drawing = off_main_path(_types_at_points(ties_as_notes(drawing)))
    return with_key(drawing) if options.key else drawing


def root_views(typed: TypedGraph, options: DiagramOptions) -> list[ScopeView]:
    """What is drawn: the networks, or of a spec without networks the blocks, or what the options select.

    Raises:
        RequestError: if the spec has no such network or block.
    """
    blocks = [options.block] if options.block else []
    if not (blocks or typed.graph.networks):
        blocks = list(typed.graph.blocks)
    copies = _copies(typed.networks.values()) if blocks else {}
    roots = [find_block(typed, name, copies) for name in blocks]
    return roots or _network_views(typed, options)


def shows_names(roots: list[ScopeView], options: DiagramOptions) -> bool:
    """Whether shapes are in the names of each block."""
    if options.sizes is None:
        return roots[0].scope.kind != "network"
    return options.sizes == "names"


def _fitting(roots: list[ScopeView]) -> int:
    """How many of the networks, from the first on, one picture can hold: at least one."""
    boxes = 0
    for number, root in enumerate(roots[:_MAX_NETWORKS]):
        terminals = len(root.scope.inputs) + len(root.scope.outputs)
        boxes += len(root.visible_layers) + min(terminals, 2 * MAX_LAYERS)
        if boxes > MAX_BOXES and number:
            return number
    return min(len(roots), _MAX_NETWORKS)


def _largest(roots: list[ScopeView]) -> str:
    """The scope with the most layers that are drawn, and where it stands in the file."""
    views = (view for root in roots for view in root.walk())
    view = max(views, key=lambda view: len(view.visible_layers))
    what = ".".join(view.path) or view.scope.name or "the network"
    place = view.scope.place
    return printable(f"{what} ({place.span(key=bool(place.path)).at})")


def _network_views(typed: TypedGraph, options: DiagramOptions) -> list[ScopeView]:
    scopes = typed.graph.networks
    if options.network and options.network not in scopes:
        raise RequestError(_unknown("network", options.network, scopes))
    selected = [options.network] if options.network else list(scopes)
    return [_network_view(typed, name, scopes[name]) for name in selected]


def _network_view(typed: TypedGraph, name: str, scope: Scope) -> ScopeView:
    instance = typed.networks.get(name)
    return ScopeView(scope, {} if instance is None else {instance: 1}, name)


def _unknown(what: str, name: str, known: Mapping[str, Scope]) -> str:
    hint = suggest(name, known) or f"there is {', '.join(known) or 'none'}"
    return f"there is no {what} {printable(name)}: {hint}"


def _copies(networks: Iterable[Instance]) -> dict[Instance, int]:
    """How many copies of each instance the networks contain."""
    roots = list(networks)
    used = {instance: _used(instance) for instance in walk_instances(roots)}
    users: dict[Instance, list[Instance]] = {instance: [] for instance in used}
    for instance, inner in used.items():
        for other in inner:
            users[other].append(instance)
    counts: Counter[Instance] = Counter(roots)
    for instance in TopologicalSorter(users).static_order():
        counts[instance] += sum(
            counts[user] * used[user][instance] for user in users[instance]
        )
    return {instance: counts[instance] for instance in used}


def _used(instance: Instance) -> Counter[Instance]:
    """The instances that one runs directly, with the number of runs of each."""
    runs: Counter[Instance] = Counter()
    for node in instance.nodes.values():
        for call in node.calls:
            if call.instance is not None:
                runs[call.instance] += call.count
    return runs


def _add_network_cluster(builder: BoxBuilder, root: ScopeView) -> str:
    cluster = Cluster(
        f"c{len(builder.clusters)}",
        Caption(short_name(root.name)),
        is_network=True,
        path=(root.name,),
        place=root.scope.place.span(key=bool(root.scope.place.path)),
    )
    builder.clusters.append(cluster)
    return cluster.id


def drawing_title(
    typed: TypedGraph,
    roots: list[ScopeView],
    options: DiagramOptions,
    counter: ParameterCounter,
) -> Caption:
    """The name of what is drawn, its description and the number of its parameters."""
    spec = typed.graph.spec
    scope = roots[0].scope
    alone = len(roots) == 1 and (options.block or options.network)
    name = options.block or options.network if alone else spec.name
    description = scope.description if alone else spec.description
    lines = [printable(description)] if description else []
    if typed.networks and not (options.block or typed.failed):
        networks = [instance for root in roots for instance in root.instances]
        lines.append(f"{total_parameters(networks, counter):,} parameters")
    return Caption(short_name(name), lines=tuple(lines))


def _types_at_points(drawing: Drawing) -> Drawing:
    """Move the types of edges that enter a block from the side below the names of its entry points.

    On the edge, a type would lie on the border of the block, and make the edge longer.
    """
    points = {box.id for box in drawing.boxes if _can_hold_type(box)}
    moved = {edge for edge in drawing.edges if edge.target in points and _moves(edge)}
    types = {
        edge.target: tuple(wrap_edge_label(edge.label))
        for edge in drawing.edges
        if edge in moved
    }
    return replace(
        drawing,
        boxes=tuple(
            replace(box, caption=Caption(box.caption.name, lines=types[box.id]))
            if box.id in types
            else box
            for box in drawing.boxes
        ),
        edges=tuple(
            replace(edge, label="", names="") if edge in moved else edge
            for edge in drawing.edges
        ),
    )


def _can_hold_type(box: Box) -> bool:
    """Whether a box is a named entry point beside the main path, with a name alone."""
    named = box.kind == "port" and box.caption.name != ""
    return named and not box.main_path and not box.caption.detail


def _moves(edge: Edge) -> bool:
    """Whether an edge from the side is labelled with a type and nothing else."""
    alone = edge.label.endswith("]") and ": " not in edge.label
    return (
        alone and edge.kind == "flow" and not edge.on_main_path and not edge.has_error
    )
