import math
from itertools import product

import pytest
import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from compiler.diagnostics.diagnostic import RequestError
from runtime.decode import (
    NextLogits,
    Sampling,
    beam_search,
    filter_logits,
    penalise_repetition,
    sample,
)

# transformers takes a `pad` of 0 for none, and fills beams up with `eos`.
VOCAB, EOS, PAD, MOST = 13, 2, 1, 12


@pytest.fixture(scope="module", params=range(3))
def model(request: pytest.FixtureRequest) -> GPT2LMHeadModel:
    torch.manual_seed(request.param)
    config = GPT2Config(
        vocab_size=VOCAB,
        n_positions=32,
        n_embd=16,
        n_layer=2,
        n_head=2,
        bos_token_id=1,
        eos_token_id=EOS,
        pad_token_id=PAD,
        initializer_range=0.5,
    )
    return GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="module")
def prompt() -> Tensor:
    return torch.randint(3, VOCAB, (8, 4), generator=torch.Generator().manual_seed(5))


def of(model: GPT2LMHeadModel) -> NextLogits:
    def next_logits(tokens: Tensor) -> Tensor:
        with torch.no_grad():
            return model(tokens).logits[:, -1]

    return next_logits


def generate(model: GPT2LMHeadModel, prompt: Tensor, **settings: object) -> Tensor:
    config = GenerationConfig(
        max_new_tokens=MOST, eos_token_id=EOS, pad_token_id=PAD, **settings
    )
    mask = torch.ones_like(prompt)
    found = model.generate(prompt, attention_mask=mask, generation_config=config)
    return found[:, prompt.shape[1] :]


@pytest.mark.parametrize("penalty", [1.0, 1.7])
def test_greedy_is_that_of_transformers(
    model: GPT2LMHeadModel, prompt: Tensor, penalty: float
) -> None:
    expected = generate(model, prompt, do_sample=False, repetition_penalty=penalty)
    greedy = Sampling(MOST, temperature=0, repetition_penalty=penalty)
    assert sample(of(model), prompt, greedy, EOS, PAD).equal(expected)


@pytest.mark.parametrize("beam", [1, 2, 4, 6])
@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0])
def test_beams_are_those_of_transformers(
    model: GPT2LMHeadModel, prompt: Tensor, beam: int, length_penalty: float
) -> None:
    settings = {"num_beams": beam, "length_penalty": length_penalty}
    expected = generate(model, prompt, do_sample=False, **settings)
    found = beam_search(of(model), prompt, beam, MOST, EOS, length_penalty, PAD)
    assert found.equal(expected)


def test_rows_end_at_different_lengths(model: GPT2LMHeadModel, prompt: Tensor) -> None:
    """What the comparisons above are worth: some rows end early, some not at all."""
    found = sample(of(model), prompt.repeat(4, 1), Sampling(MOST, 1.5), EOS, PAD)
    lengths = {(row == EOS).nonzero().flatten().tolist()[:1].__str__() for row in found}
    assert len(lengths) > 2
    for row in found:
        after = (row == EOS).cumsum(0) - (row == EOS).long() > 0
        assert (row[after] == PAD).all()


def test_a_beam_of_one_is_greedy(model: GPT2LMHeadModel, prompt: Tensor) -> None:
    greedy = sample(of(model), prompt, Sampling(MOST, temperature=0), EOS, PAD)
    assert beam_search(of(model), prompt, 1, MOST, EOS, 1.0, PAD).equal(greedy)


def test_a_beam_of_all_hypotheses_finds_the_best() -> None:
    table = torch.randn(4, 4, generator=torch.Generator().manual_seed(3)) * 2
    shares = table.log_softmax(-1)

    def score(text: tuple[int, ...]) -> float:
        steps = zip((0, *text), text, strict=False)
        return sum(float(shares[a, b]) for a, b in steps)

    best = max(product(range(4), repeat=4), key=score)
    prompt = torch.zeros(1, 1, dtype=torch.long)
    found = beam_search(lambda tokens: table[tokens[:, -1]], prompt, 64, 4)
    assert tuple(found[0].tolist()) == best


@pytest.mark.parametrize(
    ("top_k", "top_p", "temperature", "penalty"),
    [
        (0, 1.0, 1.0, 1.0),
        (3, 1.0, 1.0, 1.0),
        (99, 1.0, 0.7, 1.0),
        (0, 0.6, 1.3, 1.0),
        (0, 1e-6, 1.0, 1.0),
        (5, 0.8, 0.5, 1.4),
        (2, 0.9, 2.0, 0.6),
    ],
)
def test_filters_are_those_of_transformers(
    top_k: int, top_p: float, temperature: float, penalty: float
) -> None:
    generator = torch.Generator().manual_seed(1)
    scores = torch.randn(64, 30, generator=generator, dtype=torch.float64) * 3
    tokens = torch.randint(30, (64, 9), generator=generator)
    chain = LogitsProcessorList()
    chain.append(RepetitionPenaltyLogitsProcessor(penalty))
    chain.append(TemperatureLogitsWarper(temperature))
    chain.extend([TopKLogitsWarper(top_k)] if top_k else [])
    chain.extend([TopPLogitsWarper(top_p)] if top_p < 1 else [])
    sampling = Sampling(1, temperature, top_k, top_p, penalty)
    found = filter_logits(penalise_repetition(scores, tokens, sampling), sampling)
    expected = chain(tokens, scores)
    assert found.isneginf().equal(expected.isneginf())
    torch.testing.assert_close(found.softmax(-1), expected.softmax(-1))


def test_samples_have_the_probabilities_of_the_logits() -> None:
    logits = torch.tensor([1.0, 0.0, -1.0, -math.inf]).expand(20_000, 4)
    found = sample(lambda _: logits, torch.zeros(20_000, 1).long(), Sampling(1))
    shares = found.flatten().bincount(minlength=4) / len(found)
    torch.testing.assert_close(shares, logits[0].softmax(-1), atol=0.015, rtol=0)
    assert shares[3] == 0


def test_a_seed_gives_the_same_samples(model: GPT2LMHeadModel, prompt: Tensor) -> None:
    first, again, other = (
        sample(of(model), prompt, Sampling(MOST, seed=seed)) for seed in (1, 1, 2)
    )
    assert first.equal(again)
    assert not first.equal(other)


def test_zero_new_tokens() -> None:
    prompt = torch.ones(3, 2, dtype=torch.long)
    assert sample(_fails, prompt, Sampling(0)).shape == (3, 0)
    assert beam_search(_fails, prompt, 4, 0).shape == (3, 0)


def _fails(tokens: Tensor) -> Tensor:
    raise AssertionError("nothing was asked for")


@pytest.mark.parametrize("temperature", [1e-320, 1e-30, 1e30])
def test_extreme_temperatures(temperature: float) -> None:
    logits = torch.tensor([[1e30, 1e20, -1e30, -math.inf]])
    sampling = Sampling(3, temperature, top_k=2, top_p=0.9)
    found = sample(lambda _: logits, torch.ones(1, 1).long(), sampling)
    assert found.max() < 2


def test_a_vocabulary_smaller_than_the_beam() -> None:
    prompt = torch.zeros(2, 1, dtype=torch.long)
    for vocab in (1, 2):
        found = beam_search(lambda t, v=vocab: torch.zeros(len(t), v), prompt, 5, 3)
        assert found.shape == (2, 3)
    only = beam_search(lambda t: torch.zeros(len(t), 1), prompt, 2, 3, eos=0)
    assert only.tolist() == [[0], [0]]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_refused(bad: float) -> None:
    prompt = torch.zeros(1, 1, dtype=torch.long)

    def logits(tokens: Tensor) -> Tensor:
        return torch.tensor([[0.0, bad]]).expand(len(tokens), 2)

    for decode in (
        lambda: sample(logits, prompt, Sampling(1)),
        lambda: beam_search(logits, prompt, 2, 1),
    ):
        with pytest.raises(RequestError, match="NaN or infinite"):
            decode()


@pytest.mark.parametrize(
    "setting",
    [
        {"max_new_tokens": -1},
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"repetition_penalty": 0.0},
        {"seed": -1},
    ],
)
def test_invalid_options_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(RequestError):
        Sampling(**setting)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="at least 1"):
        beam_search(_fails, torch.zeros(1, 1).long(), 0, 1)
