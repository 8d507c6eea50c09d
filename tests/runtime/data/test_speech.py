"""Spectrograms against transformers', the shipped voices, and recordings of one's own."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from transformers import WhisperFeatureExtractor

from compiler.diagnostics.diagnostic import DataError, RequestError, SpecError
from runtime.data.audio import audio_seconds, read_audio
from runtime.data.dataset import DataSplits, fingerprints
from runtime.data.log_mel import LogMel
from runtime.data.recordings import SpeechExamples
from runtime.data.spoken_numbers import NUMBERS, VOICES, SpokenStrings, read_clips
from runtime.tasks.user_inputs import read_user_audio
from tests.runtime.data.section import read

FEW = "spoken_numbers: {count: 20, held_out: 8, longest: 3, mels: 16"


def tone(seconds: float, rate: int, frequency: float = 440) -> NDArray[np.float32]:
    times = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def strings(data: DataSplits) -> tuple[SpokenStrings, SpokenStrings]:
    found = []
    for part in (data.train, data.held_out):
        assert isinstance(part, SpeechExamples)
        assert isinstance(part.recordings, SpokenStrings)
        found.append(part.recordings)
    return found[0], found[1]


@pytest.mark.parametrize("mels", [40, 80, 128])
@pytest.mark.parametrize("seconds", [1, 3])
def test_spectrograms_are_those_of_whisper(mels: int, seconds: int) -> None:
    samples = np.random.default_rng(0).standard_normal(16000 * seconds)
    samples = (samples * np.linspace(0, 1, len(samples))).astype(np.float32)
    theirs = WhisperFeatureExtractor(feature_size=mels, chunk_length=seconds)
    expected = theirs(samples, sampling_rate=16000, return_tensors="pt")
    found = LogMel(16000, mels)(torch.from_numpy(samples))
    torch.testing.assert_close(found, expected["input_features"][0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("samples", [0, 1, 79, 80, 199, 8000])
def test_a_recording_of_any_length_has_columns(samples: int) -> None:
    log_mel = LogMel(8000, 20)
    found = log_mel(torch.zeros(samples))
    assert found.shape == (20, max(1, samples // 80))
    assert found.isfinite().all()


def test_a_tone_is_in_its_band() -> None:
    low, high = (
        LogMel(8000, 32)(torch.from_numpy(tone(0.5, 8000, f))) for f in (300, 3000)
    )
    assert low.mean(1).argmax() < 10 < 20 < high.mean(1).argmax()


def test_all_voices_say_all_numbers() -> None:
    clips = read_clips()
    assert len(clips) == len(VOICES) * len(NUMBERS) == 168
    assert 120 < sum(map(len, clips.values())) / 8000 < 130


def test_strings_are_the_same_every_time_and_distinct() -> None:
    one, again = read(f"{{{FEW}}}}}"), read(f"{{{FEW}}}}}")
    other = read(f"{{{FEW}, seed: 1}}}}")
    assert fingerprints(one) == fingerprints(again) != fingerprints(other)
    first, second = one.train.__getitems__([3, 5]), again.train.__getitems__([3, 5])
    for role, tensor in first.items():
        torch.testing.assert_close(tensor, second[role], rtol=0, atol=0)
    train, held_out = strings(one)
    assert set(train.texts).isdisjoint(held_out.texts)
    assert len(set(held_out.texts)) == 8
    assert all(1 < len(text.split()) < 4 for text in train.texts)


def test_a_voice_can_be_held_out() -> None:
    train, held_out = strings(read(f"{{{FEW}, unheard: it-menardi}}}}"))
    assert {plan.voice for plan in held_out.plans} == {"it-menardi"}
    assert "it-menardi" not in {plan.voice for plan in train.plans}
    assert len(Counter(plan.voice for plan in train.plans)) > 2


def test_batches_of_spectrograms() -> None:
    data = read(f"{{{FEW}}}}}")
    batch = data.train.__getitems__([0, 1, 2])
    rows, columns = batch["spectrogram"].shape[1:]
    assert (rows, batch["mask"].shape) == (16, (3, columns))
    assert batch["mask"].sum(1).max() == columns
    targets = batch["target"]
    assert (targets[:, 0] == 1).all() and ((targets == 2).sum(1) == 1).all()
    lengths = data.train.lengths  # type: ignore[attr-defined]
    assert batch["mask"].sum(1).tolist() == pytest.approx(lengths[:3], abs=1)
    assert data.facts.vocab == 32


def test_audio_of_any_rate_and_number_of_channels(tmp_path: Path) -> None:
    file = tmp_path / "a.flac"
    stereo = np.stack([tone(0.3, 44100), np.zeros(13230, np.float32)], 1)
    soundfile.write(file, stereo, 44100)
    found = read_audio(file, 8000).numpy()
    assert abs(len(found) - 2400) <= 1
    expected = tone(0.3, 8000) / 2
    assert np.abs(found[100:2300] - expected[100:2300]).max() < 0.01
    assert audio_seconds(file) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.wav", b"", "not a recording"),
        ("a.wav", b"RIFF\x00\x00\x00\x00WAVEfmt ", "not a recording"),
        ("a.ogg", b"", "its format is OGG"),
        ("none.wav", None, "does not exist"),
    ],
)
def test_what_is_no_recording(
    name: str, content: bytes | None, message: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    if name == "a.ogg":
        soundfile.write(file, tone(0.1, 8000), 8000)
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises((DataError, RequestError), match=message):
        read_user_audio(str(file), 8000)


def recordings(folder: Path, *lines: str, seconds: float = 0.2) -> None:
    (folder / "clips").mkdir()
    for i in range(4):
        soundfile.write(folder / f"clips/{i}.wav", tone(seconds, 16000), 16000)
    every = [*(f"clips/{i}.wav\tnumber {i}" for i in range(4)), *lines]
    (folder / "t.tsv").write_text("".join(f"{line}\n" for line in every))


def test_own_recordings(tmp_path: Path) -> None:
    recordings(tmp_path)
    data = read(
        "{speech: {path: t.tsv, rate: 8000, mels: 12, held_out: 0.25}}", tmp_path
    )
    assert (len(data.train), len(data.held_out)) == (3, 1)
    batch = data.train.__getitems__([0, 1])
    assert batch["spectrogram"].shape == (2, 12, 20)
    assert data.metadata["rate"] == 8000


@pytest.mark.parametrize(
    ("line", "option", "message"),
    [
        ("clips/9.wav\tnine", "", "cannot be used"),
        ("clips\tall", "", "cannot be used"),
        ("t.tsv\tthis", "", "cannot be used"),
        ("clips/1.wav\tone", ", longest: 0.1", "it has 0.2 s"),
    ],
)
def test_a_line_of_an_invalid_recording_is_named(
    line: str, option: str, message: str, tmp_path: Path
) -> None:
    recordings(tmp_path, line)
    with pytest.raises(SpecError, match=message) as caught:
        read(f"{{speech: {{path: t.tsv{option}}}}}", tmp_path)
    (one,) = caught.value.diagnostics
    assert (one.code, Path(one.span.file).name) == ("data-unreadable", "t.tsv")
    assert one.span.line == (1 if option else 5)


def test_too_few_recordings(tmp_path: Path) -> None:
    recordings(tmp_path)
    with pytest.raises(SpecError, match="too few recordings"):
        read("{speech: {path: t.tsv, held_out: 0.01}}", tmp_path)


def test_memory_for_a_recording_is_bounded(tmp_path: Path) -> None:
    """The header of a small file can announce half an hour at a rate of 655 kHz."""
    file = tmp_path / "long.flac"
    soundfile.write(file, tone(0.01, 8000), 655_350, subtype="PCM_16")
    content = bytearray(file.read_bytes())
    content[22:26] = (2**30).to_bytes(4, "big")  # the low bits of the number of samples
    file.write_bytes(content)
    assert audio_seconds(file) < 3600
    with pytest.raises(ValueError, match="at most 268,435,456 are read"):
        read_audio(file, 8000)
