"""Question answering: find the part of a passage that answers a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.question_answering import QuestionAnswering
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.data.questions import QuestionExamples, ReadQuestion, read_windows
from runtime.data.tokenizer import SpacedTokenizer, Tokenizer
from runtime.tasks.answer_metrics import answer_metrics
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import all_batches, check_max_length

_SAMPLES: Final = 6


class QuestionAnsweringLearner(Learner[QuestionAnswering]):
    """Trains a network to find the first and the last token of answers."""

    _data: DataSplits | None = None

    def setup(self, data: DataSplits) -> None:
        """Check the lengths of passages; keep the data for its texts.

        Raises:
            SpecError: if a question and its passage are longer than the network's maximum.
        """
        self._data = data
        check_max_length(self, "tokens", (one["tokens"] for one in all_batches(data)))

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        """The cross-entropy of the first and the last token, summed over the batch."""
        start, end = self.scores(batch)
        first = F.cross_entropy(start, batch["start"], reduction="sum")
        return first + F.cross_entropy(end, batch["end"], reduction="sum")

    def scores(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The logits of the first and of the last token, float[B, T].

        Question and padding have almost no chance; the separator has one, for answers that were cut off.
        """
        inputs = self.instances[""].scope.inputs
        roles = {
            role: batch[role]
            for role in ("tokens", "mask", "segment_ids")
            if role == "tokens" or self.task.has(inputs, role)
        }
        outputs = self.call("", **roles)
        told = batch["segment_ids"].bool() & batch["mask"]
        allowed = told | F.pad(told[:, 1:], (0, 1))
        start, end = (
            outputs[bound(outputs, role, self.task.ports)].float()
            for role in ("start", "end")
        )
        return start.masked_fill(~allowed, -1e4), end.masked_fill(~allowed, -1e4)

    def find(self, batch: Batch) -> list[tuple[int, int, float]]:
        """The best first and last token of each passage of a batch, and the probability of both."""
        start, end = (one.double().log_softmax(-1) for one in self.scores(batch))
        told = batch["segment_ids"].bool() & batch["mask"]
        length = start.shape[1]
        ordered = torch.ones(length, length, dtype=torch.bool, device=start.device)
        ordered = ordered.triu() & ~ordered.triu(self.task.longest)
        both = start[:, :, None] + end[:, None, :]
        possible = ordered & told[:, :, None] & told[:, None, :]
        best, index = both.masked_fill(~possible, -torch.inf).flatten(1).max(1)
        return [
            (place // length, place % length, score)
            for place, score in zip(index.tolist(), best.exp().tolist(), strict=True)
        ]

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The loss of a question in nats, the fraction of exact answers, and their F1; at last the baseline."""
        held_out = self._examples("held_out")
        total, spans = 0.0, []
        for batch in batches:
            total += float(self.loss("", batch, 1.0))
            spans += self.find(batch)
        found = _answers(held_out, spans)
        expected = [one.answers for one in held_out.questions]
        metrics = {"loss": total / len(spans), **answer_metrics(found, expected)}
        if final:
            answers = Counter(
                one.answers[0] for one in self._examples("train").questions
            )
            frequent = [answers.most_common(1)[0][0]] * len(expected)
            metrics |= {
                f"{name}.frequent": value
                for name, value in answer_metrics(frequent, expected).items()
            }
        return metrics

    def _examples(self, part: str) -> QuestionExamples:
        found = getattr(self._data, part)
        assert isinstance(found, QuestionExamples), "`setup` comes first"
        return found

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """The first held-out questions, with their answers and the network's."""
        batch = {
            role: tensor[:_SAMPLES] for role, tensor in next(iter(batches)).items()
        }
        held_out = self._examples("held_out")
        lines = [
            f"passage:  {one.passage}\nquestion: {one.question}\n"
            f"expected: {one.answers[0]}\nanswer:   {read.text(one.passage, *span[:2])}\n"
            for number, read, span in zip(
                held_out.numbers, held_out.read, self.find(batch), strict=False
            )
            for one in (held_out.questions[number],)
        ]
        return {f"epoch-{epoch:03}.txt": "\n".join(lines)}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """Answers from texts that begin with a question, up to the first question mark or line break.

        Raises:
            RequestError: if a text has no question, or nothing after it.
        """
        return [self._predict(text) for text in inputs]

    def _predict(self, text: str) -> dict[str, Any]:
        question, passage = _split(text)
        length, stride = (
            self.task.facts().length,
            getattr(self.task.data, "stride", None),
        )
        windows = read_windows(question, passage, self.tokenizer, length, stride)
        if not windows[0].places:
            message = "a text must be a question, ending in a question mark, and the passage to answer it from"
            raise RequestError(message)
        found = [(*self._find(read), read) for read in windows]
        start, end, probability, read = max(found, key=itemgetter(2))
        answer = read.text(passage, start, end)
        return {"question": question, "answer": answer, "probability": probability}

    def _find(self, read: ReadQuestion) -> tuple[int, int, float]:
        """The best first and last token of a window, and the probability of both."""
        tokens = torch.tensor([read.ids], device=self.device)
        segments = torch.arange(len(read.ids), device=self.device) >= read.first
        batch = {
            "tokens": tokens,
            "mask": torch.ones_like(tokens, dtype=torch.bool),
            "segment_ids": segments[None].to(tokens),
        }
        (found,) = self.find(batch)
        return found

    @cached_property
    def tokenizer(self) -> SpacedTokenizer:
        """The tokenizer of questions and passages."""
        found = Tokenizer.from_json(self.metadata["tokenizer"])
        assert isinstance(found, SpacedTokenizer)
        return found


def _answers(
    examples: QuestionExamples, spans: Sequence[tuple[int, int, float]]
) -> list[str]:
    """The answer to each question: that of its most probable window."""
    best: dict[int, tuple[float, str]] = {}
    for number, read, (start, end, probability) in zip(
        examples.numbers, examples.read, spans, strict=True
    ):
        if number not in best or probability > best[number][0]:
            passage = examples.questions[number].passage
            best[number] = probability, read.text(passage, start, end)
    return [best[number][1] for number in range(len(examples.questions))]


def _split(text: str) -> tuple[str, str]:
    """The question that a text begins with, and the passage after it."""
    mark = "\n" if "\n" in text.strip() and "?" not in text.split("\n")[0] else "?"
    question, found, passage = text.strip().partition(mark)
    return f"{question}{found}".strip(), passage.strip()
