"""Unit -> Graph: every name resolved, every block a scope, every layer bound to what it names."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.diagnostics.diagnostic import Report
from compiler.elaborate.build_scope import ScopeBuilder
from compiler.elaborate.check_blocks import check_defaults, check_patterns
from compiler.elaborate.targets import Targets
from compiler.elaborate.unused import warn_of_unused_params
from compiler.ir.graph import Graph, Node, Place, Scope, Unit
from compiler.language.identifiers import cap_words
from compiler.language.spec import Block, Network, Spec
from compiler.parse.document import Document


def elaborate(unit: Unit) -> Graph:
    """Build the scopes of a file.

    Raises:
        SpecError: with every name that does not resolve, every wrong argument or input, and every cycle.
    """
    report = Report()
    scopes = _Scopes(report)
    blocks = scopes.blocks(unit)
    targets = Targets(blocks)
    networks = {
        name: scopes.network(unit, name, network, targets)
        for name, network in _networks(unit.spec)
    }
    report.raise_if_failed()
    _warn_unused(report, unit, networks, blocks)
    warn_of_unused_params(unit.document, report)
    return Graph(
        unit.spec,
        unit.document,
        networks,
        blocks,
        tuple(report.diagnostics),
        tuple(scopes.files),
        scopes.named,
    )


def _networks(spec: Spec) -> list[tuple[str, Network]]:
    if spec.networks is not None:
        return list(spec.networks.items())
    if spec.layers is None or spec.inputs is None:
        return []
    network = Network.model_construct(
        description=spec.description,
        inputs=spec.inputs,
        layers=spec.layers,
        outputs=spec.outputs,
    )
    return [("", network)]


class _Scopes:
    """The scopes of all files, made once each, so that blocks may call one another and themselves."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.files: list[Document] = []
        self.named: dict[str, dict[str, Scope]] = {}
        self._blocks: dict[int, dict[str, Scope]] = {}

    def blocks(self, unit: Unit) -> dict[str, Scope]:
        """The blocks that a file can name: its own and those it imports."""
        found = self._blocks.get(id(unit))
        if found is not None:
            return found
        self.files.append(unit.document)
        scopes = {
            name: _block_scope(unit, name, block)
            for name, block in unit.spec.blocks.items()
        }
        self._blocks[id(unit)] = self.named[unit.document.source.file] = scopes
        own = list(scopes)
        for name, other in unit.imports.items():
            scopes[name] = self.blocks(other)[name]
        for name in own:
            block = unit.spec.blocks[name]
            builder = ScopeBuilder(
                scopes[name], block.layers, Targets(scopes), self.report
            )
            builder.build(block.outputs)
            self._check_block(scopes[name], Targets(scopes))
        return scopes

    def _check_block(self, scope: Scope, targets: Targets) -> None:
        check_patterns(scope, self.report)
        self._check_ops(scope, targets)

    def _check_ops(self, scope: Scope, targets: Targets) -> None:
        """A default that names an op, or a block, names one that is there."""
        home = scope.place if scope.kind == "block" else Place(scope.place.document, ())
        for name, param in scope.params.items():
            if param.type == "op" and isinstance(param.default, str):
                place = home.at("params", name, "default")
                targets.find(param.default, scope, place, self.report)

    def network(
        self, unit: Unit, name: str, network: Network, targets: Targets
    ) -> Scope:
        """The scope of a network: the params of the file are its own."""
        place = Place(unit.document, ("networks", name) if name else ())
        title = cap_words(name) if name else unit.spec.name
        description = network.description
        scope = Scope(
            title, "network", place, description, unit.spec.params, dict(network.inputs)
        )
        ScopeBuilder(scope, network.layers, targets, self.report).build(network.outputs)
        self._check_ops(scope, targets)
        check_defaults(scope, set(), Place(unit.document, ()), self.report)
        return scope


def _block_scope(unit: Unit, name: str, block: Block) -> Scope:
    place = Place(unit.document, ("blocks", name))
    declared = tuple(block.outputs or ("output",))
    return Scope(
        name,
        "block",
        place,
        block.description,
        block.params,
        dict(block.inputs),
        declared=declared,
    )


def _warn_unused(
    report: Report,
    unit: Unit,
    networks: Mapping[str, Scope],
    blocks: Mapping[str, Scope],
) -> None:
    reached: set[Scope] = set()
    pending = list(networks.values()) or [blocks[name] for name in unit.spec.blocks]
    while pending:
        scope = pending.pop()
        if scope not in reached:
            reached.add(scope)
            pending.extend(
                node.target
                for node in scope.nodes.values()
                if isinstance(node.target, Scope)
            )
    for scope in reached:
        for node in _unused(scope):
            report.warning(
                "unused-layer",
                node.place.span(key=True),
                f"nothing uses the output of {node.name}",
            )
    passed = {
        str(v)
        for scope in reached
        for node in scope.nodes.values()
        for v in node.arguments.values()
    }
    defaults = (p.default for scope in reached for p in scope.params.values())
    passed |= {default for default in defaults if isinstance(default, str)}
    passed |= {str(v) for given in unit.spec.variants.values() for v in given.values()}
    for name in unit.spec.blocks if networks else ():
        if blocks[name] not in reached and name not in passed:
            report.warning(
                "unused-block",
                Place(unit.document, ("blocks", name)).span(key=True),
                f"nothing uses {name}",
            )


def _unused(scope: Scope) -> list[Node]:
    """The layers that no output depends on."""
    used = {ref.node for ref in scope.outputs.values()}
    for node in reversed(scope.nodes.values()):
        if node.name in used:
            used.update(ref.node for _, ref in node.refs())
    return [node for node in scope.nodes.values() if node.name not in used]
