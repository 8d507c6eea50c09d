"""The command line: arguments → pipeline → files. Nothing else prints or exits."""

from __future__ import annotations

import gc
import json
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from compiler.diagnostics.diagnostic import (
    Diagnostic,
    DiagramError,
    RequestError,
    SpecError,
)
from compiler.diagnostics.limits import UNLIMITED, Limits
from layergraph.commands.runs import COMMANDS
from layergraph.commands.weights import weights

if TYPE_CHECKING:  # what a command needs is imported when it runs
    from collections.abc import Sequence

    from compiler.pipeline import Program

app = typer.Typer(
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="LayerGraph compiles neural networks from YAML to PyTorch and diagrams.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Spec = Annotated[Path, typer.Argument(metavar="SPEC", help="The YAML file.")]
Specs = Annotated[list[Path], typer.Argument(metavar="SPEC...", help="The YAML files.")]
Variant = Annotated[str, typer.Option(metavar="V", help="A variant of the spec.")]
Set = typer.Option("--set", metavar="NAME=VALUE", help="The value of a param.")
Sets = Annotated[list[str] | None, Set]
NoLimits = Annotated[bool, typer.Option("--no-limits", help="For files you trust.")]
Json = Annotated[bool, typer.Option("--json", help="Print data.")]
Picture = typer.Option("-o", metavar="FILE", help=".svg, .pdf, .png, .dot or .mmd")
Names = Annotated[list[str] | None, typer.Option(metavar="L")]


def main() -> None:
    """Run the command line; mistakes of a spec become exit code 1, others 2."""
    for stream in (sys.stdout, sys.stderr):  # a terminal may know ASCII alone
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # What a command makes lives as long as it does: to look for garbage, and to look
    # once more at the end, would take a sixth of its time.
    gc.set_threshold(200_000)
    try:
        app()
    except SpecError as error:
        _show(error.diagnostics)
        sys.exit(1)
    except (DiagramError, RequestError, OSError) as error:
        _err(f"error: {error}\n")
        sys.exit(1 if isinstance(error, DiagramError) else 2)
    finally:
        gc.freeze()


@app.command()
def build(
    spec: Spec,
    out: Annotated[Path | None, typer.Option(metavar="DIR")] = None,
    variant: Variant = "",
    sets: Sets = None,
    verify: Annotated[bool, typer.Option("--verify")] = False,
    no_limits: NoLimits = False,
) -> None:
    """Compile a spec to a PyTorch module, a diagram and a summary.

    They are written to DIR, which is build/ and the name of the spec unless given.
    """
    from compiler.reporting.outputs import artefacts
    from compiler.reporting.write_files import write_whole

    program = _compile(spec, variant, sets, no_limits)
    if verify:
        _verify(program)
    folder = out or Path("build") / spec.stem
    made, missing = artefacts(program)
    files = {folder / f"{spec.stem}{suffix}": data for suffix, data in made.items()}
    write_whole(files)
    _out("\n".join(map(str, files)))
    if missing:
        _err(f"warning: there is no picture: {missing}\n")


@app.command()
def check(specs: Specs, as_json: Json = False, no_limits: NoLimits = False) -> None:
    """Check specs; every mistake is shown where it stands."""
    from layergraph.commands.overrides import diagnose, failed

    found: list[Diagnostic] = []
    for spec in specs:
        faults = diagnose(spec, UNLIMITED if no_limits else Limits())
        found += faults
        if not as_json:
            _show(faults)
            _out("" if failed(faults) else f"{spec}: ok\n", end="")
    if as_json:
        from compiler.diagnostics.render import as_json as data

        _json(data(found))
    _exit(failed(found))


@app.command()
def summary(
    spec: Spec,
    at: Annotated[str, typer.Option(metavar="B=8,T=1024", help="Sizes.")] = "",
    depth: Annotated[int | None, typer.Option(min=1, help="Levels of layers.")] = None,
    as_json: Json = False,
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Show layers, types, parameters and FLOPs, as formulas or with --at as numbers."""
    from compiler.cost.at_sizes import evaluate
    from layergraph.commands.overrides import read_sizes

    program = _compile(spec, variant, sets, no_limits)
    found = evaluate(program.summary, read_sizes(at) if at else {})
    if as_json:
        from compiler.reporting.summary_json import as_json as data

        _json(data(found))
    else:
        from compiler.reporting.terminal import print_summary

        print_summary(found, depth, sys.stdout)


@app.command()
def diagram(
    spec: Spec,
    out: Annotated[Path, Picture],
    block: Annotated[str, typer.Option(metavar="NAME", help="One block alone.")] = "",
    depth: Annotated[int | None, typer.Option(min=0, help="Levels opened.")] = None,
    expand: Names = None,
    fold: Names = None,
    direction: Literal["TB", "LR"] = "TB",
    theme: Literal["light", "dark", "print"] = "light",
    engine: Literal["wheel", "system"] = "wheel",
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Draw a spec; one whose shapes fail is drawn too, with its faults in red."""
    from compiler.diagram.options import DiagramOptions
    from compiler.diagram.render_diagram import diagram_format, render
    from compiler.reporting.write_files import write_whole

    format = diagram_format(out)
    names = frozenset(expand or ()), frozenset(fold or ())
    options = DiagramOptions("", block, depth, *names, direction, theme)
    program = _compile(spec, variant, sets, no_limits, strict=False)
    write_whole({out: render(program.typed, format, options, engine=engine)})
    _out(out)
    _exit(program.typed.failed)


@app.command()
def explain(
    spec: Spec,
    layer: Annotated[str, typer.Argument(metavar="LAYER", help="As h.attn.c_attn.")],
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Show where a layer's type comes from, step by step."""
    from compiler.reporting.explanation import explain as explanation

    _out(explanation(_compile(spec, variant, sets, no_limits).typed, layer))


@app.command()
def expand(
    spec: Spec, variant: Variant = "", sets: Sets = None, no_limits: NoLimits = False
) -> None:
    """Print the spec with every param, variant and import resolved."""
    from compiler.fmt.expand import expand as expanded
    from compiler.fmt.write_spec import write_spec

    program = _compile(spec, variant, sets, no_limits)
    _out(write_spec(expanded(program.typed, program.task_node)), end="")


@app.command()
def verify(
    spec: Spec, variant: Variant = "", sets: Sets = None, no_limits: NoLimits = False
) -> None:
    """Hold the generated module against inference: shapes, dtypes, parameters."""
    _verify(_compile(spec, variant, sets, no_limits))
    _out(f"{spec}: verified")


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(metavar="A")],
    b: Annotated[Path, typer.Argument(metavar="B")],
    out: Annotated[Path | None, Picture] = None,
    no_limits: NoLimits = False,
) -> None:
    """Show what changed between two architectures; with -o also in a picture of B."""
    from compiler.diff.changes_text import report
    from compiler.diff.compare import compare

    before, after = (_compile(spec, "", None, no_limits).typed for spec in (a, b))
    changes = compare(before, after)
    _out(report(changes), end="")
    if out is not None:
        from compiler.diagram.render_diagram import diagram_format, render_drawing
        from compiler.diff.draw_changes import draw_changes
        from compiler.reporting.write_files import write_whole

        format = diagram_format(out)
        write_whole({out: render_drawing(draw_changes(after, changes), format)})


@app.command()
def fmt(specs: Specs) -> None:
    """Lay specs out as everybody does, comments kept; names those that change."""
    from compiler.fmt.format_spec import format_file
    from compiler.reporting.write_files import write_whole

    changed = {path: new for path in specs if (new := format_file(path)) is not None}
    write_whole(changed)
    _out("".join(f"{path}\n" for path in changed), end="")


@app.command()
def ops(
    op: Annotated[str, typer.Argument(metavar="[OP]", help="One op.")] = "",
    as_json: Json = False,
) -> None:
    """Show the reference of the ops, or of one."""
    from compiler.reporting import ops_text

    found = ops_text.select(op)
    if as_json:
        _json([one.as_json() for one in found])
    else:
        _out(ops_text.detail(found[0]) if op else ops_text.overview(found), end="")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the language, for editors."""
    from compiler.reporting.json_schema import schema as language

    _json(language())


for command in COMMANDS:
    app.command()(command)
app.add_typer(weights, name="weights")


def _compile(
    spec: Path, variant: str, sets: Sets, no_limits: bool, *, strict: bool = True
) -> Program:
    """The program of a spec; warnings go to standard error."""
    from layergraph.commands.overrides import compile_chosen

    limits = UNLIMITED if no_limits else Limits()
    program = compile_chosen(spec, variant, sets or (), limits=limits, strict=strict)
    _show(program.diagnostics)
    return program


def _exit(failed: bool) -> None:
    if failed:
        raise typer.Exit(1)


def _verify(program: Program) -> None:
    from runtime.verify import verify as problems

    found = problems(program)
    _err("".join(f"error: {problem}\n" for problem in found))
    _exit(bool(found))


def _show(diagnostics: Sequence[Diagnostic]) -> None:
    if diagnostics:
        from compiler.diagnostics.render import render_all

        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        _err(render_all(diagnostics, color=sys.stderr.isatty() and not plain))


def _out(text: object, end: str = "\n") -> None:
    """Print a result; at once, so that a reader who has gone is noticed here."""
    print(text, end=end, flush=True)


def _json(data: object) -> None:
    _out(json.dumps(data, indent=1, ensure_ascii=False))


def _err(text: str) -> None:
    print(text, end="", file=sys.stderr)


if __name__ == "__main__":
    main()
