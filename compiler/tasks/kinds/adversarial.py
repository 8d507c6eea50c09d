"""Adversarial training: a generator against a discriminator (Goodfellow et al., 2014)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from pydantic import Field

from compiler.ir.graph import Ref
from compiler.ir.typed import Instance, TypedNode
from compiler.language.model import Model
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import NotNegative, Positive, Whole
from compiler.tasks.image_data import check_not_normalized
from compiler.tasks.noise import check_noise
from compiler.tasks.optimizers import Optimizer
from compiler.tasks.ports import FREE, PortCheck, Wanted
from compiler.tasks.roles import Role
from compiler.tasks.schedules import Schedule
from compiler.tasks.task import Task

ENDS: Final = {"tanh": "-1..1", "sigmoid": "0..1"}
"""The values that an activation gives, as data sets name them."""


class NetworkTraining(Model):
    """How one of the two networks is trained; defaults are the options of the task.

    Attributes:
        optimizer: the network's optimizer.
        schedule: its learning rate schedule.
        clip: maximum norm of its gradients.
        steps: number of its updates in a cycle; with 5 for the discriminator and 1 for the
            generator, the generator is updated in every fifth step.
    """

    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    clip: Positive | None = None
    steps: Whole = 1


class Adversarial(Task):
    """Images or sounds from noise, by a generator that is trained against a discriminator.

    The spec has both as `networks`; they are updated alternately, each by its own
    optimizer. A generator that ends in tanh needs data from -1 to 1: the option `range`.
    Networks with an input `label` receive the class of the image to generate, or of the
    one to score (Mirza and Osindero, 2014); with an input `tokens` its caption (Reed et al.,
    2016). `generate --label` or `--prompt` asks for images of one. Evaluation generates images and measures how
    far they are from real ones: by the squared Fréchet distance (Heusel et al., 2017)
    between the features of both in a small classifier trained on the same data. Waveforms have
    the role `waveform` in place of `image` (Donahue et al., 2018), and are evaluated by their
    spectrograms; `generate` writes them as a WAV file.

    Attributes:
        loss: non_saturating (Goodfellow et al., 2014), hinge (Lim and Ye, 2017), or wasserstein
            (Arjovsky et al., 2017).
        gradient_penalty: weight of the penalty on the discriminator's gradient: for wasserstein on how far its
            norm is from 1 between real and generated images (Gulrajani et al., 2017), otherwise on half of its
            square at real ones (R1; Mescheder et al., 2018).
        generator, discriminator: options that differ for one network.
        samples: number of images in a sample file.
    """

    forms: ClassVar[tuple[Form, ...]] = ("images", "captioned images", "waveforms")
    roles: ClassVar[tuple[Role, ...]] = (
        Role(
            "noise", "input", "float[B, latent]", "standard normal", False, "generator"
        ),
        Role("image", "output", "float[B, C, H, W]", "an image", False, "generator"),
        Role("image", "input", "float[B, C, H, W]", "an image", False, "discriminator"),
        Role("waveform", "output", "float[B, 1, S]", "a sound", False, "generator"),
        Role("waveform", "input", "float[B, 1, S]", "a sound", False, "discriminator"),
        Role(
            "score",
            "output",
            "float[B, 1]",
            "above 0 where it seems real; also float[B]",
            False,
            "discriminator",
        ),
        Role("label", "input", "int[B]", "class of the image", True, "generator"),
        Role("label", "input", "int[B]", "class of the image", True, "discriminator"),
        Role("tokens", "input", "int[B, T]", "caption of the image", True, "generator"),
        Role(
            "tokens",
            "input",
            "int[B, T]",
            "caption of the image",
            True,
            "discriminator",
        ),
    )
    metric: ClassVar[str] = "frechet"

    example: ClassVar[str] = """\
kind: adversarial
data: {digits: {range: "-1..1"}}
loss: hinge
epochs: 60
optimizer: {adam: {lr: 2e-4, betas: [0.5, 0.999]}}
discriminator: {optimizer: {adam: {lr: 4e-4, betas: [0.5, 0.999]}}}
"""

    kind: Literal["adversarial"]
    loss: Literal["non_saturating", "hinge", "wasserstein"] = "non_saturating"
    gradient_penalty: NotNegative = 0.0
    generator: NetworkTraining = Field(default_factory=NetworkTraining)
    discriminator: NetworkTraining = Field(default_factory=NetworkTraining)
    samples: Whole = 64

    @property
    def made(self) -> Literal["image", "waveform"]:
        """The role of what is generated."""
        return "waveform" if self.facts().form == "waveforms" else "image"

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        image: tuple[Wanted, ...] = (FREE, *(facts.image or (None, None, None)))
        if facts.form == "waveforms":
            image = (FREE, 1, facts.length)
        generator = check.network("generator")
        discriminator = check.network("discriminator")
        if generator is not None:
            self._generator(check, generator, image)
        if discriminator is not None:
            self._discriminator(check, discriminator, image)
        check_not_normalized(check, self.data)
        if self.gradient_penalty and self.precision.endswith("mixed"):
            message = "a gradient penalty needs all of its digits"
            help = "write precision: 32, or no gradient_penalty"
            check.report("task-misfit", ("gradient_penalty",), message, help=help)

    def _generator(
        self, check: PortCheck, net: Instance, image: tuple[Wanted, ...]
    ) -> None:
        check_noise(check, net)
        self._condition(check, net, ("noise",))
        port = check.output(net, self.made, "float", image)
        if port:
            self._range(check, net, port)

    def _discriminator(
        self, check: PortCheck, net: Instance, image: tuple[Wanted, ...]
    ) -> None:
        check.input(net, self.made, "float", image)
        self._condition(check, net, (self.made,))
        flat = any(kind.rank == 1 for kind in net.outputs.values())
        check.output(net, "score", "float", (FREE,) if flat else (FREE, 1))

    def _condition(
        self, check: PortCheck, net: Instance, others: tuple[str, ...]
    ) -> None:
        """Where a network is told the label, this is an integer for each image; or it is told the caption."""
        facts = self.facts()
        known = ("label", "tokens") if facts.form == "captioned images" else ("label",)
        roles = tuple(r for r in conditions(net, self.ports) if r in known)
        if "label" in roles:
            check.input(net, "label", "int", (FREE,))
        if "tokens" in roles:
            port = check.input(net, "tokens", "int", (FREE, FREE))
            if port:
                check.tokens(net, port, facts.vocab, self.data.name)
        check.fed(net, (*others, *roles))

    def _range(self, check: PortCheck, net: Instance, port: str) -> None:
        """Warn where the generator cannot give the values that the data has."""
        node = _end(net, port)
        op = node.calls[0].op if node is not None else None
        gives = ENDS.get(op.name) if op is not None else None
        holds = getattr(self.data, "range", gives)
        if node is not None and op is not None and gives != holds and gives is not None:
            message = (
                f"{op.name} gives values in {gives}, and {self.data.name} holds {holds}"
            )
            help = f"write data: {{{self.data.name}: {{range: {gives}}}}}"
            check.warn("task-misfit", node.node.place.span(), message, help=help)


def conditions(net: Instance, ports: Mapping[str, str]) -> tuple[str, ...]:
    """The roles of the inputs by which a network is told what the image shows."""
    inputs = net.scope.inputs
    return tuple(
        role for role in ("label", "tokens") if ports.get(role, role) in inputs
    )


def _end(net: Instance, port: str) -> TypedNode | None:
    """The layer that an output's values come from: what only moves them is passed over."""
    ref: object = net.scope.outputs[port]
    while isinstance(ref, Ref):
        node = net.nodes.get(ref.node)
        if node is None or not node.calls:
            return None
        op = node.calls[0].op
        if op is None or op.family not in ("reshape", "rearrange"):
            return node
        ref = node.inputs["input"]
    return None
