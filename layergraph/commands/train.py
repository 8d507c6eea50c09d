"""`train`: the networks of a spec, trained as its task says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compiler.diagnostics.extras import needs_extra
from compiler.diagnostics.limits import Limits
from layergraph.commands._options import Spec, Variant
from layergraph.overrides import compile_chosen


@needs_extra("train")
def train(
    spec: Spec,
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
    """Train a spec's networks as its task says, into a run folder.

    Example: layergraph train specs/cnn.yaml --variant digits --set task.epochs=3
    """
    from runtime.engine.find_nonfinite import TrainingError
    from runtime.engine.progress import ProgressCallback
    from runtime.engine.run_folder import RunFolder
    from runtime.engine.signals import Stopped
    from runtime.engine.trainer import TrainerOptions
    from runtime.engine.trainer import train as start

    program = compile_chosen(spec, variant, sets or (), limits=Limits())
    folder = RunFolder(run or default_run(spec, variant, resume))
    options = TrainerOptions(resume, devices, accelerator, strategy, nodes, logger)
    try:
        start(program, folder, options, ProgressCallback)
    except (Stopped, TrainingError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.code) from None
    typer.echo(folder.path)


def default_run(spec: Path, variant: str, resume: bool) -> Path:
    """`runs/` and the names of spec and variant, with a number after them if there is such a run."""
    name = "-".join(filter(None, (spec.stem, variant)))
    wanted = Path("runs") / name
    number = 1
    while not resume and (wanted / "run.json").exists():
        number += 1
        wanted = Path("runs") / f"{name}-{number}"
    return wanted
