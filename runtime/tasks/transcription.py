"""Speech recognition with an encoder and a decoder: trained with teacher forcing, decoded token by token."""

from __future__ import annotations

from torch import Tensor

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.symbolic.domain import Constraint
from compiler.tasks.kinds.transcription import Transcription
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch
from runtime.data.recordings import SpeechExamples
from runtime.decode import Stepper
from runtime.tasks.recognition import RecognitionLearner
from runtime.tasks.sequence_lengths import lengths
from runtime.tasks.stepping import stepper
from runtime.tasks.translate_batches import decode_batch
from runtime.tasks.translation import cross_entropy


class TranscriptionLearner(RecognitionLearner[Transcription]):
    """Trains a network to predict the next token of a transcript."""

    def check_lengths(self, examples: SpeechExamples) -> None:
        """Report recordings and transcripts that are longer than the network's maximum.

        Raises:
            SpecError: at the network's input.
        """
        longest = {
            "spectrogram": (max(examples.lengths), "columns"),
            "tokens": (max(map(len, examples.targets)) - 1, "tokens"),
        }
        for role, (length, unit) in longest.items():
            limit = self._allowed(role).max
            if limit is not None and length > limit:
                scope = self.instances[""].scope
                port = bound(scope.inputs, role, self.task.ports)
                message = f"the longest {role} has {length} {unit}, but the input {port} takes {limit}"
                span = scope.place.at("inputs", port).span()
                help = "raise the maximum of the network, or leave out long recordings"
                raise SpecError((Diagnostic("data-misfit", message, span, help=help),))

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        """The cross-entropy of the next token, summed over the transcripts of a batch."""
        target = batch["target"]
        logits = self.logits(batch["spectrogram"], target[:, :-1])
        return cross_entropy(logits, target[:, 1:], self.task.label_smoothing)

    def logits(self, spectrogram: Tensor, prefix: Tensor) -> Tensor:
        """The logits [B, T, vocab] of each next token, for spectrograms [B, mels, F] and prefixes int[B, T]."""
        return self.output("", "logits", spectrogram=spectrogram, tokens=prefix)

    def transcribe(self, batch: Batch) -> list[list[int]]:
        decoding = self.task.decoding
        limits = (decoding.most, self._allowed("tokens").max)
        limit = min(limit for limit in limits if limit)
        spectrogram = batch["spectrogram"]
        return decode_batch(self.logits, spectrogram, decoding, limit, self._begin)

    def _begin(self, spectrogram: Tensor, length: int) -> Stepper | None:
        """The next logits of transcripts from a state; None if the network has no `step`."""
        return stepper(self, "tokens", length, spectrogram=spectrogram)

    def _allowed(self, role: str) -> Constraint:
        """The numbers of columns or tokens that the network accepts."""
        instance, last = self.instances[""], {"spectrogram": 2, "tokens": 1}[role]
        return lengths(instance, bound(instance.inputs, role, self.task.ports), last)
