"""What is known of a data set before, or after, it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Form = Literal["images", "sequences", "labelled text", "text", "series", "pairs"]


@dataclass(frozen=True)
class DataFacts:
    """What examples look like; None is a size that only the data can tell.

    Attributes:
        form: what one example is.
        image: channels, height and width of an image.
        features: values at one time, of a sequence or a series.
        classes: how many labels there are.
        vocab: how many tokens; for pairs those of the source.
        target_vocab: how many tokens of the target.
        length: how many tokens a text has at most, or how many times of the past an example of a series shows.
        horizon: how many times of the future there are to forecast.
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
