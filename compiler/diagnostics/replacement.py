"""Help that is a replacement: a text to write in place of another."""

from __future__ import annotations


class Replacement(str):
    """What to do, in words, where that is to write one text in place of another. Text for all that prints it.

    Attributes:
        wrong: the text that is wrong, all of what is at the diagnostic's place or a word of it.
        right: what to write in its place.

    >>> found = Replacement("did you mean `linear`?", "liner", "linear")
    >>> print(found, found.right)
    did you mean `linear`? linear
    """

    wrong: str
    right: str

    def __new__(cls, text: str, wrong: str, right: str) -> Replacement:
        """The text, with what it says as data."""
        made = super().__new__(cls, text)
        made.wrong, made.right = wrong, right
        return made


def did_you_mean(wrong: str, right: str) -> Replacement:
    """The question whether another word was meant.

    >>> did_you_mean("kernel", "kernel_size")
    'did you mean `kernel_size`?'
    """
    return Replacement(f"did you mean `{right}`?", wrong, right)
