import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from compiler import compile_spec
from compiler.diagnostics.diagnostic import RequestError, SpecError
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.load_data import load
from runtime.decode import Sampling, Stepper
from runtime.load import build_networks
from runtime.tasks.language_model import LanguageModelLearner

TEXT = "the quick brown fox jumps over the lazy dog\nand sleeps"
SPEC = """
name: Tiny
params: {vocab: VOCAB, width: 32}
inputs:
  tokens: int[B, T]
DIMS
layers:
  wte: {op: embedding, num_embeddings: vocab, embedding_dim: width}
  wpe: {op: position_embedding, num_embeddings: 64, embedding_dim: width, in: tokens}
  sum: {op: add, in: [wte, wpe]}
  h: {op: Block, repeat: 2}
  norm: layer_norm
  head: {op: linear, out_features: vocab}
outputs:
  logits: head
task:
  kind: language_model
  data: {text: {path: text.txt, length: LENGTH, held_out: 0.5, tokens: TOKENS}}
blocks:
  Block:
    inputs:
      x: float[B, T, D]
    layers:
      norm: layer_norm
      qkv: {op: linear, out_features: 3 * D}
      parts: {op: chunk, chunks: 3, dim: -1}
      attention:
        op: attention
        num_heads: 2
        is_causal: CAUSAL
        in: {query: parts.0, key: parts.1, value: parts.2}
      sum: {op: add, in: [x, attention]}
      wide: {op: linear, out_features: 2 * D}
      act: gelu
      narrow: {op: linear, out_features: D}
      out: {op: add, in: [sum, narrow]}
"""


def opened(
    folder: Path,
    length: int = 12,
    dims: str = "dims: {T: {max: 64}}",
    causal: bool = True,
    text: str = TEXT,
    tokens: str = "characters",
    vocab: int = 0,
) -> tuple[LanguageModelLearner, DataSplits]:
    """A learner and its data: the same text for training and held out."""
    changes = {
        "VOCAB": vocab or len(set(text)) + 1,
        "LENGTH": length,
        "DIMS": dims,
        "CAUSAL": str(causal).lower(),
        "TOKENS": tokens,
    }
    spec = SPEC
    for name, value in changes.items():
        spec = spec.replace(name, str(value))
    (folder / "text.txt").write_text(text * 2)
    (folder / "net.yaml").write_text(spec)
    program = compile_spec(folder / "net.yaml")
    assert program.task is not None
    section = DataSection(program.typed.graph.document, "text", folder)
    data = load(program.task, section)
    torch.manual_seed(1)
    networks = build_networks(program)
    networks[""].eval()
    made = LanguageModelLearner(
        program.task, program.typed.networks, networks, data.metadata
    )
    return made, data


def whole(data: DataSplits) -> Tensor:
    return data.train.__getitems__(list(range(len(data.train))))["tokens"]


def by_hand(learner: LanguageModelLearner, tokens: Tensor) -> list[float]:
    """The surprise of every token, in nats."""
    with torch.no_grad():
        logits = learner.network(tokens[:, :-1]).double()
    found = []
    for row, truth in zip(logits, tokens[:, 1:].tolist(), strict=True):
        for scores, token in zip(row.tolist(), truth, strict=True):
            found.append(-scores[token] + math.log(sum(map(math.exp, scores))))
    return found


def test_tokens_follow_from_a_state(tmp_path: Path) -> None:
    """While they are made, the layers of the network are called directly."""
    learner, data = opened(tmp_path)
    tokens = whole(data)[:, :10]
    with torch.no_grad():
        following = learner._following(12)
        assert isinstance(following, Stepper)
        assert following.network is learner.networks[""]
        found, wanted = following(tokens), learner.logits(tokens)[:, -1]
        wanted[:, learner.tokenizer.unk] = -math.inf
        torch.testing.assert_close(found, wanted)


def test_the_loss_is_the_sum_over_all_tokens(tmp_path: Path) -> None:
    learner, data = opened(tmp_path)
    tokens = whole(data)
    assert tokens.shape == (4, 13)
    assert learner.num_items({"tokens": tokens}) == 48
    loss = learner.loss("", {"tokens": tokens}, 0.0)
    assert loss.item() == pytest.approx(sum(by_hand(learner, tokens)), rel=1e-5)


def test_metrics_are_those_of_all_tokens_together(tmp_path: Path) -> None:
    learner, data = opened(tmp_path)
    learner.metadata = {**data.metadata, "characters_per_token": 2.5}
    tokens = whole(data)
    uneven = [{"tokens": tokens[:3]}, {"tokens": tokens[3:]}]
    with torch.no_grad():
        found = learner.evaluate(uneven, final=True)
    surprise = by_hand(learner, tokens)
    mean = sum(surprise) / len(surprise)
    assert found["loss"] == pytest.approx(mean, rel=1e-5)
    assert found["perplexity"] == pytest.approx(math.exp(mean), rel=1e-5)
    assert found["bits_per_character"] == pytest.approx(mean / math.log(2) / 2.5)


def test_a_loss_without_bounds_has_an_infinite_perplexity(tmp_path: Path) -> None:
    learner, data = opened(tmp_path)
    with torch.no_grad():
        learner.network.head.weight.mul_(1e5)  # type: ignore[union-attr, operator]
        found = learner.evaluate([{"tokens": whole(data)}], final=True)
    assert found["loss"] > 1000
    assert found["perplexity"] == math.inf


@pytest.fixture(scope="module")
def overfit(tmp_path_factory: pytest.TempPathFactory) -> LanguageModelLearner:
    learner, data = opened(tmp_path_factory.mktemp("overfit"))
    # Windows from everywhere, so that every place comes up in the context.
    stream = torch.cat([whole(data)[:, :-1].flatten(), whole(data)[-1:, -1]])
    batch = {"tokens": stream.unfold(0, 13, 1)}
    optimizer = torch.optim.Adam(learner.network.parameters(), 3e-3)
    for _ in range(150):
        loss = learner.loss("", batch, 0.0) / learner.num_items(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5
    return learner


@pytest.mark.parametrize("beam", [None, 1, 3])
def test_memorised_text_is_generated(
    overfit: LanguageModelLearner, beam: int | None
) -> None:
    prompt = TEXT[:12]
    sampling = Sampling(max_new_tokens=30, temperature=0)
    assert overfit.continue_text(prompt, sampling, beam) == TEXT[:42]


def test_without_a_prompt_text_starts_after_a_line_break(
    overfit: LanguageModelLearner,
) -> None:
    assert overfit.continue_text("", Sampling(max_new_tokens=3, temperature=0)) == "and"


def test_a_text_without_line_breaks_starts_with_any_token(tmp_path: Path) -> None:
    learner, _ = opened(tmp_path, text=TEXT.replace("\n", " "))
    assert len(learner.continue_text("", Sampling(max_new_tokens=7))) == 7


def test_a_seed_gives_the_same_text(overfit: LanguageModelLearner) -> None:
    first, again, other = (
        overfit.continue_text("the ", Sampling(40, 2.0, seed=seed))
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(first) == 44


def test_unknown_tokens_are_not_generated(overfit: LanguageModelLearner) -> None:
    assert "<unk>" not in overfit.continue_text("the ", Sampling(300, 1e6))


def test_a_prompt_with_unknown_characters_is_refused(
    overfit: LanguageModelLearner,
) -> None:
    with pytest.raises(RequestError, match="no '€', 'T':"):
        overfit.continue_text("€The €", Sampling())


def test_samples_continue_held_out_text(overfit: LanguageModelLearner) -> None:
    tokens = torch.tensor([overfit.tokenizer.encode(TEXT)])
    ((name, text),) = overfit.samples([{"tokens": tokens}], 3).items()
    assert name == "epoch-003.txt"
    assert str(text).startswith(TEXT[:32])
    assert len(text) == 32 + 200 + 1


def test_the_context_is_at_most_the_training_length(tmp_path: Path) -> None:
    learner, data = opened(tmp_path, dims="dims: {T: {max: 20}}", length=8)
    assert learner.context == 8
    text = whole(data).flatten()[None]
    after = learner._next_logits(text)
    assert after.equal(learner._next_logits(text[:, -8:]))
    assert not after.equal(learner._next_logits(text[:, -7:]))


def test_the_context_is_at_most_the_networks_maximum(tmp_path: Path) -> None:
    learner, _ = opened(tmp_path, dims="dims: {T: {max: 5}}", length=8)
    assert learner.context == 5
    assert len(learner.continue_text("the ", Sampling(max_new_tokens=20))) == 24


def test_prompts_are_padded_to_a_multiple(tmp_path: Path) -> None:
    dims = "dims: {T: {multiple_of: 4, max: 12}}"
    learner, _ = opened(tmp_path, dims=dims)
    for length in range(1, 15):
        tokens = torch.tensor([learner.tokenizer.encode(TEXT[:length])])
        expected = learner.logits(tokens[:, -12:])[:, -1, 1:]
        torch.testing.assert_close(learner._next_logits(tokens)[:, 1:], expected)


def test_a_network_that_looks_ahead_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not-causal"):
        opened(tmp_path, causal=False)
    fine, data = opened(tmp_path)
    fine.setup(data)


@pytest.mark.parametrize(
    ("dims", "allowed", "help"),
    [
        ("max: 10", "at most 10", "length: 10"),
        ("multiple_of: 8, max: 64", "multiples of 8, at most 64", "length: 8"),
        ("min: 20, max: 30", "at least 20, at most 30", "length: 20"),
    ],
)
def test_examples_that_are_too_long_are_refused(
    tmp_path: Path, dims: str, allowed: str, help: str
) -> None:
    learner, data = opened(tmp_path, dims=f"dims: {{T: {{{dims}}}}}")
    with pytest.raises(SpecError) as caught:
        learner.setup(data)
    (found,) = caught.value.diagnostics
    assert found.code == "data-mismatch"
    assert found.message == f"examples have 12 tokens, but Tiny takes {allowed}"
    assert help in found.help
    assert (tmp_path / "net.yaml").read_text().splitlines()[found.span.line - 1] == (
        "  tokens: int[B, T]"
    )


@pytest.mark.parametrize(
    ("tokens", "vocab"), [("{bpe: 300}", 300), ("{words: 20}", 20)]
)
def test_other_tokens_than_characters(tmp_path: Path, tokens: str, vocab: int) -> None:
    learner, data = opened(tmp_path, length=3, tokens=tokens, vocab=vocab)
    learner.setup(data)
    assert data.metadata["characters_per_token"] > 1.5
    made = learner.continue_text("the quick", Sampling(max_new_tokens=5))
    assert made.startswith("the quick")
    assert len(made) > len("the quick")
