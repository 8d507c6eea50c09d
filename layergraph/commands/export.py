"""`export`: networks as a program or weights for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra
from compiler.write_files import write_whole
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import Names, Network, NoLimits, Sets, Variant
from layergraph.spec_file import spec_file

if TYPE_CHECKING:  # imports torch
    from runtime.export.export_source import ExportSource


def export(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SPEC|RUN", help="Spec file, name of a shipped spec, or run folder."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            metavar="FILE",
            help="Output file; its suffix is the format, such as .onnx or .safetensors.",
        ),
    ],
    weights: Annotated[
        str,
        typer.Option(
            metavar="best|last|FILE",
            help="Weights: of a run (default: best), or from a file; a spec's default is newly initialised weights.",
        ),
    ] = "",
    network: Network = "",
    names: Names = "",
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Export a network for other tools, or its weights.

    A program (.onnx, or .pt2 for torch.export.load) has every symbol of the inputs as a dynamic dimension, and requires
    optional inputs.

    Example: layergraph export runs/cnn_digits -o cnn.onnx
    """
    from runtime.export.find_target import find_target, target_name

    target = target_name(out)  # a wrong suffix is an error before anything is compiled
    if source.is_dir():
        if names or variant or sets:
            raise RequestError("a run has its names, variant and params")
        found = _run(source, weights, network)
    else:
        found = _spec(source, weights, network, names, variant, sets, no_limits)
    write_whole({out: find_target(target)(found)})
    typer.echo(out)


@needs_extra("train")
def _run(folder: Path, weights: str, network: str) -> ExportSource:
    from runtime.export.export_source import from_run
    from runtime.open_run import open_run

    return from_run(open_run(folder, weights or "best"), network)


@needs_extra("torch")
def _spec(
    source: Path,
    weights: str,
    network: str,
    names: str,
    variant: str,
    sets: list[str] | None,
    no_limits: bool,
) -> ExportSource:
    program = compile_and_warn(spec_file(source), variant, sets, no_limits)
    from runtime.export.export_source import from_spec

    return from_spec(program, Path(weights) if weights else None, network, names)
