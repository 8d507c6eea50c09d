"""Speech recognition, trained for seconds: losses, metrics, transcripts of files."""

from pathlib import Path

import pytest
import soundfile
import torch
from torch.nn import functional as F
from torchmetrics.functional.text import char_error_rate, word_error_rate

from compiler.diagnostics.diagnostic import DataError, SpecError
from runtime.open_run import LoadedRun, open_run
from runtime.tasks.edit_distance import error_rate
from runtime.tasks.recognition import RecognitionLearner, best_constant
from runtime.tasks.recognition import word_error_rate as own_word_error_rate
from runtime.tasks.speech_recognition import SpeechRecognitionLearner
from runtime.tasks.transcription import TranscriptionLearner
from tests.runtime.engine.train_specs import SPECS, trained

BY_NAME = {file.stem: file for file in SPECS}
KINDS = ("speech_recognition", "transcription")


@pytest.fixture(scope="module", params=KINDS)
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LoadedRun:
    folder = tmp_path_factory.mktemp("runs") / "run"
    trained(BY_NAME[request.param], folder)
    return open_run(folder)


def test_a_run_is_evaluated(run: LoadedRun) -> None:
    found = run.evaluate()
    assert {"loss", "wer", "cer", "exact", "wer.constant"} == found.keys()
    assert 0 < found["wer.constant"] <= 1
    plots = run.learner.plots()
    assert plots["spectrogram.png"].startswith(b"\x89PNG")
    samples = (run.folder.path / "samples/epoch-001.txt").read_text()
    assert samples.count("reference: ") == samples.count("transcript: ") == 8


def test_files_are_transcribed(run: LoadedRun, tmp_path: Path) -> None:
    recordings = run.data().held_out.recordings  # type: ignore[attr-defined]
    file = tmp_path / "a.wav"
    samples = recordings.samples(0)
    soundfile.write(file, samples.numpy(), 8000, subtype="FLOAT")
    (found,) = run.predict([str(file)])
    batch = run.data().held_out.__getitems__([0])
    assert isinstance(run.learner, RecognitionLearner)
    with torch.no_grad():
        (expected,) = run.learner.transcribe(batch)
    assert found["transcript"] == run.learner.tokenizer.decode(expected)
    (tmp_path / "b.wav").write_bytes(b"no audio")
    with pytest.raises(DataError, match=r"b\.wav is not a recording"):
        run.predict([str(tmp_path / "b.wav")])


def test_the_loss_of_a_batch_is_that_of_its_examples(run: LoadedRun) -> None:
    data, learner = run.data().held_out, run.learner
    with torch.no_grad():
        single = [learner.loss("", data.__getitems__([i]), 0.0) for i in range(3)]
        items = [learner.num_items(data.__getitems__([i])) for i in range(3)]
        batch = data.__getitems__([0, 1, 2])
        whole = learner.loss("", batch, 0.0)
    assert learner.num_items(batch) == sum(items)
    # A recurrent network also reads the silence after a recording.
    torch.testing.assert_close(whole, torch.stack(single).sum(), rtol=0.05, atol=0)


def test_the_loss_is_that_of_torch(tmp_path: Path) -> None:
    trained(BY_NAME["speech_recognition"], tmp_path / "run")
    run = open_run(tmp_path / "run")
    learner, batch = run.learner, run.data().held_out.__getitems__([4])
    assert isinstance(learner, SpeechRecognitionLearner)
    target = batch["target"][0, 1:-1]
    scores = run.networks[""](batch["spectrogram"]).log_softmax(-1)[0]
    sizes = torch.tensor(len(scores)), torch.tensor(len(target))
    expected = F.ctc_loss(scores, target, *sizes, reduction="sum")
    torch.testing.assert_close(learner.loss("", batch, 0.0), expected)


def test_a_transcript_that_needs_more_positions(tmp_path: Path) -> None:
    spec = BY_NAME["speech_recognition"].read_text()
    file = tmp_path / "net.yaml"
    file.write_text(spec.replace("stride: 4", "stride: 256"))
    with pytest.raises(SpecError, match=r"needs \d positions, but Net has") as caught:
        trained(file, tmp_path / "run")
    (one,) = caught.value.diagnostics
    assert (one.code, one.span.line, one.span.column) == ("data-misfit", 3, 16)


def test_transcripts_beyond_the_maximum_of_the_network(tmp_path: Path) -> None:
    spec = BY_NAME["transcription"].read_text()
    file = tmp_path / "net.yaml"
    for dims, role in (("{T: {max: 4}}", "tokens"), ("{F: {max: 50}}", "spectrogram")):
        file.write_text(spec.replace("inputs:", f"dims: {dims}\ninputs:", 1))
        with pytest.raises(SpecError, match=f"the longest {role} has"):
            trained(file, tmp_path / "run")


def test_transcripts_are_no_longer_than_the_task_says(tmp_path: Path) -> None:
    trained(BY_NAME["transcription"], tmp_path / "run")
    run = open_run(tmp_path / "run")
    assert isinstance(run.learner, TranscriptionLearner)
    batch = run.data().held_out.__getitems__([0, 1, 2])
    with torch.no_grad():
        found = run.learner.transcribe(batch)
    assert len(found) == 3
    assert max(map(len, found)) <= 8


def test_error_rates_are_those_of_torchmetrics() -> None:
    found = ["a b d", "", "one two three four", "x"]
    expected = ["a b c", "zero", "one three", "x"]
    words = word_error_rate(found, expected)
    assert own_word_error_rate(found, expected) == pytest.approx(float(words))
    characters = char_error_rate(found, expected)
    assert error_rate(found, expected) == pytest.approx(float(characters))


def test_the_best_constant_transcript() -> None:
    assert best_constant(["a b a", "b a c a a"]) == "a a a"
    assert best_constant(["a", "b a c", "a b"]) == "a"


def test_whisper_is_trained_and_transcribes(tmp_path: Path) -> None:
    sizes = ("mels=8", "width=16", "depth=1", "heads=2")
    data = "task.data.spoken_numbers"
    few = (f"{data}.count=32", f"{data}.held_out=6", f"{data}.mels=8")
    spec = Path("recipes/whisper_numbers.yaml")
    trained(spec, tmp_path / "run", *sizes, *few, "task.epochs=2")
    run = open_run(tmp_path / "run")
    recordings = run.data().held_out.recordings  # type: ignore[attr-defined]
    soundfile.write(tmp_path / "a.flac", recordings.samples(0).numpy(), 8000)
    (found,) = run.predict([str(tmp_path / "a.flac")])
    assert isinstance(found["transcript"], str)
    assert run.evaluate()["wer"] > 0
