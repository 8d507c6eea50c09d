"""Metrics of translations, and baselines without a network: copying, a dictionary, token frequencies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.data.dataset import Examples
from runtime.data.padded_texts import Pair, TextPairs
from runtime.data.tokenizer import WordTokenizer

_EM_ITERATIONS: Final = 5
_MAX_LINKS: Final = 4_000_000
"""Maximum number of word pairs that a dictionary is learned from; of more, only every second or third text is used."""
_Ints = NDArray[np.int64]


def translation_metrics(
    translations: Sequence[str], references: Sequence[str]
) -> dict[str, float]:
    """Corpus BLEU (Papineni et al., 2002) and chrF (Popović, 2015) from 0 to 100, by sacrebleu."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    metrics = {"bleu": BLEU(force=True), "chrf": CHRF()}
    return {
        name: float(metric.corpus_score(translations, [references]).score)
        for name, metric in metrics.items()
    }


def baseline_metrics(
    train: Examples, held_out: Examples, vocab: int
) -> dict[str, float]:
    """BLEU and chrF of copying and of a dictionary, matches of the most frequent target, and the loss of unigrams.

    Empty if the examples do not have their texts.
    """
    if not (isinstance(train, TextPairs) and isinstance(held_out, TextPairs)):
        return {}
    words = learn_dictionary(train.texts)
    sources, references = ([pair[i] for pair in held_out.texts] for i in (0, 1))
    translations = {
        "copy": sources,
        "dictionary": [translate_words(source, words) for source in sources],
    }
    metrics = {
        f"{metric}.{name}": value
        for name, texts in translations.items()
        for metric, value in translation_metrics(texts, references).items()
    }
    answers = Counter(target for _, target in train.texts)
    (frequent, _), *_ = answers.most_common(1)
    same = sum(one == frequent for one in references)
    metrics["exact.frequent"] = same / max(1, len(references))
    loss = unigram_loss(_targets(train), _targets(held_out), vocab)
    return metrics | {"loss.unigram": loss}


def _targets(pairs: TextPairs) -> list[Tensor]:
    """The targets int[T] without `<bos>`."""
    return [row[1:] for row in pairs.columns["target"]]


def learn_dictionary(pairs: Sequence[Pair]) -> dict[str, str]:
    """The most probable translation of each source word.

    IBM model 1, trained by expectation maximisation (Brown et al., 1993); a NULL word
    stands for target words without a source word.
    """
    split = [
        (WordTokenizer.split(one), WordTokenizer.split(other)) for one, other in pairs
    ]
    links = sum((len(one) + 1) * len(other) for one, other in split)
    split = split[:: 1 + links // _MAX_LINKS]
    sources = _number(word for one, _ in split for word in one)
    targets = _number(word for _, other in split for word in other)
    if not targets:
        return {}
    link, position = _links(split, sources, targets)
    cells, cell_of_link = np.unique(link, return_inverse=True)
    source, target = np.divmod(cells, len(targets))
    probabilities = _maximise(cell_of_link, position, source)
    order = np.lexsort((probabilities, source))  # the best of each source is last
    best = dict(zip(source[order].tolist(), target[order].tolist(), strict=True))
    words = list(targets)
    return {word: words[best[i]] for word, i in sources.items() if i in best}


def translate_words(text: str, words: Mapping[str, str]) -> str:
    """A text translated word by word; words that the dictionary lacks are copied."""
    translated = [words.get(word, word) for word in WordTokenizer.split(text)]
    return WordTokenizer.join(translated)


def unigram_loss(
    train: Iterable[Tensor], held_out: Iterable[Tensor], vocab: int
) -> float:
    """The cross-entropy of held-out tokens by their frequencies in the training data, in nats.

    Frequencies of the `vocab` tokens have add-one smoothing.
    """
    counts, held_out_counts = _counts(train, vocab) + 1, _counts(held_out, vocab)
    log_probabilities = (counts / counts.sum()).log()
    return float(-(held_out_counts * log_probabilities).sum() / held_out_counts.sum())


def _counts(texts: Iterable[Tensor], vocab: int) -> Tensor:
    tokens = torch.cat([torch.empty(0, dtype=torch.long), *texts])
    return tokens.bincount(minlength=vocab).double()


def _number(words: Iterable[str]) -> dict[str, int]:
    """Distinct words numbered from 1 in order of appearance; 0 is NULL."""
    return {word: i for i, word in enumerate(dict.fromkeys(words), 1)}


def _links(
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
    sources: Mapping[str, int],
    targets: Mapping[str, int],
) -> tuple[_Ints, _Ints]:
    """Each target word paired with each word of its source: a number for the two words, and the target's position."""
    source = _flat(([0, *(sources[word] for word in one)] for one, _ in pairs))
    target = _flat(([targets[word] - 1 for word in other] for _, other in pairs))
    words = np.array([len(one) + 1 for one, _ in pairs], dtype=np.int64)
    lengths = np.array([len(other) for _, other in pairs], dtype=np.int64)
    # Each target position is repeated for the words of its source, which lie one after the other.
    width = np.repeat(words, lengths)
    position = np.repeat(np.arange(len(target)), width)
    begin = np.repeat(words.cumsum() - words, lengths)
    place = np.arange(len(position)) - (width.cumsum() - width)[position]
    link = source[begin[position] + place] * len(targets) + target[position]
    return link, position


def _flat(texts: Iterable[Iterable[int]]) -> _Ints:
    return np.fromiter(chain.from_iterable(texts), dtype=np.int64)


def _maximise(
    cell_of_link: _Ints, position: _Ints, source: _Ints
) -> NDArray[np.float64]:
    """The probability of each cell's target word, given its source word.

    Args:
        cell_of_link: the cell of each link: its pair of words.
        position: the target position of each link.
        source: the source word of each cell.
    """
    probabilities = np.ones(len(source))
    for _ in range(_EM_ITERATIONS):
        expected = probabilities[cell_of_link]
        expected /= np.bincount(position, expected)[position]
        counts = np.bincount(cell_of_link, expected)
        probabilities = counts / np.bincount(source, counts)[source]
    return probabilities
