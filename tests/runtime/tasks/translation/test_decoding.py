"""What is translated, token by token, and the texts and networks that are refused."""

import pytest
import torch

from compiler.diagnostics.diagnostic import RequestError, SpecError
from runtime.data.dataset import DataSplits
from runtime.data.tokenizer import BOS, EOS
from runtime.tasks.translation import TranslationLearner
from tests.runtime.tasks.translation.learning import PAIRS, Make, evaluated, every, fit


def test_memorised_pairs_are_translated(
    trained: tuple[TranslationLearner, DataSplits],
) -> None:
    learner, data = trained
    learner.setup(data)
    found = evaluated(learner, data)
    assert found["exact"] == 1
    assert found["bleu"] == pytest.approx(100)
    assert found["chrf"] == pytest.approx(100)
    texts = ["two men", "one good man"]
    assert learner.translate(texts) == ["dos hombres", "un hombre bueno"]
    assert learner.predict(texts[:1]) == [
        {"source": "two men", "translation": "dos hombres"}
    ]


@pytest.mark.parametrize("beam", [1, 3])
def test_translations_do_not_depend_on_their_batch(make: Make, beam: int) -> None:
    learner, data = make(f"decoding: {{beam: {beam}, most: 9}}")
    fit(learner, data, 30)
    texts = [one for one, _ in PAIRS]
    alone = [learner.translate([text])[0] for text in texts]
    assert learner.translate(texts) == alone
    assert learner.translate(texts[::-1]) == alone[::-1]


def test_greedy_decoding_takes_the_best_token(make: Make) -> None:
    learner, data = make("decoding: {most: 7}")
    fit(learner, data, 15)
    source = torch.tensor([[*learner.source.encode("two good men"), EOS]])
    given = [BOS]
    while len(given) < 8 and given[-1] != EOS:
        logits = learner.network(source, torch.tensor([given]))
        given.append(int(logits[0, -1].argmax()))
    assert learner.decode([source[0]]) == [[i for i in given[1:] if i != EOS]]


def test_translations_have_a_maximum_length(make: Make) -> None:
    learner, _ = make("decoding: {most: 3}")
    learner.network.eval()
    rows = learner.decode([torch.tensor([5, 6, EOS])])
    assert len(rows[0]) <= 3
    assert len(learner.decode([torch.tensor([5, EOS])], max_new_tokens=1)[0]) <= 1


def test_inputs_are_padded_to_a_multiple(make: Make) -> None:
    dims = "dims: {T: {multiple_of: 4, max: 8}, S: {multiple_of: 2, max: 8}}"
    learner, data = make(dims=dims)
    learner.setup(data)
    fit(learner, data, 90)
    source, target = (every(data)[role] for role in ("source", "target"))
    assert learner.pad_to_allowed("target", target[:, :-1]).shape[1] == 8
    assert learner.logits(source, target[:, :-1]).shape[:2] == target[:, 1:].shape
    assert evaluated(learner, data)["exact"] == 1


def test_texts_that_are_too_long_are_refused(make: Make) -> None:
    learner, data = make(dims="dims: {S: {max: 5}}")
    with pytest.raises(SpecError) as caught:
        learner.setup(data)
    (found,) = caught.value.diagnostics
    assert found.code == "data-misfit"
    assert "longest source has 6 tokens" in found.message
    assert found.span.line == 5
    with pytest.raises(RequestError, match="has 6 tokens"):
        learner.translate(["one man", "two good women sleep."])


def test_a_decoder_that_looks_ahead_is_refused(make: Make) -> None:
    with pytest.raises(SpecError) as caught:
        make(ahead="true")
    (found,) = caught.value.diagnostics
    assert found.code == "not-causal"
    assert found.path.endswith(".decoder")
