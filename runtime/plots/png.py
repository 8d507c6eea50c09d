"""Encode matplotlib figures as PNG."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


def as_png(figure: Figure) -> bytes:
    """The figure as a PNG; needs no screen, and equal figures have equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()
