"""Writes docs/zoo.md, the architectures in specs/ with their diagrams: `python -m bench.zoo`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.published import source_lines
from bench.report import table
from bench.timing import ROOT
from compiler import Program, compile_spec

SPECS = ROOT / "specs"
PAGE = ROOT / "docs" / "zoo.md"
PICTURES = ROOT / "docs" / "zoo"


@dataclass(frozen=True)
class Entry:
    """An architecture: its file, what was compiled, and the lines of what others wrote."""

    file: Path
    program: Program
    references: dict[str, int]

    @property
    def yaml(self) -> int:
        """Lines of the spec."""
        return len(self.file.read_text(encoding="utf-8").splitlines())

    @property
    def python(self) -> int:
        """Lines of the generated module, all of it."""
        return len(self.program.python.splitlines())

    @property
    def parameters(self) -> int:
        """Learned numbers of all networks."""
        networks = self.program.summary.networks.values()
        return sum(one.size.parameters for one in networks)


def entries() -> Iterator[Entry]:
    """Every file of specs/."""
    for file in sorted(SPECS.glob("*.yaml")):
        program = compile_spec(file)
        models = dict.fromkeys(_models(program))
        yield Entry(file, program, {one: source_lines(one) for one in models})


def _models(program: Program) -> Iterator[str]:
    """The classes of others that the checkpoint names."""
    checkpoint = program.typed.graph.spec.checkpoint
    for section in checkpoint.sections.values() if checkpoint else ():
        if section.model.startswith(("transformers.", "torchvision.")):
            yield section.model


def page(every: list[Entry]) -> str:
    """The page: a table of all, then each with its diagram."""
    header = ["architecture", "parameters", "YAML", "Python", "lines of", "reference"]
    shown = "\n".join(table(header, map(_row, every)))
    return f"""# The architectures

Written by `make docs`. Lines are those of the whole file: of the spec, and of the module that it is compiled into. The
last columns are the lines that define the same network elsewhere: its classes, its builder, what these use of their own
files and the imports there, without tables of weights and what all networks share. `make test-reference` holds each of
these networks against that one: outputs, gradients, the number of parameters at full size.

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
    about = "\n\n".join(filter(None, (spec.description, _cited(spec.reference))))
    return f"""## {name}

{about}

[specs/{entry.file.name}](../specs/{entry.file.name})

![The diagram of {name}](zoo/{name}.svg)

"""


def _cited(reference: str) -> str:
    return f"{reference.rstrip('.')}." if reference else ""


def picture(program: Program) -> bytes:
    """The diagram of a spec, as `diagram` draws it."""
    return program.diagram().svg.encode()


def main() -> int:
    """Write the page and its pictures."""
    every = list(entries())
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("*.svg"):
        old.unlink()
    for entry in every:
        (PICTURES / f"{entry.file.stem}.svg").write_bytes(picture(entry.program))
    PAGE.write_text(page(every).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
