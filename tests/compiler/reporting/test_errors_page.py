"""The page of error codes, docs/errors.md."""

import re

from compiler.diagnostics.codes import CODES
from compiler.reporting.errors_page import PAGE, errors_page


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == errors_page(), "run `make docs`"


def test_the_page_has_every_code_and_most_have_an_example() -> None:
    page = errors_page()
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == list(CODES)
    shown = set(re.findall(r"^(?:error|warning)\[(.+?)\]", page, re.MULTILINE))
    assert len(shown) >= 60
