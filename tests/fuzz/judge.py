"""One spec through every command, and its module held against the interpreter: ok, refused, or what went wrong."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typer

from compiler.diagnostics.diagnostic import SpecError
from compiler.diagram.diagram import Diagram
from compiler.diff.changes_text import report
from compiler.diff.compare import compare
from compiler.diff.draw_changes import draw_changes
from compiler.fmt.expand import expand
from compiler.fmt.format_spec import format_spec
from compiler.fmt.write_spec import write_spec
from compiler.ir.print_graph import print_graph
from compiler.ir.print_typed import print_typed
from compiler.parse.print_document import print_document
from compiler.pipeline import compile_spec
from compiler.program import Program
from compiler.reporting.explanation import explain
from compiler.reporting.summary_json import as_json
from layergraph.__main__ import app
from runtime.verify import verify

OK, REFUSED, EXCEPTION, DIFFERENCE = "ok", "refused", "exception", "difference"


@dataclass(frozen=True)
class Outcome:
    """What came of a spec: its class, a word that tells causes apart, and all that is known."""

    kind: str
    cause: str = ""
    detail: str = ""

    @property
    def is_fault(self) -> bool:
        return self.kind in (EXCEPTION, DIFFERENCE)


@dataclass(frozen=True)
class Effort:
    """How much of what could be tried is tried.

    Attributes:
        lines: whether commands run as lines of the command line, each of which compiles the spec; otherwise what they
            print is made from the program.
        compile_every: the constructor gets all other values of the params; one in this number is compiled as well.
        offset: which of them.
    """

    lines: bool = True
    compile_every: int = 1
    offset: int = 0


FULL = Effort()
LINES = 8
"""One spec in this number goes through the command line."""
COMPILED = 3
"""One setting of the params in this number is compiled."""


def effort_of(seed: int) -> Effort:
    """What is tried of the spec of a seed, so that many seeds try everything."""
    return Effort(seed % LINES == 0, COMPILED, seed // LINES % COMPILED)


def judge(
    text: str, settings: Mapping[str, Any] | None = None, effort: Effort = FULL
) -> Outcome:
    """Compile a spec, make all that can be made of it, and verify its module."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            program = compile_spec(path, settings=settings)
        except SpecError as error:
            codes = sorted({one.code for one in error.diagnostics})
            said = "\n".join(one.message for one in error.diagnostics)
            return Outcome(REFUSED, codes[0], said)
        except Exception as error:  # noqa: BLE001 - any other is a fault, and told
            return raised("check", error)
        commands = COMMANDS if effort.lines else RESULTS
        if failed := run_commands(program, path, commands):
            return failed
        every, offset = effort.compile_every, effort.offset
        try:
            problems = verify(program, compile_every=every, offset=offset).problems
        except Exception as error:  # noqa: BLE001
            return raised("verify", error)
    if problems:
        return Outcome(DIFFERENCE, _cause(problems[0]), "\n".join(problems))
    return Outcome(OK)


def run_commands(
    program: Program, path: Path, commands: Commands | None = None
) -> Outcome | None:
    """Run every command on a spec that `check` takes; what came of the first that fails."""
    for command, make in (commands or COMMANDS).items():
        try:
            make(program, path)
        except Exception as error:  # noqa: BLE001
            return raised(command, error)
    return None


def raised(command: str, error: Exception) -> Outcome:
    """The outcome of an exception that no user should see, with where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/torch/" not in f.filename and "<" not in f.filename]
    last = own[-1]
    where = (
        f"{command}: {type(error).__name__} in {Path(last.filename).name}:{last.name}"
    )
    return Outcome(
        EXCEPTION,
        where,
        f"{error!r}\n{''.join(traceback.format_tb(error.__traceback__)[-3:])}",
    )


def _cause(problem: str) -> str:
    """A problem without its numbers and names, so that like ones are counted together.

    First, how the module was made: as it is, by its constructor with other values, or compiled with other values.
    """
    where = re.split(r": | at | has | cannot", problem)[0]
    made = "constructor: " if ")" in where else ""
    made = "compiled with: " if " with " in where else made
    for word in CAUSES:
        if word in problem:
            return made + word
    return made + problem[:60]


CAUSES = (
    "cannot be built",
    "to unpack",
    "UnboundLocalError",
    "NameError",
    "TypeError",
    "AttributeError",
    "inplace operation",
    "the interpreter raises",
    "but does not compile",
    "parameters, but the compiler counts",
    "is missing",
    "is not expected",
    "the tensor",
    "the parameter",
    "is initialised with",
    "the state",
    "differs by",
    "ValueError",
    "RuntimeError",
    "raises",
    "but inference says",
)


def _layers(program: Program) -> list[str]:
    """The layers of all networks, as `explain` names them: three at most."""
    networks = program.typed.networks
    found = [
        f"{network}.{name}" if len(networks) > 1 else name
        for network, instance in networks.items()
        for name in instance.nodes
    ]
    return found[:: max(1, -(-len(found) // 3))]


def _explain(program: Program, path: Path) -> None:
    """The command for the first layer, which compiles the spec; what it prints for some others."""
    layers = _layers(program)
    for layer in layers[:1]:
        run("explain", path, layer)
    for layer in layers[1:]:
        explain(program.typed, layer)


def _diff(program: Program, path: Path) -> None:
    """A spec is compared with what it expands to."""
    other, picture = path.with_name("expanded.yaml"), path.with_name("changes.dot")
    run("diff", path, other, "-o", picture)


def run(*arguments: object) -> str:
    """A command of the command line, in this process; its output.

    Raises:
        CommandFailed: where it ends with another code than 0.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _command().main(list(map(str, arguments)), standalone_mode=False)
    if code:
        raise CommandFailed(f"ends with {code}: {err.getvalue()}")
    return out.getvalue()


@cache
def _command() -> Any:
    """The command line, built once."""
    return typer.main.get_command(app)


class CommandFailed(Exception):
    """A command that refuses what `check` takes."""


def _expand(program: Program, path: Path) -> None:
    """What is expanded is a spec that is right."""
    other = path.with_name("expanded.yaml")
    other.write_text(run("expand", path), encoding="utf-8")
    compile_spec(other)


def _fmt(program: Program, path: Path) -> None:
    """What is laid out is a spec that is right."""
    other = path.with_name("formatted.yaml")
    other.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    run("fmt", other)
    compile_spec(other)


def _build(program: Program, path: Path) -> None:
    """What is written is Python."""
    compile(program.python, str(path), "exec")


def _expand_and_compare(program: Program, path: Path) -> None:
    """What `expand` and `diff` print."""
    other = path.with_name("expanded.yaml")
    text = write_spec(expand(program.typed, program.task_node))
    other.write_text(text, encoding="utf-8")
    after = compile_spec(other).typed
    changes = compare(program.typed, after)
    report(changes)
    Diagram(program.name, draw_changes(after, changes)).dot  # noqa: B018


def _draw(program: Program, path: Path) -> None:
    """What `diagram` writes as text."""
    drawn = program.diagram()
    drawn.dot, drawn.mermaid  # noqa: B018


def _explain_some(program: Program, path: Path) -> None:
    for layer in _layers(program):
        explain(program.typed, layer)


def _dump(program: Program, path: Path) -> None:
    """What `dump` prints of three stages."""
    graph = program.typed.graph
    print_document(graph.document)
    print_graph(graph)
    print_typed(program.typed)


Commands = Mapping[str, Callable[[Program, Path], object]]

COMMANDS: dict[str, Callable[[Program, Path], object]] = {
    "check": lambda program, path: run("check", path),
    "build": _build,
    "summary": lambda program, path: run("summary", path),
    "summary --json": lambda program, path: run("summary", path, "--json"),
    "diagram dot": lambda program, path: run(
        "diagram", path, "-o", path.with_suffix(".dot")
    ),
    "diagram mmd": lambda program, path: run(
        "diagram", path, "-o", path.with_suffix(".mmd")
    ),
    "expand": _expand,
    "fmt": _fmt,
    "explain": _explain,
    "diff": _diff,
    **{
        f"dump {stage}": lambda program, path, stage=stage: run(
            "dump", path, "--stage", stage
        )
        for stage in ("document", "graph", "typed", "module")
    },
}
"""What is made of a program, besides verifying it."""

RESULTS: Commands = {
    "build": _build,
    "summary": lambda program, path: json.dumps(as_json(program.summary)),
    "diagram": _draw,
    "diff": _expand_and_compare,
    "fmt": lambda program, path: format_spec(program.typed.graph.document.source),
    "explain": _explain_some,
    "dump": _dump,
}
"""What commands print, made from one program."""
