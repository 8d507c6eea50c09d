"""torch's own samples of its functions and modules, as layers: `op_db` and `module_db`.

A sample is mapped to an op by the op's torch name; its arguments and tensors go by their
names, or by order where torch's function has no signature.
"""

from __future__ import annotations

import inspect
import sys
import types
import unittest
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from hypothesis import settings
from torch import Tensor, nn

from compiler.op.op import Op, arguments
from compiler.op.registry import ops

# torch's database imports it for a base class of torch's own tests.
_stub = types.ModuleType("expecttest")
_stub.TestCase = unittest.TestCase  # type: ignore[attr-defined]
sys.modules.setdefault("expecttest", _stub)

_PROFILE = settings.get_current_profile_name()

from torch.testing._internal import common_utils  # noqa: E402
from torch.testing._internal.common_methods_invocations import (  # noqa: E402
    op_db,
)
from torch.testing._internal.common_modules import module_db  # noqa: E402
from torch.testing._internal.opinfo import core as opinfo_core  # noqa: E402

settings.load_profile(_PROFILE)  # torch's own would hold for all tests of this process
# For each sample it reads the source of every frame of the stack, in search of a test of torch's own; there is none.
for _module in (common_utils, opinfo_core):
    _module.extract_test_fn = lambda: None

DTYPES = (torch.float32, torch.int64, torch.bool)

SEED = 42
"""The seed that torch's database sets for functions with random numbers."""

_NOT_THE_SAME = frozenset(
    [
        "narrow",
        "full",
        "to",
        "__getitem__",
        "arange",
        "randn_like",
        "rand_like",
        "bernoulli",
        "nn.functional.scaled_dot_product_attention",
    ]
)
"""Functions that an op is named after and does not stand for, and those that give noise."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "flatten": {"start_dim": 0},
    "split": {"dim": 0},
    "chunk": {"dim": 0},
    "concat": {"dim": 0},
    "stack": {"dim": 0},
}
"""Defaults of torch's functions that differ from those of the ops."""

_ALSO = {
    "flatten": "flatten",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "unflatten": "unflatten",
    "bmm": "matmul",
    "mm": "matmul",
    "view": "reshape",
    "split_with_sizes": "split",
    "nn.functional.max_unpool1d": "max_unpool1d",
    "nn.functional.max_unpool2d": "max_unpool2d",
    "nn.functional.max_unpool3d": "max_unpool3d",
    "nn.functional.rms_norm": "",
    "where": "where",
    "tril": "tril",
    "ne": "ne",
}
_BY_NUMBER = {"add": ("shift", "value"), "mul": ("scale", "factor")}
_RENAMED = {
    ("softmax", "dim"): "dim",
    ("round", "decimals"): "decimals",
    ("split", "split_size_or_sections"): "split_size",
    ("split", "split_sizes"): "split_size",
}

INFERRED = frozenset(
    [
        "in_features",
        "in_channels",
        "num_features",
        "num_channels",
        "normalized_shape",
        "input_size",
        "d_model",
        "embed_dim",
        "in1_features",
        "in2_features",
        "device",
        "dtype",
    ]
)
"""Arguments of torch's modules that inference supplies."""


@dataclass(frozen=True)
class Sample:
    """A layer, what it is fed, and what torch computes; `state` are the weights of torch's module."""

    source: str
    op: str
    arguments: Mapping[str, Any]
    inputs: Mapping[str, Tensor | tuple[Tensor, ...]]
    expected: tuple[Tensor, ...]
    state: Mapping[str, Tensor] = field(default_factory=dict)


class Unmapped(Exception):
    """A sample that is no layer: what of it no spec can say."""


@cache
def by_torch_name() -> dict[str, str]:
    """Ops by the names that torch's database has for functions."""
    found: dict[str, str] = {}
    for name, op in ops().items():
        functions = {op.torch, op.function.replace("F.", "torch.nn.functional.", 1)}
        for function in functions:
            short = function.removeprefix("torch.Tensor.").removeprefix("torch.")
            found.setdefault(short, name)
    found |= _ALSO
    return {k: v for k, v in found.items() if v and k not in _NOT_THE_SAME}


def function_names() -> list[str]:
    """The functions of torch's database that an op stands for."""
    known = by_torch_name()
    return sorted({info.name for info in op_db if info.name in known})


def function_samples(name: str) -> Iterator[Sample | Unmapped]:
    """The samples of one function, of every dtype that the language has."""
    for info in op_db:
        if info.name != name:
            continue
        for dtype in DTYPES:
            if dtype not in info.dtypes:
                continue
            torch.manual_seed(0)
            for sample in info.sample_inputs("cpu", dtype, requires_grad=False):
                try:
                    yield _function_sample(info, sample)
                except Unmapped as reason:
                    yield reason


def _function_sample(info: Any, sample: Any) -> Sample:
    op = by_torch_name()[info.name]
    values = [sample.input, *sample.args]
    if info.name == "where":  # the database has the condition second
        values[:2] = values[1::-1]
    numbers = [v for v in values[1:] if not isinstance(v, Tensor)]
    if info.name in _BY_NUMBER and numbers:
        op, _ = _BY_NUMBER[info.name]
    target = ops()[op]
    given, inputs = _assigned(target, values, sample.kwargs)
    given = {**_DEFAULTS.get(op, {}), **given}
    if op.startswith("max_unpool") and isinstance(given.get("output_size"), list):
        given["output_size"] = given["output_size"][-int(op[-2]) :]
    _require_kinds(inputs)
    torch.manual_seed(SEED)
    copied = {k: _cloned(v) for k, v in inputs.items()}
    outputs = info.op(sample.input, *sample.args, **sample.kwargs)
    return Sample(info.name, op, given, copied, _flat(outputs))


def _assigned(
    op: type[Op], values: Iterable[Any], options: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments and tensors by the op's names."""
    ports = [port.name for port in op.inputs]
    variadic = any(port.variadic for port in op.inputs)
    inputs: dict[str, Any] = {}
    given: dict[str, Any] = {}
    free = [key for key in arguments(op) if key not in options]
    for key, value in options.items():
        name = _RENAMED.get((op.name, key), key)
        if _is_tensors(value):
            if name not in ports:
                raise Unmapped(f"a tensor for {name}")
            inputs[name] = value
        elif value is not None or name in arguments(op):
            given[name] = _plain(value)
    tensors: list[Any] = []
    left_out: set[str] = set()
    for number, value in enumerate(values):
        either = number > 0 and bool(free) and free[0] in ports
        if either and (value is None or _is_tensors(value)):
            by_name = free.pop(0)  # an argument that may be an input, too
            left_out |= {by_name} if value is None else set()
            inputs |= {} if value is None else {by_name: value}
        elif _is_tensors(value):
            tensors.extend(value if isinstance(value, list | tuple) else [value])
        elif isinstance(value, nn.Module) or callable(value):
            raise Unmapped("a function or module as an argument")
        elif free:
            given[free.pop(0)] = _plain(value)
        else:
            raise Unmapped("more arguments than the op has")
    if variadic:
        return given, {ports[0]: tuple(tensors)}
    left = [port for port in ports if port not in inputs and port not in left_out]
    if len(tensors) > len(left):
        raise Unmapped("more tensors than the op has inputs")
    inputs |= dict(zip(left, tensors, strict=False))
    return given, {port: inputs[port] for port in ports if port in inputs}


def _is_tensors(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, Tensor) for item in value)
    return isinstance(value, Tensor)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, torch.dtype | complex | Tensor | torch.memory_format):
        raise Unmapped(f"a {type(value).__name__} as an argument")
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    raise Unmapped(f"a {type(value).__name__} as an argument")


def _require_kinds(inputs: Mapping[str, Any]) -> None:
    for value in inputs.values():
        for one in value if isinstance(value, tuple) else (value,):
            if one.dtype not in DTYPES:
                raise Unmapped(f"a tensor of {one.dtype}")


def _cloned(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_cloned(item) for item in value)
    return value.detach().clone()


def _flat(outputs: Any) -> tuple[Tensor, ...]:
    if isinstance(outputs, Tensor):
        found = outputs.detach()
        return (found.real, found.imag) if found.is_complex() else (found,)
    return tuple(one for item in outputs if item is not None for one in _flat(item))


def module_names() -> list[str]:
    """The modules of torch's database that an op stands for."""
    return sorted(info.name for info in module_db if info.name in _modules())


@cache
def _modules() -> dict[str, str]:
    found = {op.torch.removeprefix("torch."): name for name, op in ops().items()}
    return {**found, "nn.Embedding": "embedding"}


def module_samples(name: str) -> Iterator[Sample | Unmapped]:
    """The samples of one module, in evaluation."""
    (info,) = [one for one in module_db if one.name == name]
    torch.manual_seed(0)
    made = info.module_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=False, training=False
    )
    for one in made:
        try:
            yield _module_sample(name, info.module_cls, one)
        except Unmapped as reason:
            yield reason


def _module_sample(name: str, cls: Any, sample: Any) -> Sample:
    made, run = sample.constructor_input, sample.forward_input
    target = ops()[_modules()[name]]
    given = _constructor_arguments(target, cls, made)
    batch_first = given.pop("batch_first", False)
    torch.manual_seed(SEED)
    module = cls(*made.args, **made.kwargs).eval()
    more, inputs = _assigned(target, *_forward_arguments(target, cls, run))
    _require_kinds(inputs)
    holder = getattr(module, "self_attn", module)
    swapped = hasattr(holder, "batch_first") and not batch_first
    if swapped and next(iter(inputs.values())).dim() == 3:
        raise Unmapped("a batch that is not the first dimension")
    torch.manual_seed(SEED)
    # torch's modules mark what is left out, the ops what takes part
    copied = {
        port: ~_cloned(value) if port.endswith("mask") else _cloned(value)
        for port, value in inputs.items()
    }
    outputs = module(*run.args, **run.kwargs)
    return Sample(
        name, target.name, given | more, copied, _flat(outputs), module.state_dict()
    )


def _constructor_arguments(op: type[Op], cls: Any, made: Any) -> dict[str, Any]:
    """The arguments of a module's class that the op takes, and those that it does not know."""
    named = inspect.signature(cls.__init__).bind(None, *made.args, **made.kwargs)
    found = dict(list(named.arguments.items())[1:])
    found.pop("args", None)
    found |= found.pop("kwargs", {})
    shape = found.pop("normalized_shape", None)
    if isinstance(shape, list | tuple):
        found["normalized_dims"] = len(shape)
    known = arguments(op)
    given = {
        key: _plain(value)
        for key, value in found.items()
        if key in known or (key not in INFERRED and value is not None)
    }
    if given.get("proj_size") == 0:  # torch's word for none
        given["proj_size"] = None
    return given


def _forward_arguments(
    op: type[Op], cls: Any, run: Any
) -> tuple[list[Any], dict[str, Any]]:
    """What a module is called with: values by order, and those that the op has by name."""
    named = inspect.signature(cls.forward).bind(None, *run.args, **run.kwargs)
    given = {k: v for k, v in named.arguments.items() if v is not None}
    ports = [port.name for port in op.inputs]
    options = {k: v for k, v in given.items() if k in ports or k in arguments(op)}
    rest = {k: v for k, v in given.items() if k not in options and v is not False}
    for key, value in rest.items():
        if not isinstance(value, tuple | Tensor):
            raise Unmapped(f"forward's {key}")
    if op.name == "multihead_attention":  # torch returns them unless told otherwise
        options.setdefault("need_weights", True)
    return list(rest.values()), options
