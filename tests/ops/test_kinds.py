"""Kinds of inputs on real tensors: the meta device has no kernels, and takes what the CPU refuses."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.ops.torch_samples import (
    Sample,
    function_names,
    function_samples,
    module_names,
    module_samples,
)
from tests.ops.try_samples import runs

SAMPLES = 1
DTYPES = (torch.float32, torch.int64, torch.bool)


def _names() -> list[Any]:
    functions = [("function", name) for name in function_names()]
    return [*functions, *(("module", name) for name in module_names())]


def _samples(kind: str, name: str) -> Iterator[Sample]:
    found = function_samples(name) if kind == "function" else module_samples(name)
    proper = (one for one in found if isinstance(one, Sample))
    return itertools.islice(proper, SAMPLES)


def _cast(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, tuple):
        return tuple(_cast(item, dtype) for item in value)
    assert isinstance(value, Tensor)
    return value.double().abs().clamp(max=1).to(dtype)


@pytest.mark.parametrize("start", range(4))
def test_a_kind_that_is_taken_runs_on_the_cpu(start: int) -> None:
    warnings.simplefilter("ignore")
    for kind, name in _names()[start::4]:
        for sample in _samples(kind, name):
            ports = list(sample.inputs)[:3]
            for dtypes in itertools.product(DTYPES, repeat=len(ports)):
                cast = {
                    port: _cast(sample.inputs[port], dtype)
                    for port, dtype in zip(ports, dtypes, strict=True)
                }
                runs(replace(sample, inputs={**sample.inputs, **cast}))
