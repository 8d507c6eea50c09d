"""What JSON can say, and how a page holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | None | Sequence[Json] | Mapping[str, Json]"
JsonObject: TypeAlias = dict[str, Json]

_IN_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def json_in_html(value: Json) -> str:
    r"""JSON that may stand in a script element: ASCII, with no character that HTML gives a meaning.

    >>> json_in_html("</script><!--\u2028")
    '"\\u003c/script\\u003e\\u003c!--\\u2028"'
    """
    return json.dumps(value, separators=(",", ":")).translate(_IN_HTML)
