"""Optional packages: what needs them names the extra that installs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Extra = Literal["export", "lsp", "pdf", "torch", "train"]


class MissingExtraError(ImportError):
    """A package is needed that this installation lacks; the message names the extra that has it."""


@contextmanager
def needs_extra(extra: Extra) -> Iterator[None]:
    """Say which extra to install if a package is missing.

    Raises:
        MissingExtraError: in place of an import error of a package that is not LayerGraph's own.

    >>> with needs_extra("train"):
    ...     import lightning_fabrics
    Traceback (most recent call last):
    compiler.diagnostics.extras.MissingExtraError: lightning_fabrics is not installed: pip install 'layergraph[train]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("compiler", "runtime", "layergraph"):
            raise
        message = f"{package} is not installed: pip install 'layergraph[{extra}]'"
        raise MissingExtraError(message) from error
