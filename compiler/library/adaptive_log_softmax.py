"""nn.AdaptiveLogSoftmaxWithLoss for torch.compile(fullgraph=True) and torch.export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class AdaptiveLogSoftmax(nn.AdaptiveLogSoftmaxWithLoss):
    """Adaptive log-softmax and loss: rare classes use fewer features.

    input: float[N, D], target: int[N]
    -> log-probability of the target: float[N], loss: float[]; N is optional

    torch's forward depends on which clusters the targets are in, which neither graphs
    nor meta tensors support; for those, this one computes the log-probabilities of all
    classes. Grave et al., "Efficient softmax approximation for GPUs", 2017.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: int | Sequence[int],
        *,
        div_value: float = 4.0,
        head_bias: bool = False,
    ) -> None:
        places = [cutoffs] if isinstance(cutoffs, int) else cutoffs
        super().__init__(in_features, n_classes, places, div_value, head_bias)

    def forward(self, input_: Tensor, target_: Tensor) -> Any:
        if not (torch.compiler.is_compiling() or input_.is_meta):
            return super().forward(input_, target_)
        rows = input_ if input_.dim() == 2 else input_.unsqueeze(0)
        every = self.log_prob(rows).view(*input_.shape[:-1], self.n_classes)
        output = every.gather(-1, target_.unsqueeze(-1)).squeeze(-1)
        return output, -output.mean()
