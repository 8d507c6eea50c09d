"""Contrastive learning of images and captions, or of labelled images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.contrastive import SIMILARITY, Contrastive
from runtime.data.dataset import Batch, DataSplits, Examples
from runtime.data.encode_captions import encode_captions
from runtime.data.tokenizer import Tokenizer
from runtime.tasks.learner import Learner
from runtime.tasks.sequence_lengths import all_batches, check_max_length
from runtime.tasks.user_inputs import image_files, image_shape, read_as_trained

_TOP: Final = 5
"""Captions in a prediction, most probable first."""
_TRAIN_IMAGES: Final = 4000
"""Maximum number of training images that the baseline looks for the nearest in."""
_CHUNK: Final = 500


class ContrastiveLearner(Learner[Contrastive]):
    """Trains networks to give near vectors for what belongs together."""

    data: DataSplits | None = None

    def setup(self, data: DataSplits) -> None:
        """Check the lengths of captions.

        Raises:
            SpecError: if a caption is longer than the text network's maximum.
        """
        self.data = data
        if self.captioned:
            tokens = (batch["tokens"] for batch in all_batches(data))
            check_max_length(self, "tokens", tokens, network="text")

    @property
    def captioned(self) -> bool:
        """Whether images are compared with captions; otherwise with each other."""
        return self.task.facts().form == "captioned images"

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        label = batch["label"]
        positive = label[:, None] == label
        if not self.captioned:
            vectors = self.embed_images(batch["image"])
            others = ~torch.eye(len(label), dtype=torch.bool, device=label.device)
            logits = vectors @ vectors.T / self.task.temperature
            return contrastive_loss(logits, positive & others, others)
        # One network is updated at a time: the vectors of the other need no gradients.
        with torch.set_grad_enabled(network == "image"):
            images = self.embed_images(batch["image"])
        with torch.set_grad_enabled(network == "text"):
            texts = self.embed_texts(batch["tokens"])
        logits = self.compare(texts, images)
        pairs = torch.ones_like(positive)
        by_text = contrastive_loss(logits, positive, pairs)
        return (by_text + contrastive_loss(logits.T, positive, pairs)) / 2

    def embed_images(self, image: Tensor) -> Tensor:
        """The vectors [B, D] of images [B, C, H, W], of length 1."""
        network = "image" if self.captioned else ""
        vectors = self.output(network, "image_embeds", image=image)
        return F.normalize(vectors.float(), dim=-1)

    def embed_texts(self, tokens: Tensor) -> Tensor:
        """The vectors [B, D] of captions int[B, T], of length 1."""
        vectors = self.output("text", "text_embeds", tokens=tokens)
        return F.normalize(vectors.float(), dim=-1)

    def compare(self, texts: Tensor, images: Tensor) -> Tensor:
        """The logits [N, M] of vectors of N captions and M images."""
        if SIMILARITY not in self.networks:
            return texts @ images.T / self.task.temperature
        inputs = {"text_embeds": texts, "image_embeds": images}
        return self.output(SIMILARITY, "logits_per_text", **inputs)

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The mean loss, and how often the nearest of all held-out examples belongs to one.

        Of captioned images, `retrieval.image` is of the nearest image to a caption, `retrieval.caption` of the nearest
        caption to an image, and `retrieval` their mean. Images without a positive partner do not count.
        """
        total, images, texts, labels = 0.0, [], [], []
        for batch in batches:
            total += float(self.loss("", batch, 1.0))
            images.append(self.embed_images(batch["image"]))
            if self.captioned:
                texts.append(self.embed_texts(batch["tokens"]))
            labels.append(batch["label"])
        label, image = torch.cat(labels), torch.cat(images)
        metrics = {"loss": total / len(label)}
        if self.captioned:
            text = torch.cat(texts)
            metrics["retrieval.image"] = retrieval(text @ image.T, label)
            metrics["retrieval.caption"] = retrieval(image @ text.T, label)
            both = metrics["retrieval.image"] + metrics["retrieval.caption"]
            metrics["retrieval"] = both / 2
        else:
            metrics["retrieval"] = retrieval(image @ image.T, label, others=True)
        return metrics | (self._baselines() if final else {})

    def _baselines(self) -> dict[str, float]:
        """Retrieval by chance, and of what the nearest image by its pixels is of."""
        if self.data is None:
            return {}
        held_out, label = _flat(self.data.held_out, 1)
        same = (label[:, None] == label).float()
        chance = (
            same.mean()
            if self.captioned
            else (same.sum(1) - 1).mean() / (len(same) - 1)
        )
        if self.captioned:
            step = -(-len(self.data.train) // _TRAIN_IMAGES)
            train, train_label = _flat(self.data.train, step)
            nearest = torch.cdist(held_out, train).argmin(1)
            pixels = float((train_label[nearest] == label).float().mean())
        else:
            pixels = retrieval(-torch.cdist(held_out, held_out), label, others=True)
        return {"retrieval.chance": float(chance), "retrieval.pixels": pixels}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """Of captioned images, the likeliest of the training captions for each image file.

        Of labelled images, the vector of each file, and its cosine with the first.

        Raises:
            RequestError, DataError: if a file does not exist or is not an image.
        """
        files = image_files(inputs)
        network = "image" if self.captioned else ""
        shape = image_shape(self.instances[network], self.task)
        images = [
            read_as_trained(file, shape, self.task, self.metadata) for file in files
        ]
        if not images:
            raise RequestError("there is no image to predict for")
        vectors = torch.cat([self.embed_images(one.to(self.device)) for one in images])
        if self.captioned:
            return [
                {"input": file, **found}
                for file, found in zip(files, self._captions(vectors), strict=True)
            ]
        return [
            {
                "input": file,
                "cosine": float(vector @ vectors[0]),
                "vector": vector.tolist(),
            }
            for file, vector in zip(files, vectors, strict=True)
        ]

    def _captions(self, images: Tensor) -> Iterator[dict[str, Any]]:
        """The likeliest captions of vectors of images [B, D]."""
        captions = list(dict.fromkeys(self.metadata["captions"].values()))
        texts = self._known_texts(captions)
        probabilities = self.compare(texts, images).T.double().softmax(-1)
        best, indices = probabilities.topk(min(_TOP, len(captions)))
        for row, values in zip(indices.tolist(), best.tolist(), strict=True):
            names = [captions[i] for i in row]
            yield {
                "caption": names[0],
                "probability": values[0],
                "top": dict(zip(names, values, strict=True)),
            }

    def _known_texts(self, captions: Sequence[str]) -> Tensor:
        tokens = encode_captions(self._tokenizer, captions, self.task.facts().length)
        chunks = torch.split(tokens.to(self.device), _CHUNK)
        return torch.cat([self.embed_texts(chunk) for chunk in chunks])

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.from_json(self.metadata["tokenizer"])


def contrastive_loss(logits: Tensor, positive: Tensor, counted: Tensor) -> Tensor:
    """The cross-entropy of the positives of each row, summed over the rows that have some (Khosla et al., 2020).

    Args:
        logits: [N, M].
        positive: which pairs belong together, bool[N, M].
        counted: which pairs are compared, bool[N, M].
    """
    logits = logits.masked_fill(~counted, -torch.inf)
    log_shares = logits.log_softmax(-1).masked_fill(~positive, 0.0)
    counts = positive.sum(-1)
    rows = log_shares.sum(-1) / counts.clamp(min=1)
    return -rows[counts > 0].sum()


def retrieval(scores: Tensor, label: Tensor, others: bool = False) -> float:
    """The fraction of rows whose highest score is of the same label.

    Args:
        scores: [N, N].
        label: int[N].
        others: whether a row is not compared with itself; rows without another of their label do not count.
    """
    if not others:
        return float((label[scores.argmax(-1)] == label).float().mean())
    itself = torch.eye(len(label), dtype=torch.bool, device=scores.device)
    nearest = scores.masked_fill(itself, -torch.inf).argmax(-1)
    has_partner = ((label[:, None] == label) & ~itself).any(-1)
    right = (label[nearest] == label)[has_partner]
    return float(right.float().mean())


def _flat(examples: Examples, step: int) -> tuple[Tensor, Tensor]:
    """The values [N, D] and labels int[N] of every `step`-th example."""
    indices = range(0, len(examples), step)
    values, labels = [], []
    for start in range(0, len(indices), _CHUNK):
        batch = examples.__getitems__(list(indices[start : start + _CHUNK]))
        values.append(batch["image"].flatten(1))
        labels.append(batch["label"])
    return torch.cat(values), torch.cat(labels)
