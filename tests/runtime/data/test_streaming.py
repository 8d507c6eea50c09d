"""Large folders of images are read when they are needed: what is held and opened, counted."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from compiler.diagnostics.diagnostic import SpecError
from runtime.data import folders, image_folder
from runtime.data.dataset import SeededIndices, fingerprint
from runtime.data.images import ImageExamples, ImageFiles
from runtime.engine.batch_sampler import (
    Batches,
    ShuffledBatchSampler,
    sequential_loader,
    shuffled_loader,
)
from tests.runtime.data.section import read

COUNT = 24
DATA = "{image_folder: {path: p, size: 8, channels: 1, held_out: 0.25, augment: [{rotate: {degrees: 30}}]}}"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A folder that is too large to hold, and the files that are decoded from now on."""
    for number in range(COUNT):
        buffer = io.BytesIO()
        rows = np.full((8, 8), 10 * number, np.uint8)
        Image.fromarray(rows).save(buffer, "PNG")
        file = tmp_path / "p" / "ab"[number % 2] / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(buffer.getvalue())
    monkeypatch.setattr(folders, "MAX_HELD", COUNT * 8)
    found: list[Path] = []
    real = image_folder.read_image

    def counted(path: Path, *options: object) -> torch.Tensor:
        found.append(path)
        return real(path, *options)  # type: ignore[arg-type]

    monkeypatch.setattr(image_folder, "read_image", counted)
    return found


def test_files_are_decoded_when_they_are_needed(
    tmp_path: Path, opened: list[Path]
) -> None:
    data = read(DATA, tmp_path)
    examples = data.train
    assert isinstance(examples, ImageExamples)
    assert isinstance(examples.pixels, ImageFiles) and examples.workers >= 1
    first = len(opened)
    assert first <= 1  # the sizes of one
    batch = examples.__getitems__([3, 5, 7])
    assert len(opened) == first + 3
    assert batch["image"].shape == (3, 1, 8, 8)
    # Nothing is kept: the same images are decoded again.
    examples.__getitems__([3, 5, 7])
    assert len(opened) == first + 6
    held = [
        one for one in vars(examples.pixels).values() if isinstance(one, torch.Tensor)
    ]
    assert held == []


def test_the_fingerprint_reads_files_undecoded(
    tmp_path: Path, opened: list[Path]
) -> None:
    data = read(DATA, tmp_path)
    before, first = len(opened), fingerprint(data.train)
    assert len(opened) == before and first == fingerprint(data.train)
    file = Path(data.train.pixels.files[0])  # type: ignore[attr-defined]
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(file)
    assert fingerprint(read(DATA, tmp_path).train) != first


def test_workers_make_the_same_batches(
    tmp_path: Path, opened: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With any number of processes, after any number of batches: also what is augmented."""
    examples = read(DATA, tmp_path).train

    def epoch(workers: int, start: int = 0) -> list[torch.Tensor]:
        monkeypatch.setattr(ImageExamples, "workers", workers)
        sampler = ShuffledBatchSampler(len(examples), 4, seed=7)
        sampler.epoch, sampler.start = 2, start
        loader = Batches(shuffled_loader(examples, sampler))
        return [batch["image"] for batch in loader]

    one = epoch(0)
    torch.rand(3)  # the state of the process does not matter
    assert all(map(torch.equal, one, epoch(2)))
    assert all(map(torch.equal, one[2:], epoch(2, start=2)))
    assert not torch.equal(one[0], one[1])


def test_seeds_go_to_the_workers() -> None:
    import pickle

    again = pickle.loads(pickle.dumps(SeededIndices([4, 2], 99)))  # noqa: S301
    assert again == [4, 2] and again.seed == 99


def test_a_damaged_file_is_an_error_of_the_data(
    tmp_path: Path, opened: list[Path]
) -> None:
    whole = read(DATA, tmp_path)
    file = Path(whole.train.pixels.files[1])  # type: ignore[attr-defined]
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(SpecError, match="is not an image"):
        list(sequential_loader(whole.train, 4))
    file.write_text("no image")
    with pytest.raises(SpecError, match="is not an image"):  # its header says so
        read(DATA, tmp_path)


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_images_of_another_aspect(fit: str, tmp_path: Path) -> None:
    """A square in the middle of a wide image stays a square, unless it is stretched."""
    wide = np.zeros((20, 60), np.uint8)
    wide[5:15, 25:35] = 255
    file = tmp_path / "p" / "a" / "0.png"
    file.parent.mkdir(parents=True)
    Image.fromarray(wide).save(file)
    options = f"path: p, size: 60, channels: 1, fit: {fit}, held_out: 0"
    data = read(f"{{image_folder: {{{options}}}}}", tmp_path)
    image = data.train.__getitems__([0])["image"][0, 0]
    height, width = (int((image.amax(axis) > 0.5).sum()) for axis in (1, 0))
    assert (abs(height - width) <= 2) == (fit != "stretch")
