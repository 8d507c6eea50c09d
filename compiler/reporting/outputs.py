"""The outputs of `build`: module, diagram and summary."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from compiler.diagnostics.diagnostic import DiagramError, RequestError
from compiler.program import Program
from compiler.reporting.summary_json import as_json


def artefacts(program: Program) -> tuple[dict[str, str | bytes], str]:
    """The files of a program by suffix, and why the diagram is missing, if it is.

    Graphviz lays the diagram out while the module is made.

    Raises:
        RequestError: where the spec holds no network.
    """
    if not program.typed.networks:
        raise RequestError(
            f"{program.name} has blocks alone: there is nothing to build"
        )
    diagram = program.diagram()
    dot, missing = diagram.dot, ""
    with ThreadPoolExecutor(max_workers=1) as beside:
        picture = beside.submit(lambda: diagram.svg)
        files: dict[str, str | bytes] = {".py": program.python}
        summary = json.dumps(as_json(program.summary), indent=1, ensure_ascii=False)
        try:
            files[".svg"] = picture.result()
        except DiagramError as error:
            missing = str(error)
    return {**files, ".dot": dot, ".json": f"{summary}\n"}, missing
