"""What all learners of speech recognition share: metrics, samples and predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

import torch
from torch import Tensor

from compiler.tasks.task import Task
from runtime.data.dataset import Batch, DataSplits
from runtime.data.log_mel import LogMel
from runtime.data.recordings import SpeechExamples, spectrogram_batch
from runtime.data.tokenizer import EOS, Tokenizer
from runtime.tasks.edit_distance import error_rate
from runtime.tasks.learner import Learner
from runtime.tasks.user_inputs import read_user_audio

T = TypeVar("T", bound=Task)
_SAMPLES: Final = 8


class RecognitionLearner(Learner[T]):
    """Trains a network to write what is said in recordings."""

    _train_texts: Sequence[str] = ()
    _shown: tuple[Tensor, str, str] | None = None
    """The first spectrogram of the last evaluation, its transcript, and the network's."""

    def setup(self, data: DataSplits) -> None:
        """Check the lengths of recordings and transcripts; keep the transcripts for the baseline.

        Raises:
            SpecError: if one does not fit the network.
        """
        for part in filter(None, (data.train, data.held_out, data.test)):
            assert isinstance(part, SpeechExamples)
            self.check_lengths(part)
        if isinstance(data.train, SpeechExamples):
            self._train_texts = data.train.recordings.texts

    @abstractmethod
    def check_lengths(self, examples: SpeechExamples) -> None:
        """Report examples that do not fit the network."""

    @abstractmethod
    def transcribe(self, batch: Batch) -> list[list[int]]:
        """The tokens of the recordings of a batch."""

    def num_items(self, batch: Batch) -> int:
        """The number of tokens of the transcripts, their end included."""
        return int((batch["target"] >= EOS).sum())

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The loss of a token in nats, rates of errors, and the fraction of transcripts without any.

        The final evaluation adds the rate of word errors of the best constant transcript.
        """
        total, count, self._shown = 0.0, 0, None
        found: list[str] = []
        expected: list[str] = []
        for batch in batches:
            total += float(self.loss("", batch, 1.0))
            count += self.num_items(batch)
            found += map(self.tokenizer.decode, self.transcribe(batch))
            expected += map(self.tokenizer.decode, batch["target"])
            if self._shown is None:
                first = batch["spectrogram"][0][:, batch["mask"][0]].cpu()
                self._shown = (first, expected[0], found[0])
        same = sum(map(str.__eq__, found, expected))
        metrics = {
            "loss": total / count,
            "wer": word_error_rate(found, expected),
            "cer": error_rate(found, expected),
            "exact": same / len(expected),
        }
        if final and self._train_texts:
            constant = best_constant(self._train_texts)
            metrics["wer.constant"] = word_error_rate(
                [constant] * len(expected), expected
            )
        return metrics

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A few held-out transcripts, with those of the network."""
        batch = {
            role: tensor[:_SAMPLES] for role, tensor in next(iter(batches)).items()
        }
        lines = [
            f"reference:  {self.tokenizer.decode(target)}\n"
            f"transcript: {self.tokenizer.decode(ids)}\n"
            for target, ids in zip(batch["target"], self.transcribe(batch), strict=True)
        ]
        return {f"epoch-{epoch:03}.txt": "\n".join(lines)}

    def plots(self) -> dict[str, bytes]:
        if self._shown is None:
            return {}
        from runtime.plots.spectrogram import spectrogram_png

        return {"spectrogram.png": spectrogram_png(*self._shown)}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """The transcripts of audio files, WAV or FLAC.

        Raises:
            RequestError: if a file does not exist or is not audio.
        """
        return [
            {"input": file, "transcript": self._transcript(file)} for file in inputs
        ]

    def _transcript(self, file: str) -> str:
        spectrogram = self.log_mel(read_user_audio(file, self.log_mel.rate))
        batch = spectrogram_batch([spectrogram])
        on_device = {role: tensor.to(self.device) for role, tensor in batch.items()}
        (ids,) = self.transcribe(on_device)
        return self.tokenizer.decode(ids)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the transcripts."""
        return Tokenizer.from_json(self.metadata["tokenizer"])

    @cached_property
    def log_mel(self) -> LogMel:
        """Computes spectrograms as those of the training data."""
        return LogMel(self.metadata["rate"], self.metadata["mels"])


def word_error_rate(found: Sequence[str], expected: Sequence[str]) -> float:
    """Word substitutions, deletions and insertions, as a fraction of the expected words."""
    return error_rate([one.split() for one in found], [one.split() for one in expected])


def best_constant(texts: Sequence[str]) -> str:
    """The most frequent word, as often as makes the fewest errors."""
    words = Counter(word for text in texts for word in text.split())
    most = " ".join(word for word, _ in words.most_common(1))
    longest = max((len(text.split()) for text in texts), default=0)
    constants = [" ".join([most] * count) for count in range(1, longest + 1)]
    return min(
        constants,
        key=lambda one: word_error_rate([one] * len(texts), texts),
        default="",
    )
