"""The architectures that most tests run on use all that the others use."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.generated.golden import GOLDEN, MARK
from tests.programs import CHOSEN, FOLDER, SPECS

_IN_CODE = re.compile(
    rf"{MARK}.*|\b(?:torch|F|nn|init)\.\w+|(?<!self)\.\w+(?=\()"
    r"|\b(?:for|while|if|else|lambda|raise)\b|\*(?=\w)"
)
_IN_SPEC = re.compile(
    r"\bop: [a-z]\w*|\b(?:repeat|scan|when|share|tie|choose|init|variants|networks|order|given|extends|import)(?=:)"
)


def test_the_chosen_architectures_have_all_there_is() -> None:
    """Functions and layers of torch, methods of tensors, statements, parts of the library; ops and keys of layers."""
    assert set(CHOSEN) < set(SPECS)
    assert _used(SPECS) - _used(CHOSEN) == set()


def _used(specs: Iterable[str]) -> set[str]:
    return {
        found
        for spec in specs
        for found in (*_IN_CODE.findall(_code(spec)), *_IN_SPEC.findall(_text(spec)))
    }


def _code(spec: str) -> str:
    return (GOLDEN / f"{spec}.py").read_text(encoding="utf-8")


def _text(spec: str) -> str:
    """A spec, and the one that it extends."""
    text = (FOLDER / f"{spec}.yaml").read_text(encoding="utf-8")
    base = re.search(r"^extends: (\w+)\.yaml$", text, re.MULTILINE)
    return text + (_text(base[1]) if base else "")
