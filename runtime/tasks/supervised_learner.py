"""What supervised tasks share: how a network is run on examples, and what becomes of a user's inputs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

import torch
from torch import Tensor

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.supervised import Supervised
from runtime.data.dataset import Batch, DataSplits
from runtime.data.table_columns import TableColumns
from runtime.data.tokenizer import Tokenizer
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import all_batches, check_max_length
from runtime.tasks.user_inputs import (
    TableFile,
    image_files,
    image_shape,
    read_as_trained,
)

T = TypeVar("T", bound=Supervised)
ANSWERS: Final = frozenset({"label", "target", "labels"})
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

    def outputs(self, batch: Batch) -> dict[str, Tensor]:
        """The outputs of the network by name for the inputs of a batch."""
        roles = {role: one for role, one in batch.items() if role not in ANSWERS}
        if self.task.ports.get("mask", "mask") not in self.instances[""].scope.inputs:
            roles.pop("mask", None)
        return self.call("", **roles)

    @torch.no_grad()
    def predict(self, inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Predictions for image files, folders of them, texts, or tables: their lines, or rows as mappings.

        Raises:
            RequestError, SpecError: if a file does not exist or is invalid, or a text is empty.
        """
        return [
            {**described, **found}
            for names, batch in self._batches(inputs)
            for described, found in zip(names, self.predictions(batch), strict=True)
        ]

    @abstractmethod
    def predictions(self, batch: Batch) -> list[dict[str, Any]]:
        """What is predicted of each example of a batch that has inputs alone."""

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
        else:
            for file in image_files(inputs):
                image = self._image(file)
                # For sequence data, an image's rows are the sequence.
                role = "image" if form == "images" else "sequence"
                batch = {role: image if form == "images" else image[:, 0]}
                yield [{"input": file}], self._moved(batch)

    def _moved(self, batch: Batch) -> Batch:
        return {role: tensor.to(self.device) for role, tensor in batch.items()}

    def _text(self, text: str) -> Batch:
        """A text as tokens [1, T], truncated as the training data is."""
        ids = self._tokenizer.encode(text)[: self.task.facts().length]
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

    def _image(self, file: str) -> Tensor:
        """An image file [1, C, H, W], with the size and value range of the training data."""
        facts = self.task.facts()
        if facts.form == "sequences":  # the rows of square images
            shape = [1, facts.features or 0, facts.features or 0]
        else:
            shape = image_shape(self.instances[""], self.task)
        return read_as_trained(file, shape, self.task, self.metadata)
