"""DOT text in, a picture out: the one place that starts a Graphviz process."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Literal

from compiler.diagnostics.diagnostic import DiagramError

ImageFormat = Literal["svg", "png", "pdf"]
LayoutEngine = Literal["wheel", "system"]

_WHEEL = "graphviz-pure"
_PNG_RESOLUTION = 144  # dots per inch: twice the 72 points of SVG, sharp on any screen
# XML 1.0 has no way to write these characters, so an SVG that holds one is broken.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render_dot(
    dot: str,
    format: ImageFormat,
    *,
    engine: LayoutEngine = "wheel",
    timeout: float = 20.0,
) -> bytes:
    """Lay out ``dot`` and draw it.

    The wheel gives the same bytes on every machine; ``system`` is the machine's own
    ``dot``. PNG has 144 dots per inch. The wheel writes no PDF, so there its SVG is
    converted.

    Args:
        dot: one graph in the DOT language.
        format: of the picture.
        engine: the ``dot`` program to run.
        timeout: seconds after which the layout is given up, and its process killed.

    Raises:
        PictureError: for DOT that is malformed or draws nothing, a layout that takes too
            long, or a program that is not there.
    """
    if found := _UNPRINTABLE.search(dot):
        character = f"U+{ord(found[0]):04X}"
        raise DiagramError(f"the graph holds {character}, which no SVG can hold")
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
        done = subprocess.run(  # on a timeout it kills the process before it raises
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
        message = f"{program.name} does not start: {error.strerror}"
        raise DiagramError(message) from error
    if done.returncode or not done.stdout:
        raise DiagramError(f"{program.name}: {_reason(done)}")
    return done.stdout


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    said = " ".join(done.stderr.decode(errors="replace").split())
    if said:
        return said.removeprefix("Error: ").replace("<stdin>: ", "")
    return f"exit status {done.returncode}" if done.returncode else "it drew nothing"


def _wheel_binary() -> Path:
    """The program that the wheel installed, wherever that is: ``PATH`` is not asked."""
    try:
        files = metadata.files(_WHEEL) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.stem == _WHEEL and file.suffix in ("", ".exe"):
            return Path(str(file.locate())).resolve()
    raise DiagramError(f"the drawing engine is missing: install the {_WHEEL} package")


def _system_binary() -> Path:
    found = shutil.which("dot")
    if found is None:
        raise DiagramError("this system has no dot program: install Graphviz")
    return Path(found)


def _svg_to_pdf(svg: bytes) -> bytes:
    # Imported here: a third of a second that only a PDF is worth.
    from reportlab.graphics import renderPDF
    from reportlab.pdfgen.canvas import Canvas
    from svglib.svglib import svg2rlg

    drawing = svg2rlg(io.BytesIO(svg))
    if drawing is None:
        raise DiagramError("the SVG does not convert to PDF")
    target = io.BytesIO()
    # invariant leaves out the date and the random id: equal graphs give equal bytes.
    canvas = Canvas(target, pagesize=(drawing.width, drawing.height), invariant=1)
    renderPDF.draw(drawing, canvas, 0, 0)
    canvas.save()
    return target.getvalue()
