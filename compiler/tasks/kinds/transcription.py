"""Speech recognition by an encoder and a decoder (Chan et al., 2015; Radford et al., 2022)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.decoding import Decoding
from compiler.tasks.formulas import Share
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class Transcription(Task):
    """The transcript of a recording, token by token, by an encoder and a decoder.

    The inputs are a log-mel spectrogram with a column for every 10 ms (Radford et al., 2022),
    and the transcript before each token (teacher forcing). Transcripts start with token 1 and
    end with token 2; token 0 is padding. Evaluation decodes, and counts errors as
    `speech_recognition` does. `predict` transcribes WAV and FLAC files.

    Attributes:
        label_smoothing: target mass spread evenly over the tokens (Szegedy et al., 2016).
        decoding: how transcripts are decoded.
    """

    forms: ClassVar[tuple[Form, ...]] = ("speech",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("spectrogram", "input", "float[B, mels, F]", "log-mel spectrogram"),
        Role("tokens", "input", "int[B, T]", "the transcript before each token"),
        Role(
            "logits",
            "output",
            "float[B, T, vocab]",
            "logits of the next token at each position",
        ),
    )
    metric: ClassVar[str] = "wer"
    decodes: ClassVar[str] = "tokens"
    example: ClassVar[str] = """\
kind: transcription
data: {spoken_numbers: {mels: 80}}
epochs: 20
optimizer: {adamw: {lr: 1e-3}}
decoding: {beam: 2}
"""

    kind: Literal["transcription"]
    label_smoothing: Share = 0.0
    decoding: Decoding = Field(default_factory=Decoding)

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        check.input(net, "spectrogram", "float", (FREE, facts.features, FREE))
        port = check.input(net, "tokens", "int", (FREE, FREE))
        check.fed(net, ("spectrogram", "tokens"))
        if port:
            name = f"the transcripts of {self.data.name}"
            check.tokens(net, port, facts.vocab, name)
        check.output(net, "logits", "float", (FREE, FREE, facts.vocab))
