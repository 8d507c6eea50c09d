"""Unique names for generated code.

A Namespace guarantees that
- every name it returns is an ASCII identifier that Python neither reserves nor mangles;
- it never returns a name twice, or a reserved one;
- its results depend on the calls so far only, not on the Python version: the lists
  below are written out because the interpreter's own differ between versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_KEYWORDS = """
    False None True and as assert async await break class continue def del elif else
    except finally for from global if import in is lambda nonlocal not or pass raise
    return try while with yield _ case match type
"""  # Python 3.13, including soft keywords

_USED = """
    self super torch Tensor nn F init math annotations parametrizations
    abs bool dict enumerate float getattr hasattr int isinstance len list max min object
    print range reversed round setattr str sum tuple zip
"""  # imports of generated code, and builtins that it may call

_UNREADABLE = "I O l"  # ruff E741: they look like digits

ALWAYS_RESERVED = frozenset(f"{_KEYWORDS} {_USED} {_UNREADABLE}".split())
"""Names that no namespace returns, in addition to those it is constructed with."""


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
        """Whether a name is taken or reserved."""
        return name in self._given or name in self._reserved

    def fresh(self, wanted: str) -> str:
        """An unused name: the wanted one, or one close to it."""
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
    """The text as an identifier; two leading underscores become one, as classes mangle such names."""
    words = re.sub(r"[^A-Za-z0-9_]+", "_", text)
    if words != text:
        words = words.strip("_")
    words = re.sub(r"\A_+(?=.)", "_", words)
    if not words.strip("_"):
        return "x"
    return f"x{words}" if words[0].isdigit() else words


def fresh_names(wanted: Iterable[str], counter: str = "") -> dict[str, str]:
    """A name for each of these, in a scope of their own: what a constructor calls params.

    No other than `counter` itself has the name by which its code counts copies and items.

    >>> fresh_names(["width", "dict"])
    {'width': 'width', 'dict': 'dict_'}
    """
    scope, counting = Namespace({counter}), Namespace()
    return {
        name: (counting if name == counter else scope).fresh(name.lower())
        for name in wanted
    }
