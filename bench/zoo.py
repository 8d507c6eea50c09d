"""Writes docs/zoo.md, the architectures in specs/: `python -m bench.zoo`.

python -m bench.zoo --diagrams             draws each of them instead, into build/zoo/
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.published import source_lines
from bench.report import table
from bench.step_lines import without_states
from bench.timing import ROOT
from compiler import Program, compile_spec

SPECS = ROOT / "specs"
PAGE = ROOT / "docs" / "zoo.md"
DIAGRAMS = ROOT / "build" / "zoo"


@dataclass(frozen=True)
class Entry:
    """An architecture: its file, and what was compiled."""

    file: Path
    program: Program

    @cached_property
    def references(self) -> dict[str, int]:
        """The lines of what others wrote, by the names of their classes."""
        return {one: source_lines(one) for one in dict.fromkeys(_models(self.program))}

    @property
    def yaml(self) -> int:
        """Lines of the spec."""
        return len(self.file.read_text(encoding="utf-8").splitlines())

    @property
    def python(self) -> int:
        """Lines of the generated module, without the states of decoding that it carries, and what it refuses."""
        text = without_states(self.program.python)
        return len(text.splitlines()) - sum(map(_checks, ast.walk(ast.parse(text))))

    @property
    def parameters(self) -> int:
        """Learned numbers of all networks."""
        networks = self.program.summary.networks.values()
        return sum(one.size.parameters for one in networks)


def entries(compiled: Callable[[Path], Program] = compile_spec) -> Iterator[Entry]:
    """Every file of specs/."""
    for file in sorted(SPECS.glob("*.yaml")):
        yield Entry(file, compiled(file))


def _checks(node: ast.AST) -> int:
    """The lines in which a constructor refuses arguments."""
    if not isinstance(node, ast.FunctionDef) or node.name != "__init__":
        return 0
    return sum(
        (part.end_lineno or part.lineno) - part.lineno + 1
        for part in node.body
        if isinstance(part, ast.If) and isinstance(part.body[0], ast.Raise)
    )


def _models(program: Program) -> Iterator[str]:
    """The classes of others that the checkpoint names."""
    checkpoint = program.typed.graph.spec.checkpoint
    for section in checkpoint.sections.values() if checkpoint else ():
        if section.model.startswith(("transformers.", "torchvision.")):
            yield section.model


def page(every: list[Entry]) -> str:
    """The page: a table of all, then what each is and where its files are."""
    header = ["architecture", "parameters", "YAML", "Python", "lines of", "reference"]
    shown = "\n".join(table(header, map(_row, every)))
    return f"""# The architectures

Written by `make docs`. `make zoo` draws all of them into `build/zoo/`, and `layergraph diagram specs/NAME.yaml` draws
one; the [diagram of GPT-2](images/gpt2.svg) is an example.

Lines are those of the whole file: of the spec, and of the module that it is compiled into, without the classes that
keep keys, values and states between steps (transformers' caches are not counted either), and without the arguments that
constructors refuse, which the others leave to torch. The last columns are the lines that define the same network
elsewhere: its classes, its builder, what these use of their own files and the imports there, without tables of weights
and what all networks share. `make test-reference` compares each network with that one: outputs, gradients, the number
of parameters at full size.

{shown}

{"".join(map(_section, every))}"""


def _row(entry: Entry) -> list[str]:
    name = entry.file.stem
    lines = " · ".join(map(str, entry.references.values()))
    models = " · ".join(f"`{one}`" for one in entry.references)
    numbers = [f"{entry.parameters:,}", str(entry.yaml), str(entry.python)]
    return [f"[{name}](#{name})", *numbers, lines, models]


def _section(entry: Entry) -> str:
    spec, name = entry.program.typed.graph.spec, entry.file.stem
    about = "\n\n".join(filter(None, (spec.description, cited(spec.reference))))
    return f"""## {name}

{about}

[The spec](../specs/{name}.yaml) · [the module](../tests/golden/{name}.py)

"""


def cited(reference: str) -> str:
    """A reference as a sentence; "" for none."""
    return f"{reference.rstrip('.')}." if reference else ""


def picture(program: Program) -> bytes:
    """The diagram of a spec, as `diagram` draws it."""
    return program.diagram().svg.encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or the diagrams."""
    parser = argparse.ArgumentParser(prog="python -m bench.zoo", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--diagrams", action="store_true", help="draw, write no page")
    every = list(entries())
    if parser.parse_args(arguments).diagrams:
        DIAGRAMS.mkdir(parents=True, exist_ok=True)
        for entry in every:
            file = DIAGRAMS / f"{entry.file.stem}.svg"
            file.write_bytes(picture(entry.program))
    else:
        PAGE.write_text(page(every).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
