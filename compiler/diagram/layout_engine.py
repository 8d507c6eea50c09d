"""DOT -> image: the only module that starts a Graphviz process."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Literal

from compiler.diagnostics.diagnostic import DiagramError
from compiler.diagnostics.extras import needs_extra

ImageFormat = Literal["svg", "png", "pdf"]
LayoutEngine = Literal["wheel", "system"]

_WHEEL = "graphviz-pure"
_PNG_RESOLUTION = 144  # dots per inch: twice SVG's 72, sharp on high-density screens
# XML 1.0 cannot represent these characters, not even escaped.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render_dot(
    dot: str,
    format: ImageFormat,
    *,
    engine: LayoutEngine = "wheel",
    timeout: float = 20.0,
) -> bytes:
    """Lay out a graph and render it.

    Args:
        dot: one graph in the DOT language.
        format: the format of the image. PNG has 144 dots per inch. The wheel's Graphviz
            has no PDF, so its SVG is converted.
        engine: `wheel` runs the Graphviz installed as a Python wheel, which returns the
            same bytes on every machine; `system` runs the `dot` on `PATH`.
        timeout: seconds after which the process is killed.

    Raises:
        DiagramError: if the DOT is malformed or produces no output, the layout takes too
            long, or the program is not installed.
    """
    if found := _NOT_IN_XML.search(dot):
        character = f"U+{ord(found[0]):04X}"
        raise DiagramError(f"the graph contains {character}, which SVG does not allow")
    if engine == "system":
        return _run(_system_binary(), dot, format, timeout)
    if format == "pdf":
        return _svg_to_pdf(_run(_wheel_binary(), dot, "svg", timeout))
    return _run(_wheel_binary(), dot, format, timeout)


def _run(program: Path, dot: str, format: ImageFormat, timeout: float) -> bytes:
    command = [str(program), "-Kdot", f"-T{format}", "-q"]
    if format == "png":
        command.append(f"-Gdpi={_PNG_RESOLUTION}")
    try:
        done = subprocess.run(  # kills the process on a timeout
            command,
            input=dot.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"the layout took more than {timeout:g} s and was stopped"
        raise DiagramError(message) from None
    except OSError as error:
        message = f"{program.name} cannot be started: {error.strerror}"
        raise DiagramError(message) from error
    if done.returncode or not done.stdout:
        raise DiagramError(f"{program.name}: {_reason(done)}")
    return done.stdout


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    stderr = " ".join(done.stderr.decode(errors="replace").split())
    if stderr:
        return stderr.removeprefix("Error: ").replace("<stdin>: ", "")
    return f"exit status {done.returncode}" if done.returncode else "no output"


def _wheel_binary() -> Path:
    """The program that the wheel installed, found without `PATH`."""
    try:
        files = metadata.files(_WHEEL) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.stem == _WHEEL and file.suffix in ("", ".exe"):
            return Path(str(file.locate())).resolve()
    raise DiagramError(f"Graphviz is missing: install the {_WHEEL} package")


def _system_binary() -> Path:
    found = shutil.which("dot")
    if found is None:
        raise DiagramError("there is no dot program on PATH: install Graphviz")
    return Path(found)


def _svg_to_pdf(svg: bytes) -> bytes:
    # Imported here because it takes a third of a second, and only a PDF needs it.
    with needs_extra("pdf"):
        from reportlab.graphics import renderPDF
        from reportlab.pdfgen.canvas import Canvas
        from svglib.svglib import svg2rlg

    drawing = svg2rlg(io.BytesIO(svg))
    if drawing is None:
        raise DiagramError("the SVG cannot be converted to PDF")
    target = io.BytesIO()
    # `invariant` omits the date and the random id, so that equal graphs give equal bytes.
    canvas = Canvas(target, pagesize=(drawing.width, drawing.height), invariant=1)
    renderPDF.draw(drawing, canvas, 0, 0)
    canvas.save()
    return target.getvalue()
