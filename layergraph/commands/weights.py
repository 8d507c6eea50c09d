"""`weights check`: published weights compared with a spec; `export` converts them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from compiler.checkpoint.assembly import sources
from compiler.checkpoint.match import Named, TensorMatch, fit_file
from compiler.checkpoint.mismatches import problems
from compiler.diagnostics.diagnostic import SpecError
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.render import as_json as diagnostics_json
from layergraph.commands._options import Json, Names, Network, Sets, Spec, Variant
from layergraph.commands._output import echo_json, exit_if
from layergraph.overrides import compile_chosen

weights = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="Weights: .safetensors, their index (.json), or .npz.",
        exists=True,
        dir_okay=False,
    ),
]


@weights.callback()
def options() -> None:
    """Compare published weights with a spec."""  # with a callback, one command is a group


@weights.command()
def check(
    spec: Spec,
    file: File,
    network: Network = "",
    variant: Variant = "",
    sets: Sets = None,
    names: Names = "",
    as_json: Json = False,
) -> None:
    """Report which tensors fit, are missing, differ or are left over.

    Only the header of the file is read.

    Example: layergraph weights check specs/bert.yaml model.safetensors
    """
    program = compile_chosen(spec, variant, sets or (), limits=Limits())
    held, _ = fit_file(program.typed, file, network, names)
    found = problems(held, program.typed, file)
    if as_json:
        echo_json(_as_json(held) | {"diagnostics": diagnostics_json(found)})
    else:
        typer.echo(_report(held, file))
        if found:
            raise SpecError(found)
    exit_if(bool(found))


def _report(held: TensorMatch, file: Path) -> str:
    whole = len(held.assemblies) + len(held.missing)
    differ = len({(network, one.tensor.name) for network, one, _ in held.differing})
    names = f", by {held.reading.description}" if held.reading.description else ""
    lines = [f"{file}: {len(held.assemblies) - differ} of {whole} tensors fit{names}"]
    for what, found in (
        ("left as initialised", list(map(_name, held.initialised))),
        ("ignored", held.ignored),
    ):
        if found:
            lines.append(f"{what}: {', '.join(found)}")
    return "\n".join(lines)


def _name(named: Named) -> str:
    network, name = named
    return f"{network}.{name}" if network else name


def _as_json(held: TensorMatch) -> dict[str, Any]:
    wrong = {(network, entry.tensor.name) for network, entry, _ in held.differing}
    return {
        "fits": held.fits,
        "own_names": held.reading.own,
        "names": held.reading.description or "names as published",
        "tensors": {
            _name(named): list(dict.fromkeys(sources(assembly)))
            for named, assembly in held.assemblies.items()
            if named not in wrong
        },
        "missing": {
            _name((network, entry.tensor.name)): list(lack.names)
            for network, entry, lack in held.missing
        },
        "differing": {
            _name((network, entry.tensor.name)): detail
            for network, entry, detail in held.differing
        },
        "initialised": list(map(_name, held.initialised)),
        "ignored": held.ignored,
        "unknown": held.unknown,
    }
