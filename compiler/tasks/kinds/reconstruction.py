"""Reconstruction: an example from its latent code (autoencoders; Kingma and Welling, 2013)."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Final, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import NotNegative
from compiler.tasks.image_data import check_not_normalized
from compiler.tasks.noise import check_noise
from compiler.tasks.ports import FREE, PortCheck, Wanted
from compiler.tasks.roles import Role
from compiler.tasks.task import Task

CODE: Final = ("mean", "log_variance")
"""The outputs of a variational autoencoder about its code."""


class Reconstruction(Task):
    """An image from its latent code: an autoencoder.

    With the outputs `mean` and `log_variance` it is a variational one (Kingma and Welling,
    2013): the loss includes the KL divergence of the code from a standard normal, and `noise`,
    from which the code is sampled, is standard normal in training and 0 in evaluation. With an
    input `label` it knows the class of each image (Sohn et al., 2015): `generate --label` draws
    images of one class, and `predict` names the class with which an image is reconstructed best.

    Attributes:
        loss: squared error, or binary cross-entropy for values from 0 to 1, for which
            `reconstruction` has the logits; summed over the values of an image.
        beta: weight of the KL divergence (Higgins et al., 2017).
    """

    forms: ClassVar[tuple[Form, ...]] = ("images",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("image", "input", "float[B, C, H, W]", "an image"),
        Role(
            "reconstruction", "output", "float[B, C, H, W]", "the reconstructed image"
        ),
        Role("noise", "input", "float[B, latent]", "standard normal", optional=True),
        Role("label", "input", "int[B]", "class of the image", optional=True),
        Role("mean", "output", "float[B, latent]", "of the latent code", optional=True),
        Role(
            "log_variance",
            "output",
            "float[B, latent]",
            "of the latent code",
            optional=True,
        ),
    )

    example: ClassVar[str] = """\
kind: reconstruction
data: mnist
loss: bce
beta: 0.5
"""

    kind: Literal["reconstruction"]
    loss: Literal["mse", "bce"] = "mse"
    beta: NotNegative = 1.0

    def variational(self, outputs: Collection[str]) -> bool:
        """Whether a network with these outputs is a variational autoencoder."""
        return all(self.has(outputs, role) for role in CODE)

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        image: tuple[Wanted, ...] = (FREE, *(facts.image or (None, None, None)))
        check.input(net, "image", "float", image)
        noise = ("noise",) if self.has(net.scope.inputs, "noise") else ()
        if noise:
            check_noise(check, net)
        label = ("label",) if self.has(net.scope.inputs, "label") else ()
        if label:
            port = check.input(net, "label", "int", (FREE,))
            if port:
                check.tokens(net, port, facts.classes, self.data.name, "classes")
        check.fed(net, ("image", *noise, *label))
        check.output(net, "reconstruction", "float", image)
        for role in CODE if self.variational(net.outputs) else ():
            check.output(net, role, "float", (FREE, None))
        self._range(check)
        check_not_normalized(check, self.data)

    def _range(self, check: PortCheck) -> None:
        """Report cross-entropy of what is no probability."""
        if self.loss == "bce" and getattr(self.data, "range", "") == "-1..1":
            message = "binary cross-entropy is of values from 0 to 1"
            label = f"{self.data.name} holds values from -1"
            help = "write range: 0..1, or loss: mse"
            check.report("data-misfit", ("data",), message, label, help)
