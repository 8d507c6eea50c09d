"""A network as an ONNX model."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch.export import ExportedProgram

from compiler.diagnostics.diagnostic import Diagnostic, RequestError, SpecError
from compiler.ir.typed import Instance
from runtime.compare_module import RAISED_BY_TORCH
from runtime.export.export_source import ExportSource
from runtime.export.trace import first_reason, trace

EXTRA: Final = "export"
MAX_BYTES: Final = 2**31 - 1
"""Maximum size of an ONNX file."""


def serialize(source: ExportSource) -> bytes:
    """The content of an .onnx file.

    Inputs and outputs have the names of the network's ports, dynamic axes those of its symbols.
    """
    instance, module = source.only()
    size = sum(tensor.nbytes for tensor in module.state_dict().values())
    if size > MAX_BYTES:
        message = f"the weights of {instance.scope.name} are {size:,} bytes"
        raise RequestError(f"{message}, and an .onnx file has at most {MAX_BYTES:,}")
    program = trace(instance, module)
    try:
        model = _convert(instance, program)
    except RAISED_BY_TORCH as error:
        span = instance.scope.place.span()
        message = f"{instance.scope.name} has no ONNX program: {first_reason(error)}"
        raise SpecError((Diagnostic("no-export", message, span),)) from error
    content: bytes = model.model_proto.SerializeToString()
    return content


def _convert(instance: Instance, program: ExportedProgram) -> Any:
    with _without_notices():
        model = torch.onnx.export(program, (), dynamo=True, verbose=False)
    if model is None:
        raise RuntimeError("torch returned none")
    _name_ports(instance, model.model.graph)
    model.rename_axes(_axis_names(instance, model.model.graph))
    parts: list[Any] = [model.model.graph, *model.model.functions.values()]
    for part in parts:
        for node in part.all_nodes():  # what torch notes for its developers
            node.metadata_props.clear()
    return model


def _name_ports(instance: Instance, graph: Any) -> None:
    present = [port for port, found in instance.inputs.items() if found is not None]
    for value, port in zip(graph.inputs, present, strict=True):
        value.name = port
    for value, port in zip(graph.outputs, instance.outputs, strict=True):
        value.name = port


def _axis_names(instance: Instance, graph: Any) -> dict[str | Any, str]:
    """Torch's names of dynamic axes, with the sizes of the spec that they are."""
    types = [found for found in instance.inputs.values() if found is not None]
    names: dict[str | Any, str] = {}
    for value, found in zip(
        (*graph.inputs, *graph.outputs),
        (*types, *instance.outputs.values()),
        strict=True,
    ):
        for axis, size in zip(value.shape, found.shape, strict=True):
            if not isinstance(axis, int):
                names.setdefault(str(axis.value), str(instance.context.value(size)))
    return names


@contextmanager
def _without_notices() -> Iterator[None]:
    """Torch's exporter logs which packages it found, and warns of its own calls; afterwards all is as before."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
