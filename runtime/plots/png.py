"""A figure of matplotlib as the bytes of a PNG."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


def as_png(figure: Figure) -> bytes:
    """The picture, without a screen and without the time in it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()
