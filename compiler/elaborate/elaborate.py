"""Unit -> Graph: every name resolved, every block a scope, every layer bound to what it names."""

from __future__ import annotations

from compiler.diagnostics.diagnostic import Report
from compiler.elaborate.build_scope import ScopeBuilder
from compiler.elaborate.channels_last import warn_of_channels_last
from compiler.elaborate.check_blocks import check_defaults, check_patterns
from compiler.elaborate.check_variants import check_variants
from compiler.elaborate.drop_unread import drop_unread
from compiler.elaborate.first_output import warn_of_first_output
from compiler.elaborate.targets import Targets
from compiler.elaborate.unused import reached, warn_of_unused
from compiler.ir.graph import Graph, Place, Scope, Unit
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
    check_variants(unit, report)
    report.raise_if_failed()
    made = reached(networks.values())
    warn_of_first_output(made, report)
    drop_unread(made, scopes.builders, unit.spec.expect.types)
    warn_of_unused(unit, networks, blocks, report)
    warn_of_channels_last(networks.values(), report)
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
        self.builders: dict[Scope, ScopeBuilder] = {}
        """What all scopes were built by."""
        self._blocks: dict[int, dict[str, Scope]] = {}

    def blocks(self, unit: Unit) -> dict[str, Scope]:
        """The blocks that a file can name: its own and those it imports."""
        found = self._blocks.get(id(unit))
        if found is not None:
            return found
        self.files.append(unit.document)
        builders = {
            name: _block_builder(unit, name, block, self.report)
            for name, block in unit.spec.blocks.items()
        }
        scopes = {name: builder.scope for name, builder in builders.items()}
        self._blocks[id(unit)] = self.named[unit.document.source.file] = scopes
        for name, other in unit.imports.items():
            scopes[name] = self.blocks(other)[name]
        targets = Targets(scopes)
        for builder in builders.values():
            scope = builder.build(targets)
            self._remember(builder)
            check_patterns(scope, self.report)
            self._check_ops(scope, targets)
        return scopes

    def _remember(self, builder: ScopeBuilder) -> None:
        """Keep the builder of a scope, and those of its groups."""
        self.builders[builder.scope] = builder
        for group in builder.groups:
            self._remember(group)

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
        builder = ScopeBuilder(
            cap_words(name) if name else unit.spec.name,
            "network",
            place,
            network.layers,
            self.report,
            inputs=network.inputs,
            description=network.description,
            params=unit.spec.params,
            outputs=network.outputs,
        )
        scope = builder.build(targets)
        self._remember(builder)
        self._check_ops(scope, targets)
        check_defaults(scope, set(), Place(unit.document, ()), self.report)
        return scope


def _block_builder(unit: Unit, name: str, block: Block, report: Report) -> ScopeBuilder:
    return ScopeBuilder(
        name,
        "block",
        Place(unit.document, ("blocks", name)),
        block.layers,
        report,
        inputs=block.inputs,
        description=block.description,
        params=block.params,
        outputs=block.outputs,
    )
