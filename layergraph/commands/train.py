"""`train`: the networks of a recipe or a spec, trained as its task says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra
from compiler.diagnostics.limits import Limits
from compiler.program import Program
from layergraph.commands._options import Variant
from layergraph.overrides import compile_chosen
from layergraph.spec_file import spec_file


@needs_extra("train")
def train(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RECIPE|RUN",
            help="Recipe or spec with a task, by file or shipped name; or run folder to resume.",
        ),
    ],
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Run folder.  [default: runs/ and the name]"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continuation of the run in its folder.")
    ] = False,
    devices: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Processes, or GPUs, on each machine."),
    ] = 1,
    nodes: Annotated[
        int, typer.Option(min=1, metavar="N", help="Machines, started by torchrun.")
    ] = 1,
    strategy: Annotated[
        str,
        typer.Option(metavar="auto|ddp|fsdp", help="Strategy for several devices."),
    ] = "auto",
    accelerator: Annotated[
        str, typer.Option(metavar="auto|cpu|gpu", help="Kind of device.")
    ] = "auto",
    logger: Annotated[
        str, typer.Option(metavar="csv|tensorboard", help="Log of the metrics.")
    ] = "csv",
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|RUN", help="Weights to start from: a file, or another run."
        ),
    ] = None,
    variant: Variant = "",
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Value of a param or of task.NAME; may be repeated.",
        ),
    ] = None,
) -> None:
    """Train the networks of a recipe into a run folder.

    With --resume, a run folder in place of the recipe is enough: it has its spec and its settings.

    Example: layergraph train recipes/cnn_digits.yaml --set task.epochs=3
    """
    from runtime.engine.find_nonfinite import TrainingError
    from runtime.engine.progress import ProgressCallback
    from runtime.engine.run_folder import RunFolder
    from runtime.engine.signals import Stopped
    from runtime.engine.trainer import TrainerOptions
    from runtime.engine.trainer import train as start

    folder = source if source.is_dir() else run or default_run(source, variant, resume)
    if source.is_dir() and not resume:
        raise RequestError(f"{source} is a folder: --resume continues its run")
    if source.is_dir() and (run or variant):
        raise RequestError("a run has its folder and its variant")
    if weights and resume:
        raise RequestError("a run that is resumed has its weights")
    starts = (
        [f"task.start.weights={json.dumps(str(weights.resolve()))}"] if weights else []
    )
    program, told = _compile(source, folder, resume, variant, [*(sets or []), *starts])
    options = TrainerOptions(
        resume, devices, accelerator, strategy, nodes, logger, told
    )
    try:
        start(program, RunFolder(folder), options, ProgressCallback)
    except (Stopped, TrainingError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.code) from None
    typer.echo(folder)


def _compile(
    source: Path, folder: Path, resume: bool, variant: str, sets: list[str]
) -> tuple[Program, tuple[str, ...]]:
    """The program to train, and all overrides since the run began.

    A resumed run keeps its overrides: a run folder's spec has them already, a spec is compiled with them again.
    """
    from runtime.engine.run_folder import SPEC, RunFolder

    run = RunFolder(folder)
    before: list[str] = []
    if resume and (source == folder or run.is_saved):
        info = run.read_info()
        before, variant = info["sets"], variant or info["variant"]
    told = (*before, *sets)
    if source == folder:
        program = compile_chosen(source / SPEC, "", sets, limits=Limits())
    else:
        program = compile_chosen(spec_file(source), variant, told, limits=Limits())
    return program, told


def default_run(spec: Path, variant: str, resume: bool) -> Path:
    """`runs/` and the names of spec and variant, with a number after them if there is such a run."""
    name = "-".join(filter(None, (spec.stem, variant)))
    wanted = Path("runs") / name
    number = 1
    while not resume and (wanted / "run.json").exists():
        number += 1
        wanted = Path("runs") / f"{name}-{number}"
    return wanted
