"""Images and labels in IDX files, the format of MNIST (http://yann.lecun.com/exdb/mnist)."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from compiler.tasks.data.idx import Idx
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.images import images_data
from runtime.data.split import split_by_class
from runtime.data.user_files import read_bytes

Part = dict[str, Tensor]
"""`images` uint8[N, 1, H, W] and `labels` int[N]."""
_UINT8: Final = 8
"""The third byte of a file whose values are unsigned bytes."""


def load(options: Idx, section: DataSection) -> DataSplits:
    """The images of the files, of which a fraction of each class is held out; those of the test files are for tests.

    Raises:
        SpecError: if a file does not exist, is not an IDX file, or does not match the others.
    """
    part = _read_part(section, options, "")
    classes = options.classes or int(part["labels"].max()) + 1
    _check_labels(section, part, classes, "labels")
    train, held_out = (
        {name: rows[indices] for name, rows in part.items()}
        for indices in split_by_class(part["labels"], options)
    )
    test = None
    if options.test_images is not None:
        test = _read_part(section, options, "test_")
        _check_labels(section, test, classes, "test_labels")
        _check_sizes(section, part, test)
    names = [str(number) for number in range(classes)]
    return images_data(train, held_out, 255, names, options, test)


def _read_part(section: DataSection, options: Idx, prefix: str) -> Part:
    images_file = getattr(options, f"{prefix}images")
    labels_file = getattr(options, f"{prefix}labels")
    images = read_idx(section, f"{prefix}images", images_file, 3)
    labels = read_idx(section, f"{prefix}labels", labels_file, 1)
    if len(images) != len(labels):
        message = f"there are {len(images)} images but {len(labels)} labels"
        section.fail("data-mismatch", message, f"{prefix}labels")
    return {"images": images.unsqueeze(1), "labels": labels.long()}


def _check_labels(section: DataSection, part: Part, classes: int, option: str) -> None:
    invalid = (part["labels"] >= classes).nonzero().flatten()
    if len(invalid):
        index = int(invalid[0])
        label = int(part["labels"][index])
        message = f"the label {label} of image {index} is not in 0 to {classes - 1}"
        section.fail("data-label", message, option)


def _check_sizes(section: DataSection, train: Part, test: Part) -> None:
    train_size, test_size = (tuple(part["images"].shape[2:]) for part in (train, test))
    if train_size != test_size:
        message = f"training images have size {train_size}, test images {test_size}"
        section.fail("data-mismatch", message, "test_images")


def read_idx(section: DataSection, option: str, written: str, rank: int) -> Tensor:
    """Read an IDX file with `rank` dimensions: uint8[...].

    The format is 0, 0, type, rank, each size in four bytes (big-endian), and the values.

    Raises:
        SpecError: if it is not such a file; no memory is allocated for sizes it only claims.
    """
    data = read_bytes(section, option, written)
    path = section.path(written)
    if not data:
        section.fail("data-empty", f"{path} is empty", option)
    header = 4 + 4 * rank
    if data[:4] != bytes((0, 0, _UINT8, rank)) or len(data) < header:
        message = f"{path} is not an IDX file of {'images' if rank == 3 else 'labels'}"
        help = f"it must start with the bytes 0, 0, {_UINT8}, {rank}, but starts with {list(data[:4])}"
        section.fail("data-format", message, option, help=help)
    sizes = [int.from_bytes(data[i : i + 4], "big") for i in range(4, header, 4)]
    if math.prod(sizes) != len(data) - header:
        shape = " × ".join(map(str, sizes))
        message = f"{path} has {len(data) - header} values, but its header says {shape}"
        section.fail("data-format", message, option)
    if not all(sizes):
        section.fail("data-empty", f"{path} has no values", option)
    return torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8).view(sizes)
