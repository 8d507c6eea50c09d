"""`build`: a spec's module, diagram and summary as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compiler.reporting.outputs import artefacts
from compiler.write_files import write_whole
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import NoLimits, Sets, Spec, Variant
from layergraph.commands._verify import fail_unless_verified


def build(
    spec: Spec,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Output folder.  [default: build/ and the name]"
        ),
    ] = None,
    variant: Variant = "",
    sets: Sets = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Check of the module by `verify` before writing."
        ),
    ] = False,
    recurrent: Annotated[
        str,
        typer.Option(
            metavar="torch|portable",
            help="LSTM, GRU and RNN: torch's modules, or code in the file that torch.compile and torch.export support.",
        ),
    ] = "torch",
    no_limits: NoLimits = False,
) -> None:
    """Compile a spec to a PyTorch module, a diagram and a summary.

    They are written as DIR/NAME.py, .svg, .dot and .json.

    Example: layergraph build specs/gpt2.yaml --variant medium --set depth=4
    """
    if recurrent not in ("torch", "portable"):
        raise typer.BadParameter("use torch or portable", param_hint="--recurrent")
    program = compile_and_warn(spec, variant, sets, no_limits)
    program = program.portable() if recurrent == "portable" else program
    if verify:
        fail_unless_verified(program)
    folder = out or Path("build") / spec.stem
    made, missing = artefacts(program)
    files = {folder / f"{spec.stem}{suffix}": data for suffix, data in made.items()}
    write_whole(files)
    typer.echo("\n".join(map(str, files)))
    if missing:
        typer.echo(f"warning: there is no picture: {missing}", err=True)
