"""Properties of a data set, known before or after it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from compiler.dataclass import dataclass

Form = Literal[
    "images", "sequences", "labelled text", "text", "series", "pairs", "speech"
]


@dataclass(frozen=True)
class DataFacts:
    """The form and sizes of examples; None is a size that is only known from the data.

    Attributes:
        form: what an example is.
        image: channels, height and width of an image.
        features: values at one time, of a sequence, a series or a spectrogram.
        classes: number of labels.
        vocab: size of the vocabulary; for pairs, of the source.
        target_vocab: size of the target vocabulary.
        length: maximum number of tokens of a text, or length of the input window of a series.
        horizon: number of times to forecast.
    """

    form: Form
    image: tuple[int | None, int | None, int | None] | None = None
    features: int | None = None
    classes: int | None = None
    vocab: int | None = None
    target_vocab: int | None = None
    length: int = 0
    horizon: int = 0

    def __str__(self) -> str:
        """What there is, in words.

        >>> str(DataFacts("images", image=(1, 8, 8), classes=10))
        'images of 1 x 8 x 8 in 10 classes'
        """
        return " ".join((self.form, *self._sizes()))

    def _sizes(self) -> Iterator[str]:
        if self.image is not None:
            yield f"of {' x '.join('?' if n is None else str(n) for n in self.image)}"
        if self.features is not None:
            yield f"with {_several(self.features, 'value')} at each time"
        if self.vocab is not None:
            yield f"of {self.vocab} tokens"
        if self.target_vocab not in (None, self.vocab):
            yield f"and {self.target_vocab}"
        if self.classes is not None:
            yield f"in {self.classes} classes"


def _several(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
