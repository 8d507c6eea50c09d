"""What the pass `causality` gives: on which positions each value depends, along one dimension of a network's inputs.

A `ScopeFlow` belongs to an instance of a scope and to the axes of its inputs that carry T. Its dependences are said in
those inputs, each of whose axes counts as [0, 0], so that equal uses share it. Which of the axes are columns, of which
a step needs all places so far, `compiler/causality/find_columns.py` works out; what each layer does by itself,
`layer_rows.py` beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.dependence import SIZE, Dependence, Reach
from compiler.op.flow import Memory


@dataclass(frozen=True, slots=True)
class PortAxis:
    """The source that is an axis of an input of a block; `part` counts the axes that are merged in it."""

    port: str
    axis: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class PortRest:
    """The source that is whatever an input of a block depends on as a whole."""

    port: str


@dataclass(frozen=True, eq=False)
class CallFlow:
    """One run of a layer's target, or several equal ones."""

    call: LayerCall
    inputs: Mapping[str, Dependence | tuple[Dependence, ...] | None]
    """What the inputs of the first of these runs depend on."""
    outputs: Mapping[str, Dependence]
    """What the outputs of the last of these runs depend on."""
    memory: Memory | None = None
    """What an op has to keep from one step to the next."""
    inside: ScopeFlow | None = None
    """The block, said in its own inputs."""


@dataclass(frozen=True, eq=False)
class NodeFlow:
    """A layer; without calls where it is off. Where it is scanned along T, it carries states from step to step."""

    node: TypedNode
    calls: tuple[CallFlow, ...]
    outputs: Mapping[str, Dependence]
    scanned: bool = False

    @property
    def carries(self) -> bool:
        """Whether an output carries T: a layer without is computed once, however many steps follow."""
        return any(one.carries for one in self.outputs.values())


@dataclass(frozen=True, eq=False)
class ScopeFlow:
    """What the values of an instance depend on."""

    instance: Instance
    inputs: Mapping[str, Dependence | None]
    nodes: Mapping[str, NodeFlow]
    outputs: Mapping[str, Dependence]

    def value(self, ref: Ref) -> Dependence | None:
        """What a value of the scope depends on; None for one that is absent."""
        node = self.nodes.get(ref.node)
        if node is None:
            return self.inputs.get(ref.node)
        if node.node.node.may_be_absent and not node.calls:
            return None
        return node.outputs[ref.port or next(iter(node.outputs))]


@dataclass(frozen=True, slots=True)
class LeakStep:
    """A value on the way from a later position to an output: a layer by its path, and where it is written."""

    path: str
    layer: str
    span: Span
    input: Span | None = None
    """Where the input that brings later positions is written; None where they enter, and for the layer before."""
    reason: str = ""
    """Why later positions enter here; only of the first step."""
    help: str = ""


@dataclass(frozen=True, eq=False)
class OutputFlow:
    """An output of the network."""

    flow: Dependence
    leak: tuple[LeakStep, ...] = ()
    """How a later position gets into it, from the layer where it enters to the output; none where it is causal."""

    @property
    def along(self) -> bool:
        """Whether it has an axis that carries T; one without is given for a whole sequence only."""
        return self.flow.carries

    @property
    def reaches(self) -> dict[str, Reach]:
        """Its receptive field in each input."""
        return {str(k): reach for k, reach in self.flow.field.items() if k != SIZE}


@dataclass(frozen=True, eq=False)
class Causality:
    """On which positions the outputs of a network depend, along a dimension of some of its inputs."""

    network: str
    length: str
    """The dimension, T."""
    inputs: tuple[str, ...]
    """The inputs that come one position after another."""
    scope: ScopeFlow
    """The network with all inputs; its sources are their names."""
    outputs: Mapping[str, OutputFlow]
    bare: tuple[Causality, ...] = ()
    """The same without its optional inputs, or some of them."""

    @property
    def causal(self) -> bool:
        """Whether no output depends on positions after its own, with or without optional inputs."""
        alone = not any(one.leak for one in self.outputs.values())
        return alone and all(one.causal for one in self.bare)

    @property
    def leaks(self) -> Iterator[tuple[str, tuple[LeakStep, ...]]]:
        """The outputs that depend on later positions, and how."""
        for name, output in self.outputs.items():
            if output.leak:
                yield name, output.leak
        for one in self.bare:
            yield from one.leaks
