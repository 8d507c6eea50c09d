"""DOT -> image: the only module that starts a Graphviz process."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Literal

from compiler.diagnostics.diagnostic import DiagramError
from compiler.diagram.pdf import svg_to_pdf
from compiler.diagram.svg_text import with_portable_text

ImageFormat = Literal["svg", "png", "pdf", "json"]
"""JSON has the steps of drawing that the images have."""
LayoutEngine = Literal["wheel", "system"]

_WHEEL = "graphviz-pure"
_PROCESSOR_SECONDS = 1  # a picture of 300 boxes takes a fifth of it
_PNG_RESOLUTION = 144  # dots per inch: twice SVG's 72, sharp on high-density screens
# XML 1.0 cannot represent these characters, not even escaped.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class LayoutTooLargeError(DiagramError):
    """The layout takes longer than it may."""


def render_dot(
    dot: str,
    format: ImageFormat,
    *,
    engine: LayoutEngine = "wheel",
    timeout: float = 20.0,
    title: str = "",
    subject: str = "",
    laid_out: bool = False,
) -> bytes:
    """Lay out a graph and render it.

    Args:
        dot: one graph in the DOT language.
        format: the format of the image. PNG has 144 dots per inch. The wheel's Graphviz
            has no PDF, so its SVG is converted.
        engine: `wheel` runs the Graphviz installed as a Python wheel, which returns the
            same bytes on every machine; `system` runs the `dot` on `PATH`.
        timeout: seconds after which the process is killed. On Linux, it is killed after
            a second of processor time as well.
        title: the title of a PDF.
        subject: what a PDF says of itself.
        laid_out: whether everything in the graph has its place.

    Raises:
        LayoutTooLargeError: if the layout takes too long.
        DiagramError: if the DOT is malformed or produces no output, or the program is not
            installed.
    """
    if found := _NOT_IN_XML.search(dot):
        character = f"U+{ord(found[0]):04X}"
        raise DiagramError(f"the graph contains {character}, which SVG does not allow")
    layout = ("-Kneato", "-n2") if laid_out else ("-Kdot",)
    if format == "pdf" and engine == "wheel":
        svg = _run(_binary(engine), dot, "svg", timeout, layout)
        return svg_to_pdf(svg, title, subject)
    image = _run(_binary(engine), dot, format, timeout, layout)
    if format == "svg":
        return with_portable_text(image.decode()).encode()
    return image


def lay_out(dot: str, engine: LayoutEngine = "wheel", timeout: float = 20.0) -> bytes:
    """Lay out a graph; returns it as JSON with all positions.

    Raises:
        LayoutTooLargeError: if the layout takes too long.
        DiagramError: if the DOT is malformed, or the program is not installed.
    """
    return _run(_binary(engine), dot, "json0", timeout)


def _binary(engine: LayoutEngine) -> Path:
    return _system_binary() if engine == "system" else _wheel_binary()


def _run(
    program: Path,
    dot: str,
    format: str,
    timeout: float,
    layout: tuple[str, ...] = ("-Kdot",),
) -> bytes:
    command = [str(program), *layout, f"-T{format}", "-q"]
    if format == "png":
        command.append(f"-Gdpi={_PNG_RESOLUTION}")
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            _limit(process.pid)
            try:
                out, err = process.communicate(dot.encode(), timeout=timeout)
            except BaseException:
                process.kill()
                raise
    except subprocess.TimeoutExpired:
        raise _too_long(f"{timeout:g} s") from None
    except OSError as error:
        message = f"{program.name} cannot be started: {error.strerror}"
        raise DiagramError(message) from error
    if process.returncode in _KILLED:
        raise _too_long(f"{_PROCESSOR_SECONDS} s of processor time")
    if process.returncode or not out:
        raise DiagramError(f"{program.name}: {_reason(process.returncode, err)}")
    return out


_KILLED = (-signal.SIGXCPU, -signal.SIGKILL)


def _too_long(limit: str) -> LayoutTooLargeError:
    return LayoutTooLargeError(f"the layout took more than {limit} and was stopped")


def _limit(process: int) -> None:
    """Limit the processor time of a process, where the system can do so from outside."""
    if sys.platform == "linux":
        import resource

        limit = _PROCESSOR_SECONDS, _PROCESSOR_SECONDS + 1
        resource.prlimit(process, resource.RLIMIT_CPU, limit)


def _reason(status: int, err: bytes) -> str:
    stderr = " ".join(err.decode(errors="replace").split())
    if stderr:
        return stderr.removeprefix("Error: ").replace("<stdin>: ", "")
    return f"exit status {status}" if status else "no output"


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
