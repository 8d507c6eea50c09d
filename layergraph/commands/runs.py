"""The commands that train and run networks, for the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.limits import Limits

Run = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
Weights = Annotated[
    str, typer.Option(metavar="best|last|FILE", help="Which of its weights.")
]
Json = Annotated[bool, typer.Option("--json", help="Print data.")]
Devices = Annotated[int, typer.Option(min=1, help="Processes, or GPUs.")]


def train(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The YAML file.")],
    run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run.")
    ] = False,
    devices: Devices = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines, with torchrun.")] = 1,
    strategy: Annotated[str, typer.Option(metavar="ddp|fsdp")] = "auto",
    accelerator: Annotated[str, typer.Option(metavar="A")] = "auto",
    logger: Annotated[str, typer.Option(metavar="csv|tensorboard")] = "csv",
    variant: Annotated[
        str, typer.Option(metavar="V", help="A variant of the spec.")
    ] = "",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A param, or task.NAME."),
    ] = None,
) -> None:
    """Train the networks of a spec as its task says; the run is a folder."""
    from layergraph.commands.overrides import compile_chosen
    from runtime.engine.find_nonfinite import TrainingError
    from runtime.engine.folder import RunFolder
    from runtime.engine.progress import Progress
    from runtime.engine.signals import Stopped
    from runtime.engine.train import Options
    from runtime.engine.train import train as start

    program = compile_chosen(spec, variant, sets or (), limits=Limits())
    folder = RunFolder(run or default_run(spec, variant, resume))
    options = Options(resume, devices, accelerator, strategy, nodes, logger)
    try:
        start(program, folder, options, Progress)
    except (Stopped, TrainingError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.code) from None
    typer.echo(folder.path)


def evaluate(run: Run, weights: Weights = "best", as_json: Json = False) -> None:
    """Judge a run's networks by all metrics of their task, on what was held out."""
    from runtime.runs import open_run

    found = open_run(run, weights).evaluate()
    if as_json:
        typer.echo(json.dumps(found))
        return
    width = max(map(len, found))
    for name, value in found.items():
        typer.echo(f"{name:{width}}  {value:.6g}")


def predict(
    run: Run,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INPUT...]", help="Files or texts."),
    ] = None,
    weights: Weights = "best",
    as_json: Json = False,
) -> None:
    """What a run's networks say of images, texts or series."""
    from runtime.runs import open_run

    for found in open_run(run, weights).learner.predict(inputs or []):
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False))
        else:
            typer.echo("  ".join(f"{name}: {value}" for name, value in found.items()))


def generate(
    run: Run,
    prompt: Annotated[
        str, typer.Option(metavar="TEXT", help="What to go on from, or to translate.")
    ] = "",
    tokens: Annotated[
        int | None, typer.Option(min=0, help="How many, at most.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(metavar="F", help="0: the most probable token.")
    ] = None,
    top_k: Annotated[
        int | None, typer.Option(metavar="N", help="Draw from so many tokens.")
    ] = None,
    top_p: Annotated[
        float | None, typer.Option(metavar="P", help="Draw from this probability.")
    ] = None,
    repetition_penalty: Annotated[float | None, typer.Option(metavar="F")] = None,
    beam: Annotated[
        int | None, typer.Option(min=1, help="Search with so many hypotheses.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N")] = None,
    weights: Weights = "best",
    out: Annotated[
        Path | None, typer.Option("-o", metavar="FILE", help="Where to write it.")
    ] = None,
) -> None:
    """Write text, translate the prompt, or with -o draw a grid of images, as the run's task is."""
    from compiler.reporting.write_files import write_whole
    from runtime.generate import Wish
    from runtime.generate import generate as make
    from runtime.runs import open_run

    settings = {
        "tokens": tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "repetition_penalty": repetition_penalty,
        "seed": seed,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    made = make(open_run(run, weights), Wish(prompt, beam, given))
    if out is not None:
        write_whole({out: made if isinstance(made, bytes) else f"{made}\n"})
        typer.echo(out)
    elif isinstance(made, bytes):
        raise RequestError("what is made is a picture: -o FILE says where it goes")
    else:
        typer.echo(made)


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path("runs"),
    as_json: Json = False,
) -> None:
    """List the runs in a folder."""
    from runtime.runs import list_runs

    found = list_runs(folder)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for row in _table(found):
        typer.echo(row)


def _table(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The runs as lines of equal columns."""
    head = ("run", "network", "task", "status", "epochs", "seconds", "best")
    rows = [head, *map(_row, found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = (map(str.ljust, row, widths) for row in rows)
    return ["  ".join(line).rstrip() for line in lines]


def _row(run: Mapping[str, Any]) -> tuple[str, ...]:
    best = run.get("best")
    shown = "" if best is None else f"{run['metric']} {best:.4g}"
    epochs = f"{run.get('epoch', 0)}/{run.get('epochs', '?')}"
    words = (run["run"], run["name"], run["kind"], run["status"], epochs)
    return (*map(str, words), f"{run.get('seconds', 0):.0f}", shown)


def default_run(spec: Path, variant: str, resume: bool) -> Path:
    """`runs/` and the names of spec and variant; a number behind them, where there is such a run."""
    name = "-".join(filter(None, (spec.stem, variant)))
    wanted = Path("runs") / name
    number = 1
    while not resume and (wanted / "run.json").exists():
        number += 1
        wanted = Path("runs") / f"{name}-{number}"
    return wanted


COMMANDS: Sequence[Callable[..., None]] = (train, evaluate, predict, generate, runs)
