"""The result of compiling a spec."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic, RequestError, SpecError
from compiler.diagnostics.source import Source
from compiler.ir.causal import Causality
from compiler.ir.typed import TypedGraph
from compiler.language.params import Stepping
from compiler.parse.document import YamlNode
from compiler.parse.gc_pause import gc_paused

if TYPE_CHECKING:  # what a program is made into is imported when it is asked for
    from compiler.codegen.statements import Module
    from compiler.cost.summary import Summary
    from compiler.diagram.diagram import Diagram
    from compiler.diagram.drawing import Direction, ThemeName
    from compiler.lower.class_steps import Stream
    from compiler.lower.merge_classes import Served
    from compiler.lower.own_modules import RecurrentModules
    from compiler.tasks.task import Task

Changes = Mapping[tuple[str, ...], YamlNode]
"""Values of the task by their path in it."""


@dataclass(frozen=True, repr=False)
class Program:
    """A compiled spec; its Python code, summary and diagrams are made on first access.

    In a notebook it is shown as its diagram.
    """

    typed: TypedGraph
    sources: Mapping[str, Source] = field(default_factory=dict)
    task: Task | None = None
    """How it is trained, where the spec says so."""
    variant: str = ""
    changes: Changes = field(default_factory=dict)
    """What the caller said of the task."""
    warnings: tuple[Diagnostic, ...] = ()
    """What is to be said of the checkpoint and the task."""
    every_line: bool = False
    """Whether `forward` assigns what every layer gives to a variable."""
    recurrent: RecurrentModules = "torch"
    """Whose LSTM, GRU and RNN the module has."""

    @property
    def name(self) -> str:
        """The name that the spec gives itself."""
        return self.typed.graph.spec.name

    @property
    def task_node(self) -> YamlNode | None:
        """The task as it is written, with the changes of the variant and the caller; None where there is none."""
        if self.task is None:
            return None
        from compiler.tasks.check_task import resolved

        return resolved(self.typed, self.variant, self.changes).root.get("task")

    def check(self) -> tuple[Diagnostic, ...]:
        """All warnings; errors too, if it was compiled with `strict=False`, or if no module can be written for it."""
        return *self.diagnostics, *self._unwritten

    def check_beside(self, other: Program) -> tuple[Diagnostic, ...]:
        """As `check`; quicker where the classes of the same spec with other values serve this one as well."""
        if self.typed.failed or not other.serves(self) or not other._steps_as(self):
            return self.check()
        return self.diagnostics

    def _steps_as(self, other: Program) -> bool:
        """Whether its network is run in pieces by the same code as another with these classes."""
        if self.typed.graph.spec.step is None:
            return True
        from compiler.lower.same_steps import same_steps

        try:
            mine, theirs = self._stream, other._stream
        except SpecError:
            return False
        if mine is None or theirs is None:
            return mine is theirs
        return same_steps(mine, theirs)

    @cached_property
    def _stream(self) -> Stream | None:
        """How the network of `step` goes on from piece to piece; None where none has such inputs.

        Raises:
            SpecError: where it cannot.
        """
        from compiler.lower.step_flows import stream

        step = self.typed.graph.spec.step
        assert step is not None
        return stream(self.typed, step)

    def serves(self, other: Program) -> bool:
        """Whether its classes do what the same spec with other values says."""
        return not self.typed.failed and self._served.serves(other.typed)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All diagnostics up to inference; no module is written for them."""
        return *self.typed.diagnostics, *self.warnings

    @cached_property
    @gc_paused()
    def _unwritten(self) -> tuple[Diagnostic, ...]:
        """Why no module can be written."""
        if self.typed.failed or not self.typed.networks:
            return ()
        step = self.typed.graph.spec.step
        if step is None or any(one.severity == "error" for one in self.warnings):
            return self._served.problems
        try:
            found = self._stream
        except SpecError as error:
            return error.diagnostics
        served = self._served
        return served.problems if found is None else served.unwritten_step(found)

    @cached_property
    @gc_paused()
    def _served(self) -> Served:
        """The classes for these values of the params, which may serve others."""
        from compiler.lower.merge_classes import Served

        return Served(self.typed)

    @cached_property
    @gc_paused()
    def python(self) -> str:
        """The PyTorch module, as the text of a file."""
        return self._module[0]

    @property
    def not_stepped(self) -> str:
        """Why its module has no `step`, though its task decodes; "" if it has one, or none is needed."""
        return self._module[1]

    @cached_property
    @gc_paused()
    def _module(self) -> tuple[str, str]:
        """The module, and why it cannot run a sequence in pieces."""
        from compiler.codegen.printer import print_module

        step, reason = self._step, ""
        if step is not None:
            from compiler.lower.step_flows import stream

            try:
                found = stream(self.typed, step)
                return print_module(self._lowered(found)), ""
            except SpecError as error:
                if self.typed.graph.spec.step is not None:
                    raise
                reason = error.diagnostics[0].message
        return print_module(self._lowered(None)), reason

    def _lowered(self, stream: Stream | None) -> Module:
        from compiler.lower.lower import lower

        return lower(self.typed, self.recurrent, stream, every_line=self.every_line)

    def traceable(self) -> Program:
        """The program whose `forward` assigns what every layer gives to a variable, by which hooks find layers.

        It computes the same, from the same weights.
        """
        return replace(self, every_line=True)

    def portable(self) -> Program:
        """The program whose LSTM, GRU and RNN work in torch.compile(fullgraph=True) and torch.export.

        Torch's own do not, so that their code is carried in the file. The names, shapes and results of the weights
        are the same in both.
        """
        return replace(self, recurrent="portable")

    @cached_property
    @gc_paused()
    def summary(self) -> Summary:
        """Parameters, FLOPs and activations of every layer; printed as a table."""
        from compiler.cost.measure import measure

        return measure(self.typed)

    def causality(
        self, along: str = "", inputs: Collection[str] | None = None
    ) -> tuple[Causality, ...]:
        """On which positions the values of each network depend, along a dimension of its inputs.

        Args:
            along: the dimension; default: that of `step`, else that of the task's tokens, else T.
            inputs: the inputs that come one position after another; default: as in `step` or the task, else all.

        Raises:
            RequestError: if no network has such an input.

        >>> from compiler.pipeline import compile_spec
        >>> [found] = compile_spec("specs/tcn.yaml").causality()
        >>> found.causal, str(found.outputs["logits"].reaches["tokens"])
        (True, '[-28, 0]')
        """
        from compiler.causality.prove import prove, streams

        step = self._step
        if along and (step is None or along != step.dimension):
            step = Stepping(along)
        step = step or Stepping("T")
        chosen = step.inputs if inputs is None else tuple(inputs)
        found = [
            name
            for name, instance in self.typed.networks.items()
            if any(
                chosen is None or one in chosen
                for one in streams(instance, step.dimension)
            )
        ]
        if not found:
            named = f" called {', '.join(chosen)}" if chosen else ""
            raise RequestError(f"no input{named} has a dimension {step.dimension}")
        return tuple(prove(self.typed, step.dimension, chosen, one) for one in found)

    @property
    def _step(self) -> Stepping | None:
        """What `step` says, or the task."""
        step: Stepping | None = self.typed.graph.spec.step
        if step is None and self.task is not None:
            decoded = self.task.decoded(self.typed)
            step = None if decoded is None else decoded[1]
        return step

    def diagram(
        self,
        *,
        network: str = "",
        block: str = "",
        depth: int | None = None,
        expand: Iterable[str] = (),
        fold: Iterable[str] = (),
        direction: Direction = "TB",
        theme: ThemeName = "auto",
        links: str = "",
        key: bool = False,
        sizes: Literal["values", "names"] | None = None,
        width: str = "",
    ) -> Diagram:
        """Draw the networks, or the part of them that the options select.

        Args:
            network: the only network drawn; default: all, side by side.
            block: the block that is drawn alone, in place of networks.
            depth: levels of blocks that are expanded; default: what fits a page.
            expand: names of layers or blocks that are expanded at any depth.
            fold: names of layers or blocks that stay folded at any depth.
            direction: top to bottom (`TB`) or left to right (`LR`, a long line in rows).
            theme: `light`, `dark`, `print`, or `auto`: light or dark as the viewer of an SVG prefers, else light.
            links: each layer of an SVG is a link to this URL with the file and the line of the layer; "" for no links.
            key: whether colours and lines are explained below the title.
            sizes: shapes as the network's inputs give them (`values`), or in the names of each block (`names`).
            width: of a figure on a page, such as `85mm`: as many levels are expanded as can be read, and norms and
                activations are in the boxes of what they follow; default: as wide as need be.

        Raises:
            RequestError: if the spec has no such network or block, or the links are not to a file or over HTTP.
            DiagramError: if the network cannot be read at that width, with what to fold.

        >>> from compiler.pipeline import compile_spec
        >>> compile_spec("specs/cnn.yaml").diagram(direction="LR")
        <Diagram of CNN>
        """
        from compiler.diagram.diagram import Diagram
        from compiler.diagram.draw import draw
        from compiler.diagram.fit_width import fitted, length
        from compiler.diagram.in_rows import in_rows
        from compiler.diagram.options import DiagramOptions

        options = DiagramOptions(
            network,
            block,
            depth,
            frozenset(expand),
            frozenset(fold),
            direction,
            theme,
            links,
            key,
            sizes,
            length(width),
        )
        typed = self.marked
        drawing = (
            fitted(typed, options) if options.width else in_rows(draw(typed, options))
        )

        def write_page() -> str:
            from compiler.page.html_page import html_page

            return html_page(typed, options, self.sources, self.warnings)

        return Diagram(self.name, drawing, write_page)

    @property
    def marked(self) -> TypedGraph:
        """The graph with what a picture marks: the way of later positions to an output, where they are an error."""
        if not any(one.code == "not-causal" for one in self.warnings):
            return self.typed
        from compiler.causality.check_causal import marked

        return marked(self.typed, self.causality())

    def __repr__(self) -> str:
        file = self.typed.graph.document.source.file
        variant = f", variant {self.variant}" if self.variant else ""
        return f"<Program {self.name} of {file}{variant}>"

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:
        """The diagram, for a notebook."""
        shown = self.diagram()._repr_mimebundle_() if self.typed.networks else {}
        return shown | {"text/plain": repr(self)}
