"""`task:`: how a network is trained, and for what. One subclass for each kind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from compiler.diagnostics.diagnostic import suggest
from compiler.diagnostics.text import either, listed, shorten
from compiler.ir.typed import TypedGraph
from compiler.language.model import Model
from compiler.language.params import Stepping
from compiler.op.schema_forms import SchemaForm
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet
from compiler.tasks.depths import layer_of
from compiler.tasks.formulas import Count, Flag, NotNegative, Positive, Share, Whole
from compiler.tasks.metrics import Better
from compiler.tasks.optimizers import DEFAULT as OPTIMIZER
from compiler.tasks.optimizers import Optimizer
from compiler.tasks.ports import PortCheck, bound
from compiler.tasks.roles import Role
from compiler.tasks.schedules import DEFAULT as SCHEDULE
from compiler.tasks.schedules import Schedule
from compiler.tasks.start import Start, TensorPattern, matching, tensor_names
from compiler.tasks.untrained import untrained_layers

_WORK = 300_000
"""Names that are compared with patterns when a spec is compiled."""
_SHOWN = 3
"""Names of tensors in a message."""
_MOST = 20
"""Roles that are reported, of those that there are not."""


def _bits(value: Any) -> Any:
    """A number of bits is text to the engine."""
    return str(value) if type(value) is int else value


Precision = Annotated[
    Literal["32", "64", "16-mixed", "bf16-mixed"],
    BeforeValidator(_bits),
    SchemaForm(lambda text: {"anyOf": [text, {"type": "integer"}]}),
]
Seed = Annotated[Count, Field(lt=2**32)]
"""What numpy takes for a seed, too."""


class EarlyStopping(Model):
    """Training ends when the metric of the task no longer improves.

    Attributes:
        patience: number of evaluations in a row without improvement.
        min_delta: smallest change of the metric that is an improvement.
    """

    patience: Whole
    min_delta: NotNegative = 0.0


class Task(Model):
    """The options of all tasks.

    Attributes:
        kind: the name of the task.
        data: a data set by name, with its options.
        ports: port of each role, where its name differs from the role's.
        epochs: number of passes over the training data.
        minutes: maximum training time in minutes; training may end within an epoch.
        batch_size: number of examples in a batch, for each process.
        accumulate: number of batches whose gradients are accumulated for one optimizer step.
        optimizer: an optimizer of torch by name, with its arguments.
        schedule: learning rate schedule.
        average: decay of an exponential moving average of the weights, such as 0.999, which is evaluated and saved as
            the best weights; of adversarial networks, of the generator alone; 0: none.
        clip: maximum gradient norm; default: no clipping.
        precision: 32 or 64 bits; 16-mixed and bf16-mixed use 16 bits where that is safe.
        evaluate_every: number of epochs between evaluations on the held-out data.
        early_stopping: early stopping; default: all epochs are run.
        seed: random seed of initial weights, the order of examples, and dropout.
        start: the weights that training starts from; default: they are initialised as the spec says.
        rates: learning rates by patterns of tensors, as multiples of the optimizer's; the first match counts.
        layer_decay: factor of the learning rate from each copy of a repeated layer to the one before it, as for
            fine-tuning Transformers (Clark et al., 2020); what is before the first copy has the lowest rate, and what
            is after the last the optimizer's; default: 1. Times `rates`.
        decay_all: whether weight decay applies to norms, biases and other vectors, too.
    """

    forms: ClassVar[tuple[Form, ...]]
    """The forms of data that it takes."""
    roles: ClassVar[tuple[Role, ...]]
    """The parts that the ports of its networks play."""
    metric: ClassVar[str] = "loss"
    """What tells the best weights from others; held-out."""
    decodes: ClassVar[str] = ""
    """The role of the input that is produced one token after another; the output of the role logits gives the next."""
    example: ClassVar[str]
    """A task of the kind, in YAML."""
    better: ClassVar[Better] = "lower"

    kind: str
    data: DataSet
    ports: dict[str, str] = Field(default={})
    epochs: Whole = 10
    minutes: Positive | None = None
    batch_size: Whole = 64
    accumulate: Whole = 1
    optimizer: Optimizer = OPTIMIZER
    schedule: Schedule = SCHEDULE
    average: Share = 0.0
    clip: Positive | None = None
    precision: Precision = "32"
    evaluate_every: Whole = 1
    early_stopping: EarlyStopping | None = None
    seed: Seed = 0
    start: Start | None = None
    rates: dict[TensorPattern, NotNegative] = Field(default={})
    layer_decay: Annotated[Positive, Field(le=1)] | None = None
    decay_all: Flag = False

    @property
    def best_metric(self) -> tuple[str, Better]:
        """What tells the best weights from others, and which values of it are better."""
        return self.metric, self.better

    @property
    def used_roles(self) -> tuple[Role, ...]:
        """The roles of the kind, and those of outputs that the spec adds."""
        return self.roles

    def facts(self) -> DataFacts:
        """The properties of its data that are known before it is read."""
        return self.data.facts()

    def has(self, ports: Collection[str], role: str) -> bool:
        """Whether one of the ports has an optional role, by its name or by `ports`."""
        return self.ports.get(role, role) in ports

    def check(self, check: PortCheck, facts: DataFacts) -> None:
        """Check that networks and data fit the task: the form of the data, then `fits`."""
        check.holds = f"{self.data.name} holds {facts}"
        self._ports(check)
        self._patterns(check)
        self._layers(check)
        if self.early_stopping is not None and not self.data.holds_out:
            message = "early stopping needs held-out data"
            label = f"{self.data.name} holds nothing out"
            check.report("data-misfit", ("early_stopping",), message, label)
        if facts.form in self.forms:
            self.fits(check, facts)
            self._warn_of_untrained(check)
        else:
            message = f"{self.kind} learns from {either(self.forms)}"
            label = f"{self.data.name} holds {facts.form}"
            others = [form for form in self.data.forms if form in self.forms]
            help = f"write form: {others[0]}" if others else ""
            check.report("data-misfit", ("data",), message, label, help)

    def decoded(
        self, typed: TypedGraph
    ) -> tuple[str, Stepping, tuple[str, ...]] | None:
        """The network that decodes, the dimension of its steps, and the output with the next token's logits.

        None for a task that does not decode, or if the length of the input is not a symbol.
        """
        if not self.decodes:
            return None
        name, instance = next(iter(typed.networks.items()))
        port = bound(instance.scope.inputs, self.decodes, self.ports)
        output = bound(instance.outputs, "logits", self.ports)
        kind = instance.inputs.get(port)
        symbol = None if kind is None else instance.context.value(kind.shape[1]).alone
        if symbol is None:
            return None
        return name, Stepping(str(symbol), (port,)), (output,)

    def _warn_of_untrained(self, check: PortCheck) -> None:
        for node, outputs in untrained_layers(check.typed, self.used_roles, self.ports):
            those = f"the output{'s' * (len(outputs) > 1)} {listed(outputs)}"
            message = f"{node.name} is not trained: {self.kind} does not use {those}"
            check.warn("unused-layer", node.place.span(key=True), message)

    def _ports(self, check: PortCheck) -> None:
        """Report ports of roles that the task does not have."""
        known = [role.name for role in self.roles]
        unknown = [name for name in self.ports if name not in known]
        for name in unknown[:_MOST]:
            help = suggest(name, known) or f"the roles are {listed(known)}"
            message = f"{self.kind} has no role {shorten(name)}"
            path = ("ports", name)
            check.report("unknown-key", path, message, help=help, key=True)

    def _patterns(self, check: PortCheck) -> None:
        """Report patterns that match no tensor of the networks."""
        written = list(self._written_patterns())
        names = list(tensor_names(check.typed)) if written else []
        if len(names) * len(written) > _WORK:
            return
        for path, text in written:
            if not matching([text], names):
                known = f"the first tensors are {listed(names[:_SHOWN])}"
                help = suggest(text, names) or known
                message = f"no tensor of the networks is called {shorten(text)}"
                key = path[0] == "rates"
                check.report("unknown-tensor", path, message, help=help, key=key)

    def _layers(self, check: PortCheck) -> None:
        """Report rates by layer of networks without repeats."""
        if self.layer_decay is None or any(map(layer_of, tensor_names(check.typed))):
            return
        message = (
            "`layer_decay` is of copies of a layer, and the network has no `repeat`"
        )
        help = "`rates` gives learning rates to tensors by name"
        check.report("task-misfit", ("layer_decay",), message, help=help, key=True)

    def _written_patterns(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The patterns of tensors, with their paths in the task."""
        yield from ((("rates", text), text) for text in self.rates)
        if self.start is not None:
            for key in ("new", "freeze"):
                patterns: list[str] = getattr(self.start, key)
                yield from ((("start", key, i), one) for i, one in enumerate(patterns))

    @abstractmethod
    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        """Report where the networks do not fit the task or the data."""
