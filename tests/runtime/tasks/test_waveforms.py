"""Sounds out of noise: trained for seconds, evaluated by spectrograms, written as WAV files."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from compiler.diagnostics.diagnostic import RequestError, SpecError
from runtime.data.dataset import fingerprints
from runtime.open_run import LoadedRun, open_run
from runtime.tasks import image_evaluator
from runtime.tasks.learner import GenerationRequest
from runtime.tasks.waveforms import as_images, wav, with_images
from tests.runtime.data.section import read
from tests.runtime.engine.train_specs import SPECS, trained

(SPEC,) = (file for file in SPECS if file.stem == "waveforms")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    """Trained with a classifier of spectrograms that has learned little: it takes longer than all else."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_evaluator, "_STEPS", 60)
        trained(SPEC, folder)
    return open_run(folder)


def test_sounds_are_generated(run: LoadedRun) -> None:
    made = run.learner.generate(GenerationRequest(sampling={"seed": 3}))
    assert isinstance(made, bytes)
    samples, rate = soundfile.read(io.BytesIO(made))
    assert rate == 8000
    assert len(samples) == 4 * (1024 + 1600)
    assert made == run.learner.generate(GenerationRequest(sampling={"seed": 3}))
    assert made != run.learner.generate(GenerationRequest(sampling={"seed": 4}))
    with pytest.raises(RequestError, match="there is no --prompt"):
        run.learner.generate(GenerationRequest("say one"))
    samples_folder = run.folder.path / "samples"
    assert (samples_folder / "epoch-002.wav").read_bytes().startswith(b"RIFF")
    assert (samples_folder / "epoch-002.png").read_bytes().startswith(b"\x89PNG")


def test_sounds_are_evaluated(run: LoadedRun) -> None:
    found = run.evaluate()
    assert {"frechet", "confident", "classes", "judge.accuracy"} <= found.keys()
    assert found["frechet"] > 0


def test_the_shipped_digits() -> None:
    text = "{spoken_digits: {length: 6000, count: 30, held_out: 10}}"
    data = read(text)
    assert fingerprints(data) == fingerprints(read(text))
    batch = data.train.__getitems__(list(range(30)))
    assert batch["waveform"].shape == (30, 1, 6000)
    assert float(batch["waveform"].abs().amax((1, 2)).min()) > 0.3
    assert float(batch["waveform"].abs().max()) <= 1
    assert len(batch["label"].unique()) > 5
    images = with_images(data, 8000)
    assert images.train.__getitems__([0, 1])["image"].shape == (2, 1, 40, 75)
    assert (
        images.held_out.__getitems__([3])["label"]
        == data.held_out.__getitems__([3])["label"]
    )


def test_low_tones_are_at_the_bottom() -> None:
    times = torch.arange(4000) / 8000
    tones = torch.stack([(2 * torch.pi * f * times).sin() for f in (200, 3000)])
    low, high = as_images(tones[:, None], 8000)[:, 0].mean(2).argmax(1).tolist()
    assert low > 30 > 10 > high


def test_values_beyond_the_range_are_clipped() -> None:
    samples, _ = soundfile.read(
        io.BytesIO(wav(torch.tensor([[[2.0, -2.0, float("nan")]]]), 10))
    )
    assert np.abs(samples[:2] - [1, -1]).max() < 1e-4
    assert samples[2:].tolist() == [0, 0, 0]


def test_a_network_of_another_length(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(SPEC.read_text().replace("length: 1024", "length: 2048"))
    with pytest.raises(SpecError, match=r"needs waveform to be float\[B, 1, 2048\]"):
        trained(file, tmp_path / "run")
