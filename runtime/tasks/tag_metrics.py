"""Metrics of tagged texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runtime.data.tagged_texts import OUTSIDE, TaggedWords

Item = tuple[int, int, int, str]
"""The text, the first position, the position after the last, and the tag."""


def tag_metrics(
    found: Sequence[Sequence[str]], expected: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Accuracy of tags, micro-averaged F1 over all but `O`, and the F1 of each tag that is expected or found.

    F1 is that of entities if all tags but `O` begin with `B-` and `I-`: of whole entities, as conlleval counts.
    """
    pairs = [
        (a, b)
        for one, other in zip(found, expected, strict=True)
        for a, b in zip(one, other, strict=True)
    ]
    names = {tag for pair in pairs for tag in pair} - {OUTSIDE}
    entities = bool(names) and all(name[:2] in ("B-", "I-") for name in names)
    items = _entities if entities else _tags
    mine, theirs = set(items(found)), set(items(expected))
    by_tag = {
        f"f1.{tag}": _f1(
            {one for one in mine if one[3] == tag},
            {one for one in theirs if one[3] == tag},
        )
        for tag in sorted({one[3] for one in mine | theirs})
    }
    accuracy = sum(a == b for a, b in pairs) / max(1, len(pairs))
    return {"accuracy": accuracy, "f1": _f1(mine, theirs), **by_tag}


def _f1(found: set[Item], expected: set[Item]) -> float:
    """The harmonic mean of precision and recall; 1 if there is nothing, and nothing was found."""
    if not found and not expected:
        return 1.0
    return 2 * len(found & expected) / (len(found) + len(expected))


def _tags(texts: Iterable[Sequence[str]]) -> Iterator[Item]:
    """Each tag but `O` at its position."""
    for number, tags in enumerate(texts):
        for position, tag in enumerate(tags):
            if tag != OUTSIDE:
                yield number, position, position + 1, tag


def _entities(texts: Iterable[Sequence[str]]) -> Iterator[Item]:
    """The entities: an `I-` that follows no tag of its type begins one, as in conlleval."""
    for number, tags in enumerate(texts):
        start, kind = 0, ""
        for position, tag in enumerate([*tags, OUTSIDE]):
            if kind and (tag[:2] != "I-" or tag[2:] != kind):
                yield number, start, position, kind
                kind = ""
            if tag != OUTSIDE and not kind:
                start, kind = position, tag[2:]


def most_frequent_tags(texts: Iterable[TaggedWords]) -> tuple[Mapping[str, str], str]:
    """The most frequent tag of each word, and of all words."""
    counts: dict[str, Counter[str]] = {}
    for text in texts:
        for word, tag in text:
            counts.setdefault(word, Counter())[tag] += 1
    total = sum(counts.values(), Counter[str]())
    best = {word: one.most_common(1)[0][0] for word, one in counts.items()}
    return best, total.most_common(1)[0][0] if total else OUTSIDE
