"""`weights`: published weights held against a spec, and converted, for the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compiler.diagnostics.diagnostic import RequestError, SpecError
from compiler.diagnostics.limits import Limits

if TYPE_CHECKING:
    from compiler.checkpoint.match import Fit, Named
    from compiler.pipeline import Program

weights = typer.Typer(
    help="Hold published weights against a spec, and convert them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Spec = Annotated[Path, typer.Argument(metavar="SPEC", help="The YAML file.")]
File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help=".safetensors, its index (.json), or .npz"),
]
Variant = Annotated[str, typer.Option(metavar="V", help="A variant of the spec.")]
Network = Annotated[str, typer.Option(metavar="N", help="One of several networks.")]
Names = Annotated[
    str,
    typer.Option(
        metavar="WHOSE", help="published or own: whose names the file has, if both fit."
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="The value of a param."),
]


@weights.command()
def check(
    spec: Spec,
    file: File,
    network: Network = "",
    variant: Variant = "",
    sets: Sets = None,
    names: Names = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print data.")] = False,
) -> None:
    """Say which tensors fit, miss, differ or are left over; reads the header alone."""
    from compiler.checkpoint.match import fit_file
    from compiler.checkpoint.mismatches import problems

    program = _compiled(spec, variant, sets)
    held, _ = fit_file(program.typed, file, network, names)
    found = problems(held, program.typed, file)
    if as_json:
        from compiler.diagnostics.render import as_json as data

        told = _as_json(held) | {"diagnostics": data(found)}
        typer.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        typer.echo(_told(held, file))
        if found:
            raise SpecError(found)
    if found:
        raise typer.Exit(1)


@weights.command()
def load(
    spec: Spec,
    file: File,
    out: Annotated[Path, typer.Option("-o", metavar="OUT", help=".safetensors")],
    network: Network = "",
    variant: Variant = "",
    sets: Sets = None,
    names: Names = "",
) -> None:
    """Convert weights to the names and layouts of the spec, whole or not at all."""
    from compiler.reporting.write_files import write_whole
    from runtime.weights import read_states, states_bytes

    if out.suffix != ".safetensors":
        raise RequestError(f"weights are written as .safetensors, not to {out}")
    program = _compiled(spec, variant, sets)
    states = read_states(program, file, network, names)
    write_whole({out: states_bytes(states, program)})
    typer.echo(out)


def _compiled(spec: Path, variant: str, sets: list[str] | None) -> Program:
    from layergraph.commands.overrides import compile_chosen

    return compile_chosen(spec, variant, sets or (), limits=Limits())


def _told(held: Fit, file: Path) -> str:
    whole = len(held.makings) + len(held.missing)
    differ = len({(network, one.tensor.name) for network, one, _ in held.differing})
    names = f", by {held.reading.told}" if held.reading.told else ""
    lines = [f"{file}: {len(held.makings) - differ} of {whole} tensors fit{names}"]
    for what, found in (
        ("left as they begin", list(map(_name, held.left_out))),
        ("ignored", held.ignored),
    ):
        if found:
            lines.append(f"{what}: {', '.join(found)}")
    return "\n".join(lines)


def _name(named: Named) -> str:
    network, name = named
    return f"{network}.{name}" if network else name


def _as_json(held: Fit) -> dict[str, Any]:
    from compiler.checkpoint.recipes import sources

    wrong = {(network, entry.tensor.name) for network, entry, _ in held.differing}
    return {
        "fits": held.fits,
        "own_names": held.reading.own,
        "names": held.reading.told or "names as published",
        "tensors": {
            _name(named): list(dict.fromkeys(sources(making)))
            for named, making in held.makings.items()
            if named not in wrong
        },
        "missing": {
            _name((network, entry.tensor.name)): list(lack.names)
            for network, entry, lack in held.missing
        },
        "differing": {
            _name((network, entry.tensor.name)): told
            for network, entry, told in held.differing
        },
        "left_as_they_begin": list(map(_name, held.left_out)),
        "ignored": held.ignored,
        "unknown": held.unknown,
    }
