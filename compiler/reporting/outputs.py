"""The outputs of `build`: module, diagram and summary."""

from __future__ import annotations

import json

from compiler.diagnostics.diagnostic import DiagramError, RequestError
from compiler.program import Program
from compiler.reporting.summary_json import as_json


def artefacts(program: Program) -> tuple[dict[str, str | bytes], str]:
    """The files of a program by suffix, and why the diagram is missing, if it is.

    Raises:
        RequestError: where the spec holds no network.
    """
    if not program.typed.networks:
        raise RequestError(
            f"{program.name} has blocks alone: there is nothing to build"
        )
    diagram = program.diagram()
    files: dict[str, str | bytes] = {".py": program.python}
    missing = ""
    try:
        files[".svg"] = diagram.svg
    except DiagramError as error:
        missing = str(error)
    summary = json.dumps(as_json(program.summary), indent=1, ensure_ascii=False)
    return {**files, ".dot": diagram.dot, ".json": f"{summary}\n"}, missing
