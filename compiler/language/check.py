"""Document -> Spec: every key, name and literal is what the language allows."""

from __future__ import annotations

import pydantic

from compiler.diagnostics.diagnostic import Report
from compiler.language.spec import Spec
from compiler.language.wording import report_all
from compiler.parse.document import Document, to_data


def check(document: Document) -> Spec:
    """Read a document as a spec.

    Raises:
        SpecError: with every error of form in the document.
    """
    try:
        return Spec.model_validate(to_data(document.root))
    except pydantic.ValidationError as error:
        report = Report()
        report_all(report, document, error, Spec)
        report.raise_if_failed()
        raise
