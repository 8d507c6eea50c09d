"""References that compute parts in single precision, kept in the model's precision."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.reference.equality import Outputs, Run


def exact(run: Run) -> Run:
    """The same run, in which nothing of double precision is made single.

    Norms, states and scores of some models go through `x.float()` or
    `x.to(torch.float32)`, whatever the precision of the model, which hides differences
    below 1e-7. What nothing is learned through, such as the angles of rotary positions,
    is single precision on both sides and stays so.
    """

    def run_exact(model: nn.Module) -> Outputs:
        with ExitStack() as patches:
            patches.enter_context(patch.object(Tensor, "float", _float))
            patches.enter_context(patch.object(Tensor, "to", _to))
            patches.enter_context(patch.object(Tensor, "type", _type))
            patches.enter_context(patch.object(F, "softmax", _softmax))
            return run(model)

    return run_exact


_FLOAT, _TO, _TYPE, _SOFTMAX = Tensor.float, Tensor.to, Tensor.type, F.softmax


def _is_double(tensor: Tensor) -> bool:
    return tensor.dtype == torch.float64 and tensor.requires_grad


def _float(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return tensor if _is_double(tensor) else _FLOAT(tensor, *args, **kwargs)


def _to(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    single = torch.float32 in args or kwargs.get("dtype") is torch.float32
    return tensor if single and _is_double(tensor) else _TO(tensor, *args, **kwargs)


def _type(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
    single = torch.float32 in args
    return tensor if single and _is_double(tensor) else _TYPE(tensor, *args, **kwargs)


def _softmax(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    if _is_double(tensor):
        kwargs.pop("dtype", None)
    return _SOFTMAX(tensor, *args, **kwargs)
