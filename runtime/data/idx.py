"""Images and labels in IDX files (http://yann.lecun.com/exdb/mnist)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from compiler.tasks.data.idx import Idx
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.images import images_data
from runtime.data.split import split_by_class
from runtime.data.user_files import read_bytes

Part = dict[str, Tensor]
_BYTES = 8  # the type of values, in the third byte: unsigned, one byte each


def load(options: Idx, section: DataSection) -> DataSplits:
    """The images of the files; without test files, a share of each class is held out.

    Raises:
        SpecError: where a file is not there, is no IDX file, or does not fit the others.
    """
    found = _part(section, options, "")
    classes = options.classes or int(found["labels"].max()) + 1
    _hold_labels(section, found, classes, "labels")
    if options.test_images is None:
        cut = split_by_class(found["labels"], options.held_out)
        train, held = (
            {name: rows[part] for name, rows in found.items()} for part in cut
        )
    else:
        train, held = found, _part(section, options, "test_")
        _hold_labels(section, held, classes, "test_labels")
        _hold_size(section, train, held)
    names = [str(number) for number in range(classes)]
    return images_data(train, held, 255, names, options)


def _part(section: DataSection, options: Idx, prefix: str) -> Part:
    images = read_idx(
        section, f"{prefix}images", getattr(options, f"{prefix}images"), 3
    )
    labels = read_idx(
        section, f"{prefix}labels", getattr(options, f"{prefix}labels"), 1
    )
    if len(images) != len(labels):
        message = f"there are {len(images)} images and {len(labels)} labels"
        section.fail("data-mismatch", message, f"{prefix}labels")
    return {"images": images.unsqueeze(1), "labels": labels.long()}


def _hold_labels(section: DataSection, part: Part, classes: int, option: str) -> None:
    wrong = (part["labels"] >= classes).nonzero().flatten()
    if len(wrong):
        first = int(wrong[0])
        label = int(part["labels"][first])
        message = f"the label {label} of image {first} is not one of 0 to {classes - 1}"
        section.fail("data-label", message, option)


def _hold_size(section: DataSection, train: Part, held: Part) -> None:
    sizes = [tuple(part["images"].shape[2:]) for part in (train, held)]
    if sizes[0] != sizes[1]:
        message = f"images to train on are {sizes[0]}, and those held out {sizes[1]}"
        section.fail("data-mismatch", message, "test_images")


def read_idx(section: DataSection, option: str, written: str, rank: int) -> Tensor:
    """The bytes of an IDX file of a rank, as uint8.

    The file is 0, 0, the type, the rank, each size in four bytes with the largest first, and the values.

    Raises:
        SpecError: where it is no such file; nothing is allocated by what its sizes claim.
    """
    data = read_bytes(section, option, written)
    path = section.path(written)
    if not data:
        section.fail("data-empty", f"{path} is empty", option)
    head = 4 + 4 * rank
    if data[:4] != bytes((0, 0, _BYTES, rank)) or len(data) < head:
        message = f"{path} is no IDX file of {'images' if rank == 3 else 'labels'}"
        help = f"it would start with the bytes 0, 0, {_BYTES}, {rank}, and this with {list(data[:4])}"
        section.fail("data-format", message, option, help=help)
    sizes = [int.from_bytes(data[i : i + 4], "big") for i in range(4, head, 4)]
    if math.prod(sizes) != len(data) - head:
        shape = " × ".join(map(str, sizes))
        message = f"{path} holds {len(data) - head} values, and says {shape}"
        section.fail("data-format", message, option)
    if not all(sizes):
        section.fail("data-empty", f"{path} holds no values", option)
    return torch.frombuffer(bytearray(data[head:]), dtype=torch.uint8).view(sizes)
