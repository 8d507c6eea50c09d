"""What translates, or predicts tokens, without a network: copying, a dictionary, and frequencies alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runtime.data.dataset import Examples
from runtime.data.padded_texts import Pair, TextPairs
from runtime.data.tokenizer import WordTokenizer

_ROUNDS = 5
_LINKS = 4_000_000
"""Links of a word to a word from which a dictionary is learned, at most: of more pairs, every second or third."""
_Ints = NDArray[np.int64]


def dictionary(pairs: Sequence[Pair]) -> dict[str, str]:
    """The most probable translation of each word of the sources.

    IBM model 1, learned by expectation maximisation (Brown et al., 1993), with a NULL word
    for what in a target comes of no word.
    """
    cut = [(WordTokenizer.cut(one), WordTokenizer.cut(other)) for one, other in pairs]
    size = sum((len(one) + 1) * len(other) for one, other in cut)
    cut = cut[:: 1 + size // _LINKS]
    sources = _numbered(word for one, _ in cut for word in one)
    targets = _numbered(word for _, other in cut for word in other)
    if not targets:
        return {}
    link, place = _links(cut, sources, targets)
    cells, inverse = np.unique(link, return_inverse=True)
    source, target = np.divmod(cells, len(targets))
    shares = _maximised(inverse, place, source)
    order = np.lexsort((shares, source))  # the best of each source comes last
    best = dict(zip(source[order].tolist(), target[order].tolist(), strict=True))
    words = list(targets)
    return {word: words[best[i]] for word, i in sources.items() if i in best}


def word_by_word(text: str, words: Mapping[str, str]) -> str:
    """A text with every word translated on its own; those that are in no dictionary are copied."""
    return WordTokenizer.join(
        [words.get(word, word) for word in WordTokenizer.cut(text)]
    )


def unigram_loss(
    train: Iterable[Tensor], held_out: Iterable[Tensor], vocab: int
) -> float:
    """The cross-entropy, in nats, of tokens of a text by how frequent they are in another.

    Each of the `vocab` tokens counts once more than it is there.
    """
    counts, seen = _counts(train, vocab) + 1, _counts(held_out, vocab)
    shares = (counts / counts.sum()).log()
    return float(-(seen * shares).sum() / seen.sum())


def _counts(tokens: Iterable[Tensor], vocab: int) -> Tensor:
    total = torch.zeros(vocab, dtype=torch.float64)
    for some in tokens:
        total += some.flatten().bincount(minlength=vocab)
    return total


def _numbered(words: Iterable[str]) -> dict[str, int]:
    """Words by number, in the order in which they come; 0 is left for NULL."""
    return {word: i for i, word in enumerate(dict.fromkeys(words), 1)}


def _links(
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
    sources: Mapping[str, int],
    targets: Mapping[str, int],
) -> tuple[_Ints, _Ints]:
    """Every word of a target with every word of its source: a number for both words, and the place in the targets."""
    links, places, start = [], [], 0
    for one, other in pairs:
        source = np.array([0, *(sources[word] for word in one)], dtype=np.int64)
        target = np.array([targets[word] - 1 for word in other], dtype=np.int64)
        links.append((source * len(targets) + target[:, None]).ravel())
        places.append(np.repeat(np.arange(start, start + len(other)), len(source)))
        start += len(other)
    return np.concatenate(links), np.concatenate(places)


def _maximised(inverse: _Ints, place: _Ints, source: _Ints) -> NDArray[np.float64]:
    """The probability of each cell's target word, given its source word.

    `inverse` is the cell of a link, `place` its place in the targets, and `source` the source word of a cell.
    """
    shares = np.ones(len(source))
    for _ in range(_ROUNDS):
        each = shares[inverse]
        each /= np.bincount(place, each)[place]
        counts = np.bincount(inverse, each)
        shares = counts / np.bincount(source, counts)[source]
    return shares


def scores(told: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    """BLEU (Papineni et al., 2002) and chrF (Popović, 2015), from 0 to 100, of whole texts, by sacrebleu."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    both = {"bleu": BLEU(force=True), "chrf": CHRF()}
    return {
        name: float(metric.corpus_score(told, [wanted]).score)
        for name, metric in both.items()
    }


def baselines(train: Examples, held_out: Examples, vocab: int) -> dict[str, float]:
    """Metrics of copies and of a dictionary, and the cross-entropy of tokens by their frequencies.

    None, where the texts are not at hand.
    """
    if not (isinstance(train, TextPairs) and isinstance(held_out, TextPairs)):
        return {}
    words = dictionary(train.texts)
    told = {
        "copy": [one for one, _ in held_out.texts],
        "dictionary": [word_by_word(one, words) for one, _ in held_out.texts],
    }
    wanted = [other for _, other in held_out.texts]
    found = {
        f"{metric}.{name}": value
        for name, texts in told.items()
        for metric, value in scores(texts, wanted).items()
    }
    loss = unigram_loss(_targets(train), _targets(held_out), vocab)
    return found | {"loss.unigram": loss}


def _targets(pairs: TextPairs) -> list[Tensor]:
    return [row[1:] for row in pairs.columns["target"]]
