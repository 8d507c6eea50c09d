"""An HTML page of a diagram in a frame: it runs its own script, and reaches nothing around it."""

from __future__ import annotations

from html import escape

_HEIGHT = "32rem"


def frame_html(title: str, *, url: str = "", page: str = "", width: str = "") -> str:
    """The `iframe` element of a page.

    Args:
        title: what it shows, for who does not see it.
        url: where the page is; "" where it is given itself.
        page: its text.
        width: a length of CSS; "" for all the width there is.
    """
    source = f'src="{escape(url)}"' if url else f'srcdoc="{escape(page)}"'
    style = f"width:{width or '100%'};height:{_HEIGHT};border:0"
    sandbox = 'class="layergraph-page" loading="lazy" sandbox="allow-scripts"'
    return (
        f'<iframe {source} title="{escape(title)}" {sandbox} style="{style}"></iframe>'
    )
