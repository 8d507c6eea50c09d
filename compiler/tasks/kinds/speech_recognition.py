"""Speech recognition by connectionist temporal classification (Graves et al., 2006)."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.ir.typed import Instance
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.formulas import Whole
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class SpeechRecognition(Task):
    """The transcript of a recording, by connectionist temporal classification (Graves et al., 2006).

    The input is a log-mel spectrogram with a column for every 10 ms (Radford et al., 2022); the
    network scores the tokens at each of its own positions, of which there are fewer; token 0 is
    the blank. The loss sums over all alignments of the transcript. Evaluation decodes, and
    counts errors of words (`wer`) and characters (`cer`), beside those of the best constant
    transcript. `predict` transcribes WAV and FLAC files.

    Attributes:
        beam: beam width; 1 takes the likeliest token at each position.
    """

    forms: ClassVar[tuple[Form, ...]] = ("speech",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("spectrogram", "input", "float[B, mels, F]", "log-mel spectrogram"),
        Role(
            "mask",
            "input",
            "bool[B, F]",
            "true at columns, false at padding",
            optional=True,
        ),
        Role(
            "logits",
            "output",
            "float[B, T, vocab]",
            "logits of the tokens at each position",
        ),
    )
    metric: ClassVar[str] = "wer"
    example: ClassVar[str] = """\
kind: speech_recognition
data: {spoken_numbers: {mels: 40}}
epochs: 12
batch_size: 16
optimizer: {adamw: {lr: 2e-3}}
"""

    kind: Literal["speech_recognition"]
    beam: Whole = 1

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        port = check.input(net, "spectrogram", "float", (FREE, facts.features, FREE))
        masked = self.has(net.scope.inputs, "mask")
        if masked:
            check.input(net, "mask", "bool", (FREE, FREE))
        check.fed(net, ("spectrogram", "mask") if masked else ("spectrogram",))
        output = check.output(net, "logits", "float", (FREE, FREE, facts.vocab))
        if port and output:
            _check_positions(check, net, port, output)


def _check_positions(check: PortCheck, net: Instance, port: str, output: str) -> None:
    """Report logits whose number does not follow from the number of columns."""
    given, made = net.inputs[port], net.outputs[output]
    if given is None or made is None:
        return
    columns, positions = (
        net.context.value(size) for size in (given.shape[2], made.shape[1])
    )
    if columns.alone is None or positions.symbols != columns.symbols:
        message = f"{check.kind} needs as many logits as follow from {columns} columns"
        check.report("task-misfit", ("kind",), message, f"{output} has {positions}")
