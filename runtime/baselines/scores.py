"""How good translations are: BLEU and chrF, of a network and of what comes of none."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from runtime.baselines.translation import dictionary, unigram_loss, word_by_word
from runtime.data.dataset import Examples
from runtime.data.texts import TextPairs


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
