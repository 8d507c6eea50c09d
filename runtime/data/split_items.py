"""Split what a data set has in files: by files of their own, or else at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from runtime.data.data_section import DataSection
from runtime.data.split import SplitOptions, split_by_class

Item = TypeVar("Item")


class FileOptions(SplitOptions, Protocol):
    """The options of a data set that has `path`, and may have `validation` and `test`."""

    @property
    def path(self) -> str: ...

    @property
    def validation(self) -> str | None: ...

    @property
    def test(self) -> str | None: ...

    @property
    def holds_out(self) -> bool: ...


def split_items(
    items: Sequence[Item],
    options: FileOptions,
    section: DataSection,
    read: Callable[[str], Sequence[Item]],
    noun: str,
    labels: Tensor | None = None,
) -> tuple[list[Item], list[Item], list[Item] | None]:
    """The items to train on, those that training is evaluated on, and those of the test, if they have a file.

    Args:
        items: those of `path`.
        options: the data set's.
        section: where errors are reported.
        read: the items of the file that an option names.
        noun: what the items are, for messages.
        labels: classes of the items int[N], of each of which the same fraction is held out.

    Raises:
        SpecError: as `read`, and if there are too few items to hold some out.
    """
    train, held_out = list(items), list[Item]()
    if options.validation is not None:
        held_out = list(read("validation"))
    else:
        labels = torch.zeros(len(items)) if labels is None else labels
        train, held_out = (
            [items[row] for row in part.tolist()]
            for part in split_by_class(labels, options)
        )
    if not train or (options.holds_out and not held_out):
        message = f"{section.path(options.path)} has too few {noun} to hold some out"
        section.fail("data-empty", message, "path")
    return train, held_out, None if options.test is None else list(read("test"))
