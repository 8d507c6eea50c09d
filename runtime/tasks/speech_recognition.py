"""Speech recognition by connectionist temporal classification."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.text import shorten
from compiler.tasks.kinds.speech_recognition import SpeechRecognition
from compiler.tasks.ports import bound
from runtime.ctc import BLANK, decode_ctc, needed_positions
from runtime.data.dataset import Batch
from runtime.data.recordings import SpeechExamples
from runtime.data.tokenizer import EOS
from runtime.tasks.recognition import RecognitionLearner


class SpeechRecognitionLearner(RecognitionLearner[SpeechRecognition]):
    """Trains a network whose positions emit tokens or the blank (Graves et al., 2006)."""

    def check_lengths(self, examples: SpeechExamples) -> None:
        """Report transcripts that need more positions than the network has for their recording.

        Raises:
            SpecError: at the network's input.
        """
        for columns, target, text in zip(
            examples.lengths, examples.targets, examples.recordings.texts, strict=True
        ):
            needed = needed_positions(target[target > EOS].tolist())
            positions = self.positions(columns)
            if needed > positions:
                instance = self.instances[""]
                port = bound(instance.scope.inputs, "spectrogram", self.task.ports)
                message = (
                    f"the transcript {shorten(text)} needs {needed} positions, but {instance.scope.name} "
                    f"has {positions} for its {columns} columns"
                )
                span = instance.scope.place.at("inputs", port).span()
                help = (
                    "let the network keep more positions, or cut text into fewer tokens"
                )
                raise SpecError((Diagnostic("data-misfit", message, span, help=help),))

    def positions(self, columns: int) -> int:
        """The number of positions of the network for a spectrogram."""
        instance = self.instances[""]
        port = bound(instance.inputs, "spectrogram", self.task.ports)
        output = bound(instance.outputs, "logits", self.task.ports)
        given, made = instance.inputs[port], instance.outputs[output]
        assert given is not None and made is not None
        symbol = instance.context.value(given.shape[2]).alone
        assert symbol is not None
        return instance.context.value(made.shape[1]).evaluate({symbol: columns})

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        """The negative log-likelihood of the transcripts, summed over the batch.

        A transcript that is too long for its recording counts as 0.
        """
        targets = batch["target"]
        said = targets > EOS
        return F.ctc_loss(
            self.logits(batch).float().log_softmax(-1).transpose(0, 1),
            targets[said],
            self._lengths(batch),
            said.sum(1),
            blank=BLANK,
            reduction="sum",
            zero_infinity=True,
        )

    def logits(self, batch: Batch) -> Tensor:
        """The logits [B, T, vocab] of a batch's spectrograms."""
        roles = {"spectrogram": batch["spectrogram"]}
        if self.task.has(self.instances[""].scope.inputs, "mask"):
            roles["mask"] = batch["mask"]
        return self.output("", "logits", **roles)

    def _lengths(self, batch: Batch) -> Tensor:
        """The number of positions of each example, int[B], on the CPU."""
        columns = batch["mask"].sum(1)
        return columns.new_tensor(list(map(self.positions, columns.tolist())))

    def transcribe(self, batch: Batch) -> list[list[int]]:
        logits, lengths = self.logits(batch).cpu(), self._lengths(batch).tolist()
        return [
            decode_ctc(row[:length], self.task.beam)
            for row, length in zip(logits, lengths, strict=True)
        ]
