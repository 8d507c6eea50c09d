"""Properties of a data set, known before or after it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from compiler.dataclass import dataclass

Form = Literal[
    "images",
    "sequences",
    "labelled text",
    "tables",
    "videos",
    "segmented images",
    "boxed images",
    "captioned images",
    "text",
    "series",
    "pairs",
    "speech",
    "tagged text",
    "questions",
    "dialogues",
    "waveforms",
]
Answer = Literal["classes", "numbers", "labels"]
"""What is to be predicted of an example: one of several classes, numbers, or which of several labels apply."""


@dataclass(frozen=True)
class DataFacts:
    """The form and sizes of examples; None is a size that is only known from the data.

    Attributes:
        form: what an example is.
        answers: what can be predicted of it.
        image: channels, height and width of an image, or of a frame of a video.
        frames: number of frames of a video.
        features: values at one time, of a sequence, a series or a spectrogram.
        classes: number of classes, or of tags.
        class_names: their names.
        targets: names of the numbers to predict.
        labels: names of the labels of which several may apply.
        numbers, categories: number of columns of a table with numbers, and with categories.
        vocab: size of the vocabulary; for pairs, of the source; for tables, number of all categories.
        target_vocab: size of the target vocabulary.
        length: maximum number of tokens of a text, or length of the input window of a series.
        horizon: number of times to forecast.
        known: values at one time of a series that are known of the future, too; the last of its `features`.
        series: number of series.
    """

    form: Form
    answers: tuple[Answer, ...] = ("classes",)
    image: tuple[int | None, int | None, int | None] | None = None
    frames: int | None = None
    features: int | None = None
    classes: int | None = None
    class_names: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    numbers: int | None = None
    categories: int | None = None
    vocab: int | None = None
    target_vocab: int | None = None
    length: int = 0
    horizon: int = 0
    known: int = 0
    series: int | None = 1

    def __str__(self) -> str:
        """What there is, in words.

        >>> str(DataFacts("images", image=(1, 8, 8), classes=10))
        'images of 1 x 8 x 8 in 10 classes'
        """
        return " ".join((self.form, *self._sizes()))

    def _sizes(self) -> Iterator[str]:
        if self.image is not None:
            yield f"of {' x '.join('?' if n is None else str(n) for n in self.image)}"
        if self.frames is not None:
            yield f"with {_several(self.frames, 'frame')}"
        if self.features is not None:
            yield f"with {_several(self.features, 'value')} at each time"
        if self.numbers is not None and self.categories is not None:
            categories = _several(self.categories, "category", "categories")
            yield f"with {_several(self.numbers, 'number')} and {categories}"
        elif self.vocab is not None:
            yield f"of {self.vocab} tokens"
        if self.target_vocab not in (None, self.vocab):
            yield f"and {self.target_vocab}"
        if self.known:
            yield f"of which {self.known} are known of the future"
        if self.classes is not None:
            noun = "tags" if self.form == "tagged text" else "classes"
            yield f"in {self.classes} {noun}"
        if self.series != 1:
            yield f"of {self.series or 'several'} series"
        if self.targets:
            yield f"with {_several(len(self.targets), 'number')} to predict"
        if self.labels:
            yield f"with {_several(len(self.labels), 'label')}"


def _several(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or f'{one}s'}"
