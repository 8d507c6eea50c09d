"""Names for generated code.

A Namespace keeps three invariants, whatever it is asked for:
1. every name it gives is an ASCII identifier that Python neither reserves nor mangles;
2. it never gives the same name twice, nor one that is reserved in it;
3. what it gives depends on the requests made so far alone, not on the machine: the
   lists below are written out because the interpreter's own differ between versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_KEYWORDS = """
    False None True and as assert async await break class continue def del elif else
    except finally for from global if import in is lambda nonlocal not or pass raise
    return try while with yield _ case match type
"""  # of Python 3.13, the soft ones included

_USED = """
    self super torch Tensor nn F init math annotations
    abs bool dict enumerate float int isinstance len list max min object print range
    reversed round str sum tuple zip
"""  # what generated code imports, and the builtins that it may call

_UNREADABLE = "I O l"  # ruff's E741: they look like digits

ALWAYS_RESERVED = frozenset(f"{_KEYWORDS} {_USED} {_UNREADABLE}".split())
"""What no namespace gives out, besides the names that it is told."""


class Namespace:
    """The names of one scope of generated code.

    >>> scope = Namespace(reserved={"forward"})
    >>> [scope.fresh(wanted) for wanted in ["x", "x", "lambda", "widths[0]", "forward"]]
    ['x', 'x_2', 'lambda_', 'widths_0', 'forward_']
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._reserved = ALWAYS_RESERVED | frozenset(reserved)
        self._given: set[str] = set()
        self._counts: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        """Whether the name is taken."""
        return name in self._given or name in self._reserved

    def fresh(self, wanted: str) -> str:
        """A name that nothing bears yet: the wanted one, or one as close as can be."""
        base = _identifier(wanted)
        if base in self._reserved:
            base += "_"
        name = base
        while name in self:
            self._counts[base] = self._counts.get(base, 1) + 1
            name = f"{base.rstrip('_')}_{self._counts[base]}"
        self._given.add(name)
        return name


def _identifier(text: str) -> str:
    """The text as an identifier; classes mangle names with two underscores in front."""
    words = re.sub(r"[^A-Za-z0-9_]+", "_", text)
    if words != text:
        words = words.strip("_")
    words = re.sub(r"\A_+(?=.)", "_", words)
    if not words.strip("_"):
        return "x"
    return f"x{words}" if words[0].isdigit() else words
