"""What supervised tasks share: how a network is run on examples, losses, metrics, and a user's inputs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from torch import Tensor

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.data_facts import Answer
from compiler.tasks.losses import Loss
from compiler.tasks.ports import bound
from compiler.tasks.supervised import Supervised
from runtime.data.dataset import Batch, DataSplits
from runtime.data.table_columns import NumberColumn, TableColumns
from runtime.data.tokenizer import Tokenizer
from runtime.tasks.example_losses import example_losses
from runtime.tasks.learner import Learner
from runtime.tasks.named_metrics import measure
from runtime.tasks.output_metrics import (
    confusion_matrix,
    label_metrics,
    number_metrics,
)
from runtime.tasks.sequence_lengths import all_batches, check_max_length
from runtime.tasks.user_inputs import (
    TableFile,
    image_files,
    image_shape,
    read_as_trained,
    read_video_as_trained,
)

T = TypeVar("T", bound=Supervised)
ROLES: Final[Mapping[Answer, str]] = {
    "classes": "label",
    "numbers": "target",
    "labels": "labels",
}
"""The roles in a batch that are to be predicted."""
Described = dict[str, Any]
"""What a prediction says of its input."""


class SupervisedLearner(Learner[T]):
    """Trains a network to predict something of each example."""

    data: DataSplits | None = None
    """The data, once `setup` was called."""

    def setup(self, data: DataSplits) -> None:
        """Check the lengths of texts.

        Raises:
            SpecError: if a text is longer than the network's maximum.
        """
        self.data = data
        if data.facts.form == "labelled text":
            texts = (batch["tokens"] for batch in all_batches(data))
            check_max_length(self, "tokens", texts)

    # The network and its losses.

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """The outputs of the network by name for the inputs of a batch."""
        roles = {role: one for role, one in batch.items() if role not in ROLES.values()}
        if self.task.ports.get("mask", "mask") not in self.instances[""].scope.inputs:
            roles.pop("mask", None)
        segments = self.task.ports.get("segment_ids", "segment_ids")
        if "tokens" in roles and segments in self.instances[""].scope.inputs:
            roles["segment_ids"] = torch.zeros_like(roles["tokens"])
        return self.call("", **roles)

    @cached_property
    def port(self) -> str:
        """The output that predicts what the task is for."""
        return bound(self.instances[""].outputs, self.task.output, self.task.ports)

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        """The loss of the task and those of further outputs, each with its weight."""
        outputs = self.outputs(batch)
        total = self.own_losses(outputs[self.port], batch).sum()
        for port, loss in self.task.losses.items():
            values = self.losses_of(loss, outputs[port], batch)
            total = total + loss.weight * values.sum()
        return total

    @abstractmethod
    def own_losses(self, output: Tensor, batch: Batch) -> Tensor:
        """The loss of the task for each example [B]."""

    def losses_of(self, loss: Loss, output: Tensor, batch: Batch) -> Tensor:
        """A loss of each example [B], without its weight."""
        answer = self.answer_of(loss, batch)
        output = output.unsqueeze(1) if output.dim() < answer.dim() else output
        more = self.loss_arguments(loss)
        return example_losses(loss, output, answer, **more)

    def loss_arguments(self, loss: Loss) -> Mapping[str, Any]:
        """Further arguments of a loss in training."""
        return {}

    def answer_of(self, loss: Loss, batch: Batch) -> Tensor:
        """What a loss compares an output with: class int[B], numbers or labels float[B, n]."""
        answer = batch[ROLES[loss.answer]]
        return answer[:, self.columns_of(loss)] if loss.targets else answer

    def columns_of(self, loss: Loss) -> list[int]:
        """The numbers of the columns of targets that a loss is of."""
        names = [one.name for one in self.scales]
        return [names.index(name) for name in loss.targets or names]

    # Evaluation.

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The metrics of the task, those that it names, and those of further outputs; the final ones have baselines."""
        outputs, answers = self._collect(batches)
        output = outputs[self.port]
        metrics = self.own_metrics(output, answers)
        output, truth = self.measured(output, answers)
        for metric in self.task.metrics:
            threshold = getattr(self.task, "threshold", 0.5)
            metrics[metric.label] = measure(
                metric, self.task.answer, output, truth, threshold
            )
        for port, loss in self.task.losses.items():
            found = self._metrics_of(loss, outputs[port], answers)
            metrics |= {f"{port}.{name}": value for name, value in found.items()}
        return metrics | (self.baselines(answers) if final else {})

    def _collect(self, batches: Iterable[Batch]) -> tuple[dict[str, Tensor], Batch]:
        """The outputs that have losses, and the answers, of all batches; on the CPU."""
        ports = {self.port, *self.task.losses}
        rows: dict[str, list[Tensor]] = {}
        answers: dict[str, list[Tensor]] = {}
        for batch in batches:
            outputs = self.outputs(batch)
            for port in ports:
                rows.setdefault(port, []).append(outputs[port].float().cpu())
            for role in batch.keys() & set(ROLES.values()):
                answers.setdefault(role, []).append(batch[role].cpu())
        return (
            {name: torch.cat(parts) for name, parts in rows.items()},
            {name: torch.cat(parts) for name, parts in answers.items()},
        )

    @abstractmethod
    def own_metrics(self, output: Tensor, answers: Batch) -> dict[str, float]:
        """The metrics of every evaluation, of the output of all held-out examples."""

    def measured(self, output: Tensor, answers: Batch) -> tuple[Tensor, Tensor]:
        """What named metrics compare: the output, and what it should have been."""
        return output, answers[ROLES[self.task.answer]]

    def baselines(self, answers: Batch) -> dict[str, float]:
        """The metrics of predictions without the network; names end with the baseline's."""
        return {}

    def _metrics_of(
        self, loss: Loss, output: Tensor, answers: Batch
    ) -> dict[str, float]:
        """The metrics of a further output."""
        answer = self.answer_of(loss, answers)
        output = output.unsqueeze(1) if output.dim() < answer.dim() else output
        metrics = {"loss": float(example_losses(loss, output, answer).mean())}
        match loss.answer:
            case "classes":
                right = (output.argmax(-1) == answer).sum()
                metrics["accuracy"] = int(right) / len(answer)
            case "labels":
                metrics |= label_metrics(output > 0, answer > 0)
            case "numbers":
                columns = self.columns_of(loss)
                found = number_metrics(
                    self.unscale(output, columns), self.unscale(answer, columns)
                )
                metrics |= {name: float(one.mean()) for name, one in found.items()}
        return metrics

    @cached_property
    def scales(self) -> list[NumberColumn]:
        """Name, mean and standard deviation of each number to predict."""
        return [NumberColumn.model_validate(one) for one in self.metadata["targets"]]

    def unscale(self, values: Tensor, columns: Sequence[int]) -> Tensor:
        """Standardised numbers [N, columns] in their own units; float64, on the CPU."""
        scales = [self.scales[i] for i in columns]
        mean, std = (
            torch.tensor([getattr(one, name) for one in scales], dtype=torch.float64)
            for name in ("mean", "std")
        )
        return values.double().cpu() * std + mean

    # Predictions.

    @torch.no_grad()
    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Predictions for image files, folders of them, videos, texts, or tables: their lines, or rows as mappings.

        Raises:
            RequestError, SpecError: if a file does not exist or is invalid, or a text is empty.
        """
        return [
            {**described, **found}
            for names, batch in self._batches(inputs)
            for described, found in zip(
                names, self.predictions(self.outputs(batch)[self.port]), strict=True
            )
        ]

    @abstractmethod
    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """What the output of the task says of each example."""

    def _batches(
        self, inputs: Sequence[Any]
    ) -> Iterator[tuple[list[Described], Batch]]:
        """The inputs as batches, each with what its predictions say of them."""
        form = self.task.facts().form
        if form == "tables":
            for one in inputs:
                table = TableFile.of(one, self.columns)
                yield table.described, self._moved(table.batch)
        elif form == "labelled text":
            for text in inputs:
                yield [{"input": text}], self._moved(self._text(text))
        elif form == "videos":
            for one in inputs:
                yield [{"input": one}], self._moved({"video": self._video(one)})
        else:
            for file in image_files(inputs):
                image = self._image(file)
                # For sequence data, an image's rows are the sequence.
                role = "image" if form == "images" else "sequence"
                batch = {role: image if form == "images" else image[:, 0]}
                yield [{"input": name_of(file)}], self._moved(batch)

    def _moved(self, batch: Batch) -> Batch:
        return {role: tensor.to(self.device) for role, tensor in batch.items()}

    def _text(self, text: str) -> Batch:
        """A text as tokens [1, T], truncated as the training data is."""
        ids = self._tokenizer.encode_whole(text, self.task.facts().length)
        if not ids:
            raise RequestError(f"an empty text has no {self.task.kind}")
        tokens = torch.tensor([ids])
        return {"tokens": tokens, "mask": torch.ones_like(tokens, dtype=torch.bool)}

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.from_json(self.metadata["tokenizer"])

    @cached_property
    def columns(self) -> TableColumns:
        """The columns of the table that the run was trained on."""
        parts: Mapping[str, Any] = self.metadata
        return TableColumns(numbers=parts["numbers"], categories=parts["categories"])

    def _video(self, source: str) -> Tensor:
        """An animated image or a folder of frames [1, C, T, H, W], as in training."""
        net, facts = self.instances[""], self.task.facts()
        video = net.inputs[bound(net.inputs, "video", self.task.ports)]
        assert video is not None
        sizes = [net.context.value(size).constant or 0 for size in video.shape[1:]]
        channels, height, width = facts.image or (None, None, None)
        known = (channels, facts.frames, height, width)
        shape = [a or b for a, b in zip(known, sizes, strict=True)]
        return read_video_as_trained(source, shape, self.task, self.metadata)

    def _image(self, file: Any) -> Tensor:
        """An image file [1, C, H, W], with the size and value range of the training data."""
        facts = self.task.facts()
        if facts.form == "sequences":  # the rows of square images
            shape = [1, facts.features or 0, facts.features or 0]
        else:
            shape = image_shape(self.instances[""], self.task)
        return read_as_trained(file, shape, self.task, self.metadata)


def accuracy_of(confusion: Tensor) -> float:
    """The fraction of a confusion matrix int[classes, classes] that is right."""
    return int(confusion.diagonal().sum()) / int(confusion.sum())


def confusion_of(logits: Tensor, label: Tensor) -> Tensor:
    """The confusion matrix int[classes, classes] of logits [N, classes]."""
    return confusion_matrix(logits.argmax(-1), label, logits.shape[-1])


def name_of(picture: Any) -> str:
    """What a prediction calls an image: its file, or what it is."""
    return str(picture) if isinstance(picture, str | Path) else type(picture).__name__
