"""`train`: the networks of a recipe or a spec, trained as its task says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.extras import needs_extra
from compiler.diagnostics.limits import Limits
from compiler.program import Program
from compiler.tasks.data_set import PACKAGE
from layergraph.commands._options import Variant
from layergraph.commands._output import echo_text, table_lines
from layergraph.overrides import compile_chosen
from layergraph.spec_file import spec_file
from layergraph.sweep import SweptRun, summary, swept_runs, train_all

if TYPE_CHECKING:  # torch takes long to import
    from runtime.engine.trainer import TrainerOptions


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
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE,VALUE",
            help="Values of a param, of task.NAME, lr or seed: a run for each combination; may be repeated.",
        ),
    ] = None,
) -> None:
    """Train the networks of a recipe into a run folder.

    With --resume, a run folder in place of the recipe is enough: it has its spec and its settings.

    With --sweep, each combination has a run in the folder; its table is sweep.csv, and printed, the best first.

    Example: layergraph train recipes/cnn_digits.yaml --set task.epochs=3
    """
    from runtime.engine.find_nonfinite import TrainingError
    from runtime.engine.progress import ProgressCallback
    from runtime.engine.run_folder import RunFolder
    from runtime.engine.signals import Stopped
    from runtime.engine.trainer import TrainerOptions
    from runtime.engine.trainer import train as start

    _check_options(source, run, resume, weights, variant)
    starts = [f"task.start.weights={json.dumps(_absolute(weights))}"] if weights else []
    given = [*(sets or []), *starts]
    if sweep:
        if devices > 1 or nodes > 1 or source.is_dir():
            raise RequestError("a sweep is of a recipe, on one device")
        folder = run or Path("runs") / f"{folder_name(source, variant)}-sweep"
        options = TrainerOptions(False, 1, accelerator, strategy, 1, logger)
        _sweep(source, folder, variant, given, sweep, options)
        return
    folder = source if source.is_dir() else run or default_run(source, variant, resume)
    program, told = _compile(source, folder, resume, variant, given)
    options = TrainerOptions(
        resume, devices, accelerator, strategy, nodes, logger, told
    )
    try:
        start(program, RunFolder(folder), options, ProgressCallback)
    except (Stopped, TrainingError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.code) from None
    typer.echo(folder)


def _check_options(
    source: Path, run: Path | None, resume: bool, weights: Path | None, variant: str
) -> None:
    """Refuse options that contradict one another.

    Raises:
        RequestError: where some do.
    """
    if source.is_dir() and not resume:
        raise RequestError(f"{source} is a folder: --resume continues its run")
    if source.is_dir() and (run or variant):
        raise RequestError("a run has its folder and its variant")
    if weights and resume:
        raise RequestError("a run that is resumed has its weights")


def _absolute(weights: Path) -> str:
    """The path of weights for the folder of any spec; a package's file is found by its package."""
    packaged = str(weights).startswith(PACKAGE)
    return str(weights if packaged else weights.resolve())


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


def _sweep(
    source: Path,
    folder: Path,
    variant: str,
    sets: list[str],
    texts: list[str],
    options: TrainerOptions,
) -> None:
    """Train all combinations; an interrupted sweep goes on where it was, as its runs do."""
    from runtime.engine.find_nonfinite import TrainingError
    from runtime.engine.progress import ProgressCallback
    from runtime.engine.run_folder import RunFolder
    from runtime.engine.signals import Stopped
    from runtime.engine.trainer import train as start

    file = spec_file(source)
    first = compile_chosen(file, variant, sets, limits=Limits())
    runs = swept_runs(texts, first, folder)
    # All are compiled before the first is trained: an error in one is reported at once.
    programs = {
        one.folder: compile_chosen(file, variant, (*sets, *one.sets), limits=Limits())
        for one in runs
    }

    def train_one(one: SweptRun) -> None:
        own = RunFolder(one.folder)
        told = replace(options, resume=own.is_saved, sets=(*sets, *one.sets))
        typer.echo(f"{one.folder}: {', '.join(one.sets)}", err=True)
        try:
            start(programs[one.folder], own, told, ProgressCallback)
        except TrainingError as error:
            typer.echo(f"error: {error}", err=True)
        except Stopped as error:
            typer.echo(f"error: {error}; the same command continues it", err=True)
            raise typer.Exit(error.code) from None

    def read(one: SweptRun) -> dict[str, Any]:
        if not (one.folder / "run.json").exists():
            return {}
        info = RunFolder(one.folder).read_info()
        if info["sets"] != [*sets, *one.sets]:
            message = f"{one.folder} has a run with other settings"
            raise RequestError(f"{message}: choose another folder with --run")
        return info

    rows = train_all(runs, train_one, read, folder)
    task = programs[runs[0].folder].task
    assert task is not None
    metric, better = task.best_metric
    for line in table_lines(summary(rows, runs, better, metric)):
        echo_text(line)
    typer.echo(folder)


def folder_name(spec: Path, variant: str) -> str:
    """The names of spec and variant, for a run of them."""
    return "-".join(filter(None, (spec.stem, variant)))


def default_run(spec: Path, variant: str, resume: bool) -> Path:
    """`runs/` and the names of spec and variant, with a number after them if there is such a run."""
    name = folder_name(spec, variant)
    wanted = Path("runs") / name
    number = 1
    while not resume and (wanted / "run.json").exists():
        number += 1
        wanted = Path("runs") / f"{name}-{number}"
    return wanted
