"""The losses that tasks name, as functions of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    HuberLoss,
    Loss,
    SquaredError,
)

_FUNCTIONS: Final[Mapping[type[Loss], Callable[..., Tensor]]] = {
    CrossEntropy: F.cross_entropy,
    BinaryCrossEntropy: F.binary_cross_entropy_with_logits,
    SquaredError: F.mse_loss,
    AbsoluteError: F.l1_loss,
    HuberLoss: F.huber_loss,
}


def example_losses(loss: Loss, output: Tensor, answer: Tensor, **more: Any) -> Tensor:
    """The loss of each example [B], without its weight; of several values it is the mean.

    Args:
        loss: the loss with its arguments.
        output: what the network gives: logits, or numbers.
        answer: class int[B], or numbers or labels float[B, n].
        more: further arguments of torch's function.

    Raises:
        RequestError: if a plug-in's loss has another shape.
    """
    compute = getattr(loss, "compute", None)  # of a plug-in
    if compute is not None:
        values: Tensor = compute(output, answer)
        if values.shape != answer.shape[:1]:
            shapes = f"{list(values.shape)} and not [{len(answer)}]"
            message = f"the loss {loss.name} must have a value for each example"
            raise RequestError(f"{message}: it returns {shapes}")
        return values
    own = {k: v for k, v in loss.arguments.items() if k not in ("weight", "target")}
    values = _FUNCTIONS[type(loss)](output, answer, reduction="none", **own, **more)
    return values.flatten(1).mean(1) if values.dim() > 1 else values
