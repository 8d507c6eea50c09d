"""Links of documents that leave their folder, as the site has what they lead to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from compiler.op.registry import families, ops

_LINK = re.compile(r"(\]\(|src=\")([^)\"\s#]+)(?:#([^)\"\s]*))?([)\"])")
_FENCE = re.compile(r"^(```.*?^```|~~~.*?^~~~)", re.MULTILINE | re.DOTALL)
_SPEC = re.compile(r"(?:specs|tests/golden)/(\w+)\.(?:yaml|py)")
_MOVED = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "README.md": "index.md",
}
FILES = "files"
"""The folder of the site for files of the repository that are no documents."""


def with_site_links(
    text: str, file: str, page: str, wanted: Callable[[str], None] = lambda _: None
) -> str:
    """The text of a document with its links as the site has them.

    Args:
        file: where the document is in the repository.
        page: where it is in the site.
        wanted: is called with each file of the repository that the site has to have.
    """

    def changed(match: re.Match[str]) -> str:
        before, link, anchor, after = match.groups("")
        if "://" in link or link.startswith("mailto:"):
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(file), link))
        place, anchor = _place(target, anchor, wanted)
        here = posixpath.dirname(page)
        if before == 'src="':  # HTML is left as it is: it starts at the page's URL
            here = posixpath.splitext(page)[0].removesuffix("index")
        end = f"#{anchor}" if anchor else ""
        return f"{before}{posixpath.relpath(place, here or '.')}{end}{after}"

    parts = _FENCE.split(text)
    return "".join(
        part if part.startswith(("```", "~~~")) else _LINK.sub(changed, part)
        for part in parts
    )


def _place(target: str, anchor: str, wanted: Callable[[str], None]) -> tuple[str, str]:
    """Where the site has a place in a file of the repository."""
    if target == "docs/ops.md":
        family, op = anchor.replace("-", "_"), ops().get(anchor)
        if family in families():
            return f"ops/{family}.md", ""
        return (f"ops/{op.family}.md", anchor) if op else ("ops/index.md", anchor)
    if target == "docs/zoo.md":
        return f"zoo/{anchor or 'index'}.md", ""
    if spec := _SPEC.fullmatch(target):
        return f"zoo/{spec[1]}.md", ""
    if target.startswith("docs/"):
        return target.removeprefix("docs/"), anchor
    if target in _MOVED:
        return _MOVED[target], anchor
    wanted(target)
    return f"{FILES}/{target}", anchor
