"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from layergraph.spec_file import spec_file

Spec = Annotated[
    Path,
    typer.Argument(
        metavar="SPEC", help="Spec file, or name of a shipped spec.", parser=spec_file
    ),
]
Specs = Annotated[
    list[Path],
    typer.Argument(
        metavar="SPEC",
        help="Spec files, or names of shipped specs.",
        parser=spec_file,
    ),
]
Variant = Annotated[
    str,
    typer.Option(metavar="NAME", help="Variant of the spec: a named set of params."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Value of a param; may be repeated."
    ),
]
NoLimits = Annotated[
    bool,
    typer.Option(
        "--no-limits", help="No limits on a spec's size, for specs you trust."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Output as JSON.")]
Picture = typer.Option(
    "-o",
    metavar="FILE",
    help="Picture file; its suffix is the format, such as .svg, .pdf or .html.",
)
Network = Annotated[
    str, typer.Option(metavar="NAME", help="Network, of a spec with several.")
]
Names = Annotated[
    str,
    typer.Option(
        metavar="published|own", help="Names in the file, where both would fit."
    ),
]
Run = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Run folder.", exists=True, file_okay=False),
]
Weights = Annotated[
    str,
    typer.Option(metavar="best|last|FILE", help="Weights of the run, or from a file."),
]
Depth = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Number of levels shown; default: all."),
]
